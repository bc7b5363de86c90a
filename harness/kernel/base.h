// SPDX-License-Identifier: Apache-2.0
// Words of the kernel library, which is freestanding: no libc, no system call, no thread-local, no
// global state, no allocation. It runs inside a node, possibly in the middle of that node's malloc.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace lab::kernel {

using i32 = int32_t;
using i64 = int64_t;
using u8 = uint8_t;
using u16 = uint16_t;
using u32 = uint32_t;
using u64 = uint64_t;

inline void copy(void* to, const void* from, u64 n) {
  void* d = to;
  const void* s = from;
  asm volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(n) : : "memory");
}
inline void zero(void* to, u64 n) {
  void* d = to;
  asm volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(0) : "memory");
}
inline bool same(const void* a, const void* b, u64 n) {
  const u8* x = static_cast<const u8*>(a);
  const u8* y = static_cast<const u8*>(b);
  for (u64 i = 0; i < n; ++i)
    if (x[i] != y[i]) return false;
  return true;
}
inline u64 length(const char* s) {
  u64 n = 0;
  while (s[n] != 0)
    ++n;
  return n;
}
template <class T>
constexpr T least(T a, T b) {
  return b < a ? b : a;
}
template <class T>
constexpr T most(T a, T b) {
  return a < b ? b : a;
}

/// A result of a call: 0 or more, -errno, or one of these.
inline constexpr long kBlocked = -10'000;  ///< the thread has to wait; its Wait says for what
inline constexpr long kRefused = -10'001;  ///< the run has to stop; control->stop says why
inline constexpr long kNative = -10'002;   ///< the caller (the shim) makes the real call
inline constexpr long kFlush = -10'003;    ///< no room in the outbox: hand over, then ask again

/// Objects of one kind in a fixed array: lowest unused index last freed, then the next never used,
/// so that numbers repeat between runs and untouched pages stay untouched. Zero bytes are an empty
/// table. T needs members `bool used` and `u32 link`.
template <class T, u32 N>
struct Table {
  u32 high;  ///< items at and above have never been used
  u32 free;  ///< index + 1 of the last freed, through `link`
  u32 live;
  u32 pad;
  T item[N];

  /// -1 when full. The item is zeroed, but for what `keep` says.
  i32 take() {
    u32 i;
    if (free != 0) {
      i = free - 1;
      free = item[i].link;
    } else if (high < N) {
      i = high++;
    } else {
      return -1;
    }
    zero(&item[i], sizeof(T));
    item[i].used = true;
    ++live;
    return static_cast<i32>(i);
  }
  void give(u32 i) {
    item[i].used = false;
    item[i].link = free;
    free = i + 1;
    --live;
  }
  T& operator[](u32 i) { return item[i]; }
  const T& operator[](u32 i) const { return item[i]; }
};

}  // namespace lab::kernel
