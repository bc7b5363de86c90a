// SPDX-License-Identifier: Apache-2.0
#include "harness/controller/cpu_mask.h"

#include <asm/prctl.h>
#include <cpuid.h>
#include <immintrin.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <ucontext.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "harness/controller/child.h"

namespace lab::controller {
namespace {

constexpr std::uint32_t bit(int n) {
  return 1u << n;
}

// Leaf 1, ECX and EDX; leaf 7, EBX; leaf 0x80000001, ECX and EDX: what may be shown.
constexpr std::uint32_t kBasic = bit(0) | bit(1) | bit(9) | bit(13) | bit(19) | bit(20) | bit(23) |
                                 bit(25);  // SSE3 PCLMUL SSSE3 CX16 SSE4.1 SSE4.2 POPCNT AES
constexpr std::uint32_t kAvx = bit(12) | bit(22) | bit(26) | bit(27) | bit(28) | bit(29);
constexpr std::uint32_t kEdx1 = 0x078bfbff;
constexpr std::uint32_t kBasic7 = bit(0) | bit(9) | bit(29);         // FSGSBASE ERMS SHA
constexpr std::uint32_t kAvx7 = bit(3) | bit(5) | bit(8) | bit(19);  // BMI1 AVX2 BMI2 ADX
constexpr std::uint32_t kEcx81 = bit(0) | bit(5) | bit(8);           // LAHF LZCNT PREFETCHW
constexpr std::uint32_t kEdx81 = bit(11) | bit(20) | bit(29);        // SYSCALL NX LM

struct Live {
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Live live(std::uint32_t leaf, std::uint32_t subleaf = 0) {
  Live r;
  __cpuid_count(leaf, subleaf, r.eax, r.ebx, r.ecx, r.edx);
  return r;
}

bool has_avx2() {
  return (live(7).ebx & bit(5)) != 0 && (live(1).ecx & bit(27)) != 0;
}

/// Read once, before this thread's own CPUID may fault.
struct Table {
  lab_cpuid entry[LAB_MAX_CPUID];
  std::uint32_t count = 0;
  bool avx = false;

  void add(std::uint32_t leaf, Live r) {
    entry[count++] = {leaf, 0, 0, r.eax, r.ebx, r.ecx, r.edx, 0};
  }
  void add(std::uint32_t leaf, std::uint32_t subleaf, Live r) {
    entry[count++] = {leaf, subleaf, 1, r.eax, r.ebx, r.ecx, r.edx, 0};
  }
  Table() {
    avx = has_avx2();
    const Live one = live(1), seven = live(7), far = live(0x80000001);
    add(0, {0xd, 0x756e6547, 0x6c65746e, 0x49656e69});  // GenuineIntel
    add(1, {0x000306f2, 0x00010800, one.ecx & (kBasic | (avx ? kAvx : 0)), one.edx & kEdx1});
    add(2, {0x00feff01, 0, 0, 0});
    // 32 KiB + 32 KiB, 1 MiB, 8 MiB
    add(4, 0, {0x121, 0x01c0003f, 63, 0});
    add(4, 1, {0x122, 0x01c0003f, 63, 0});
    add(4, 2, {0x143, 0x03c0003f, 1023, 0});
    add(4, 3, {0x163, 0x03c0003f, 8191, 0});
    add(7, 0, {0, seven.ebx & (kBasic7 | (avx ? kAvx7 : 0)), 0, 0});
    if (avx) {
      const Live area = live(0xd);
      add(0xd, 0, {7, area.ebx, area.ebx, 0});
      add(0xd, 2, {256, 576, 0, 0});
    }
    add(0x80000000, {0x80000008, 0, 0, 0});
    add(0x80000001, {0, 0, far.ecx & kEcx81, far.edx & kEdx81});
    add(0x80000008, {0x3030, 0, 0, 0});
  }
};

const Table& table() {
  static const Table the;
  return the;
}

const lab_cpuid* look_up(const Table& t, std::uint32_t leaf, std::uint32_t subleaf) {
  for (std::uint32_t i = 0; i < t.count; ++i)
    if (t.entry[i].leaf == leaf && ((t.entry[i].flags & 1) == 0 || t.entry[i].subleaf == subleaf))
      return &t.entry[i];
  return nullptr;
}

bool wait_stopped(pid_t pid, int* status) {
  return wait_child(pid, status) && WIFSTOPPED(*status);
}

bool answer(pid_t pid, std::uint64_t* tsc) {
  user_regs_struct r{};
  std::uint8_t code[3] = {};
  if (::ptrace(PTRACE_GETREGS, pid, nullptr, &r) != 0) return false;
  iovec local{code, sizeof(code)}, remote{reinterpret_cast<void*>(r.rip), sizeof(code)};
  if (::process_vm_readv(pid, &local, 1, &remote, 1, 0) < 2) return false;
  if (code[0] != 0x0f) return false;
  if (code[1] == 0xa2) {
    const lab_cpuid* found =
        look_up(table(), static_cast<std::uint32_t>(r.rax), static_cast<std::uint32_t>(r.rcx));
    r.rax = found ? found->eax : 0;
    r.rbx = found ? found->ebx : 0;
    r.rcx = found ? found->ecx : 0;
    r.rdx = found ? found->edx : 0;
    r.rip += 2;
  } else if (code[1] == 0x31 || (code[1] == 0x01 && code[2] == 0xf9)) {
    *tsc += 64;
    r.rax = static_cast<std::uint32_t>(*tsc);
    r.rdx = *tsc >> 32;
    if (code[1] == 0x01) r.rcx = 0;
    r.rip += code[1] == 0x31 ? 2 : 3;
  } else {
    return false;
  }
  return ::ptrace(PTRACE_SETREGS, pid, nullptr, &r) == 0;
}

struct sigaction g_before;

/// For the controller itself: the live answer, with the fault off for one instruction.
void answer_self(int signal, siginfo_t* info, void* context) {
  greg_t* r = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  const std::uint8_t* at = reinterpret_cast<const std::uint8_t*>(r[REG_RIP]);
  if (info->si_code == SI_KERNEL && at[0] == 0x0f && at[1] == 0xa2) {
    ::syscall(SYS_arch_prctl, ARCH_SET_CPUID, 1);
    const Live answered =
        live(static_cast<std::uint32_t>(r[REG_RAX]), static_cast<std::uint32_t>(r[REG_RCX]));
    ::syscall(SYS_arch_prctl, ARCH_SET_CPUID, 0);
    r[REG_RAX] = answered.eax;
    r[REG_RBX] = answered.ebx;
    r[REG_RCX] = answered.ecx;
    r[REG_RDX] = answered.edx;
    r[REG_RIP] += 2;
    return;
  }
  const bool and_cpu = at[0] == 0x0f && at[1] == 0x01 && at[2] == 0xf9;  // RDTSCP
  if (info->si_code == SI_KERNEL && (and_cpu || (at[0] == 0x0f && at[1] == 0x31))) {
    ::prctl(PR_SET_TSC, PR_TSC_ENABLE);
    unsigned cpu = 0;
    const std::uint64_t tsc = __rdtscp(&cpu);
    ::prctl(PR_SET_TSC, PR_TSC_SIGSEGV);
    r[REG_RAX] = static_cast<std::uint32_t>(tsc);
    r[REG_RDX] = static_cast<greg_t>(tsc >> 32);
    if (and_cpu) r[REG_RCX] = cpu;
    r[REG_RIP] += and_cpu ? 3 : 2;
    return;
  }
  if ((g_before.sa_flags & SA_SIGINFO) != 0 && g_before.sa_sigaction != nullptr)
    return g_before.sa_sigaction(signal, info, context);
  ::sigaction(SIGSEGV, &g_before, nullptr);  // the instruction faults again, as without us
}

}  // namespace

bool inject(pid_t pid, std::uint64_t number, std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  user_regs_struct saved{};
  if (::ptrace(PTRACE_GETREGS, pid, nullptr, &saved) != 0) return false;
  errno = 0;
  const long code = ::ptrace(PTRACE_PEEKTEXT, pid, saved.rip, nullptr);
  if (errno != 0) return false;
  const long call = (code & ~0xffffL) | 0x050f;
  user_regs_struct r = saved;
  r.rax = number;
  r.rdi = a;
  r.rsi = b;
  r.rdx = c;
  int status = 0;
  if (::ptrace(PTRACE_POKETEXT, pid, saved.rip, call) != 0 ||
      ::ptrace(PTRACE_SETREGS, pid, nullptr, &r) != 0 ||
      ::ptrace(PTRACE_SINGLESTEP, pid, nullptr, nullptr) != 0 || !wait_stopped(pid, &status) ||
      ::ptrace(PTRACE_GETREGS, pid, nullptr, &r) != 0)
    return false;
  ::ptrace(PTRACE_POKETEXT, pid, saved.rip, code);
  ::ptrace(PTRACE_SETREGS, pid, nullptr, &saved);
  return r.rax == 0;
}

void fill_cpuid_table(lab_control& control) {
  std::memcpy(control.cpuid, table().entry, sizeof(control.cpuid));
  control.cpuid_count = table().count;
}

const char* masked_level() {
  return table().avx ? "x86-64-v3" : "x86-64-v2";
}

std::string mask_cpu(pid_t pid, lab_control& control) {
  fill_cpuid_table(control);
  if (!cpuid_can_fault() || !inject(pid, SYS_arch_prctl, ARCH_SET_CPUID, 0))
    control.flags &= ~static_cast<std::uint32_t>(LAB_FLAG_FAULT_CPUID);
  if (!inject(pid, SYS_prctl, PR_SET_TSC, PR_TSC_SIGSEGV))
    control.flags &= ~static_cast<std::uint32_t>(LAB_FLAG_FAULT_TSC);
  control.flags |= LAB_FLAG_FAULTS_ARMED;
  std::uint64_t tsc = 1'000'000;
  int deliver = 0;
  for (;;) {
    int status = 0;
    if (::ptrace(PTRACE_CONT, pid, nullptr, deliver) != 0 || !wait_stopped(pid, &status))
      return "ended";
    deliver = WSTOPSIG(status);
    if (deliver == SIGTRAP) return {};
    if (deliver == SIGSEGV && answer(pid, &tsc)) deliver = 0;
  }
}

bool cpuid_can_fault() {
  static const bool can = [] {
    if (::syscall(SYS_arch_prctl, ARCH_SET_CPUID, 0) != 0) return false;
    ::syscall(SYS_arch_prctl, ARCH_SET_CPUID, 1);
    return true;
  }();
  return can;
}

void match_faults(bool on) {
  const bool cpuid = cpuid_can_fault();
  (void)table();
  if (on) {
    struct sigaction action{};
    action.sa_sigaction = &answer_self;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    ::sigaction(SIGSEGV, &action, &g_before);
    if (cpuid) ::syscall(SYS_arch_prctl, ARCH_SET_CPUID, 0);
    ::prctl(PR_SET_TSC, PR_TSC_SIGSEGV);
  } else {
    if (cpuid) ::syscall(SYS_arch_prctl, ARCH_SET_CPUID, 1);
    ::prctl(PR_SET_TSC, PR_TSC_ENABLE);
    ::sigaction(SIGSEGV, &g_before, nullptr);
  }
}

}  // namespace lab::controller
