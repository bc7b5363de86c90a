// SPDX-License-Identifier: Apache-2.0
// Leaks that are instructions, not calls: what the processor says of itself, and the functions that
// the kernel maps into every program. For leaks.cc.
#pragma once

#include <cpuid.h>
#include <elf.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>
#include <x86intrin.h>

namespace leaks {

inline unsigned long g_sum = 14695981039346656037ul;

inline void mix(const void* p, size_t n) {
  for (size_t i = 0; i < n; ++i)
    g_sum = (g_sum ^ static_cast<const unsigned char*>(p)[i]) * 1099511628211ul;
}
template <class T>
void value(const T& v) {
  mix(&v, sizeof(v));
}

inline void tsc() {
  unsigned aux = 0;
  value(__rdtsc());
  value(__rdtscp(&aux));
}
inline void cpuid() {
  for (unsigned leaf : {0u, 1u, 4u, 7u, 0xbu, 0x80000001u, 0x80000002u}) {
    unsigned r[4] = {};
    __cpuid_count(leaf, 0, r[0], r[1], r[2], r[3]);
    mix(r, sizeof(r));
  }
}
/// What libraries choose their variants by, and what must not be chosen: 1 where it is offered.
inline void cpu_flags() {
  unsigned one[4] = {}, seven[4] = {};
  __cpuid_count(1, 0, one[0], one[1], one[2], one[3]);
  __cpuid_count(7, 0, seven[0], seven[1], seven[2], seven[3]);
  printf("rdrand %u rdseed %u rtm %u hle %u avx512f %u rdpid %u\n", one[2] >> 30 & 1,
         seven[1] >> 18 & 1, seven[1] >> 11 & 1, seven[1] >> 4 & 1, seven[1] >> 16 & 1,
         seven[2] >> 22 & 1);
}
/// The third word of the table of addresses is the loader's function that binds at a first call,
/// and 0 where all were bound at the start. (The program is linked with -z lazy.)
inline void lazy_binding() {
  void* const* table = nullptr;
  asm("lea _GLOBAL_OFFSET_TABLE_(%%rip), %0" : "=r"(table));
  printf("bound at a first call: %s\n", table[2] != nullptr ? "yes" : "no");
}
inline void floating_point() {  // libm picks its variants by CPUID
  double sum = 0;
  for (int i = 1; i < 5000; ++i)
    sum += __builtin_log(i * 1e-3) * __builtin_exp(-i * 1e-4) + __builtin_sin(i);
  value(sum);
}

/// How fast the machine is, as a program would find out: rounds in 20 ms, and ticks of one round.
inline void self_speed() {
  const auto now = [] {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1'000'000'000 + t.tv_nsec;
  };
  const long end = now() + 20'000'000;
  long rounds = 0;
  for (; now() < end; ++rounds)
    for (int i = 0; i < 100; ++i) {
      asm volatile("");
    }
  value(rounds);
  const unsigned long begin = __rdtsc();
  volatile int most = 1000;  // the compiler may not count for us
  for (int i = 0; i < most; ++i) {
  }
  value(__rdtsc() - begin);
}

/// Past the system call too: a function that the kernel maps into every program.
inline unsigned long vdso_function(const char* name,
                                   unsigned long from = getauxval(AT_SYSINFO_EHDR)) {
  const auto* base = reinterpret_cast<const char*>(from);
  if (base == nullptr) return 0;
  const auto* header = reinterpret_cast<const Elf64_Ehdr*>(base);
  const auto* segments = reinterpret_cast<const Elf64_Phdr*>(base + header->e_phoff);
  const Elf64_Dyn* dynamic = nullptr;
  for (int i = 0; i < header->e_phnum; ++i)
    if (segments[i].p_type == PT_DYNAMIC)
      dynamic = reinterpret_cast<const Elf64_Dyn*>(base + segments[i].p_offset);
  const Elf64_Sym* symbols = nullptr;
  const char* names = nullptr;
  for (; dynamic != nullptr && dynamic->d_tag != DT_NULL; ++dynamic) {
    if (dynamic->d_tag == DT_SYMTAB)
      symbols = reinterpret_cast<const Elf64_Sym*>(base + dynamic->d_un.d_ptr);
    if (dynamic->d_tag == DT_STRTAB) names = base + dynamic->d_un.d_ptr;
  }
  for (int i = 1; symbols != nullptr && names != nullptr && i < 64; ++i)
    if (strcmp(names + symbols[i].st_name, name) == 0)
      return reinterpret_cast<unsigned long>(base + symbols[i].st_value);
  return 0;
}
inline void vdso() {
  value(getauxval(AT_SYSINFO_EHDR));
  const unsigned long at = vdso_function("__vdso_clock_gettime");
  if (at == 0) return;
  timespec t{};
  reinterpret_cast<int (*)(clockid_t, timespec*)>(at)(CLOCK_REALTIME, &t);
  value(t);
}
/// The same where nobody says where it is: by what is left of its entry, then by looking below the
/// loader, page by page.
inline sigjmp_buf g_back;
inline void vdso_found() {
  signal(SIGSEGV, [](int) { siglongjmp(g_back, 1); });
  unsigned long from = getauxval(AT_SYSINFO_EHDR);
  if (from == 0) from = getauxval(AT_IGNORE);
  static unsigned long page;  // kept when a fault leads back
  for (page = 0; page < 16; ++page) {
    if (sigsetjmp(g_back, 1) != 0) continue;  // nothing there
    const unsigned long at = page == 0 ? from : getauxval(AT_BASE) - page * 4096;
    if (at == 0 || memcmp(reinterpret_cast<const void*>(at), ELFMAG, SELFMAG) != 0) continue;
    const unsigned long call = vdso_function("__vdso_clock_gettime", at);
    if (call == 0) continue;
    timespec t{};
    reinterpret_cast<int (*)(clockid_t, timespec*)>(call)(CLOCK_REALTIME, &t);
    value(t);
    break;
  }
  signal(SIGSEGV, SIG_DFL);
}
/// What a handler of a fault is shown: the registers, and what XSAVE wrote beside them.
inline void fault_frame() {
  static void* page = mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  static double number = 3.5;
  struct sigaction action{};
  action.sa_flags = SA_SIGINFO;
  action.sa_sigaction = [](int, siginfo_t* info, void* context) {
    const mcontext_t& m = static_cast<const ucontext_t*>(context)->uc_mcontext;
    mix(info, sizeof(*info));
    mix(m.gregs, sizeof(m.gregs));
    const auto* area = reinterpret_cast<const char*>(m.fpregs);
    unsigned long pointer = 0, offered = 0, in_use = 0;
    memcpy(&pointer, area + 8, 8);
    memcpy(&offered, area + 472, 8);
    memcpy(&in_use, area + 512, 8);
    printf("last x87 operation %s, in use %s\n", pointer == 0 ? "unsaid" : "said",
           in_use == offered ? "all" : "some");
    mprotect(page, 4096, PROT_READ | PROT_WRITE);
  };
  sigaction(SIGSEGV, &action, nullptr);
  asm volatile("fldl %0; fstp %%st(0)" : : "m"(number));
  *static_cast<volatile char*>(page) = 1;
}
/// What a newer libc's getrandom() does instead of a call, where the kernel has it (6.11).
inline void vdso_random() {
  const unsigned long at = vdso_function("__vdso_getrandom");
  value(at);
  if (at == 0) return;
  const auto draw = reinterpret_cast<ssize_t (*)(void*, size_t, unsigned, void*, size_t)>(at);
  struct {
    unsigned size, protection, flags, reserved[13];
  } wanted{};
  if (draw(nullptr, 0, 0, &wanted, ~size_t{0}) != 0) return;
  void* state = mmap(nullptr, 4096, static_cast<int>(wanted.protection),
                     static_cast<int>(wanted.flags), -1, 0);
  char bytes[16] = {};
  draw(bytes, sizeof(bytes), 0, state, wanted.size);
  mix(bytes, sizeof(bytes));
}
// ---- what cannot be closed: instructions that no bit makes fault

inline unsigned long hardware_number() {
  unsigned long n = 0;
  for (int tries = 0; tries < 100; ++tries) {
    unsigned char good = 0;
    asm volatile("rdrand %0; setc %1" : "=r"(n), "=qm"(good));
    if (good != 0) break;
  }
  return n;
}
inline void rdrand_unasked() {
  value(hardware_number());
}
inline volatile unsigned long g_secret;
inline void rdrand_unsaid() {
  g_secret = hardware_number();
}
/// How soon the real kernel takes the processor away, as the pointer of the last x87 operation
/// tells on a processor that does not keep it.
inline void x87_unasked() {
  static double number = 3.5;
  unsigned environment[7] = {};
  asm volatile("fldl %0; fstp %%st(0)" : : "m"(number));
  unsigned long rounds = 0;
  do {
    asm volatile("fnstenv %0; fldenv %0" : "+m"(environment));
  } while (environment[3] != 0 && ++rounds < 5'000'000);
  value(rounds);
}
/// The number of the CPU, past getcpu: from a register, and from the limit of a segment.
inline void rdpid_unasked() {
  unsigned long cpu = 0;
  asm volatile("rdpid %0" : "=r"(cpu));
  value(cpu & 0xfff);
}
inline void lsl_unasked() {
  unsigned cpu = 0;
  asm volatile("lsl %1, %0" : "=r"(cpu) : "r"(0x7bu));
  value(cpu & 0xfff);
}

}  // namespace leaks
