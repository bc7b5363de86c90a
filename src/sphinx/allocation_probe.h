// SPDX-License-Identifier: Apache-2.0
// Counts heap allocations of the whole program, libraries included. For tests and benchmarks: it
// replaces malloc, so it is included by exactly one source of a program and by none of a library.
// Under a sanitizer, which has a malloc of its own, only operator new is counted.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace mix::sphinx {

inline std::atomic<std::uint64_t> allocations_done{0};

}  // namespace mix::sphinx

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MIX_MALLOC_IS_TAKEN 1
#elif defined(__has_feature)
#define MIX_MALLOC_IS_TAKEN (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define MIX_MALLOC_IS_TAKEN 0
#endif

#if MIX_MALLOC_IS_TAKEN

void* operator new(std::size_t size) {
  ++mix::sphinx::allocations_done;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void* operator new[](std::size_t size) {
  return operator new(size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}

#else

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);

void* malloc(std::size_t size) {
  ++mix::sphinx::allocations_done;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  ++mix::sphinx::allocations_done;
  return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) {
  ++mix::sphinx::allocations_done;
  return __libc_realloc(memory, size);
}
}

#endif
