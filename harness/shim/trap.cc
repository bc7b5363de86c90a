// SPDX-License-Identifier: Apache-2.0
// The trap: whatever system call is not made by section lab_sys_text raises SIGSYS and is served.
// seccomp is the default, as it fails closed (inherited by threads, fork and exec; catches the
// vsyscall page); Syscall User Dispatch is the second back end behind the same handler.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <stddef.h>

#include "harness/kernel/internal.h"
#include "harness/kernel/numbers.h"
#include "harness/shim/shim.h"

namespace lab::shim {
namespace {

namespace nr = kernel::nr;

constexpr u64 kSaOnstack = 0x08000000, kSaRestorer = 0x04000000;

/// Of an area that XSAVE wrote: where the last x87 operation was, and which parts were in use.
struct XsaveArea {
  u8 control[6];
  kernel::u16 x87_opcode;
  u64 x87_pointers[2];
  u8 registers[440];
  u32 magic, extended_size;
  u64 features;
  u8 pad[32];
  u64 in_use;
};
static_assert(offsetof(XsaveArea, magic) == 464 && offsetof(XsaveArea, in_use) == 512);

struct Ucontext {
  u64 flags, link, stack[3];
  Registers registers;
  u64 segments, error, trap_number, old_mask, address;
  XsaveArea* saved;
};

struct TrapInfo {
  i32 signo, error, code, pad;
  u64 call_address;
  i32 syscall;
  u32 arch;
};

void on_sys(int, TrapInfo* info, Ucontext* context) {
  Registers& r = context->registers;
  kernel::Kernel& k = g_kernel;
  if (info->arch != AUDIT_ARCH_X86_64 || (r.rax & 0x40000000) != 0) {
    kernel::refuse(k, kernel::current(k), LAB_STOP_REFUSED_CALL,
                   "a system call of the 32-bit interfaces: its numbers mean something else");
    stop_here();
  }
  ++k.control->traps;
  const long args[6] = {static_cast<long>(r.rdi), static_cast<long>(r.rsi),
                        static_cast<long>(r.rdx), static_cast<long>(r.r10),
                        static_cast<long>(r.r8),  static_cast<long>(r.r9)};
  r.rax = static_cast<u64>(serve(static_cast<i64>(static_cast<i32>(r.rax)), args, &r));
}

char* put_hex(char* to, u64 value) {
  for (int shift = 60; shift >= 0; shift -= 4)
    *to++ = "0123456789abcdef"[value >> shift & 15];
  return to;
}

/// For a handler that looks: what follows the real kernel's switches is the same in every run.
/// Parts that were not in use hold their first values, so that all may be called in use.
void even_out(Ucontext* context) {
  constexpr u32 kExtended = 0x46505853;  // FP_XSTATE_MAGIC1
  XsaveArea* saved = context->saved;
  if (saved == nullptr) return;
  saved->x87_opcode = 0;
  saved->x87_pointers[0] = saved->x87_pointers[1] = 0;
  if (saved->magic == kExtended) saved->in_use = saved->features;
}

/// A fault of the program: an instruction the lab answers, a handler of its own, or its end.
void on_fault(int signal, kernel::lx::Siginfo* info, Ucontext* context) {
  Registers& r = context->registers;
  kernel::Kernel& k = g_kernel;
  if (signal == kernel::lx::kSigsegv && answer_instruction(r)) return;
  const kernel::lx::Sigaction action = k.p->action[signal];
  if (action.handler > 1) {
    even_out(context);
    reinterpret_cast<void (*)(int, void*, void*)>(action.handler)(signal, info, context);
    return;
  }
  char text[] = "fault: signal   at 0x0000000000000000, address 0x0000000000000000";
  text[14] = static_cast<char>('0' + signal / 10);
  text[15] = static_cast<char>('0' + signal % 10);
  put_hex(text + 22, r.rip);
  u64 address = 0;
  kernel::copy(&address, reinterpret_cast<const u8*>(info) + 16, sizeof(address));
  put_hex(text + 50, address);
  kernel::note(k, text);
  k.control->stop.ip = r.rip;
  kernel::end_process(k, signal);
  finish_process();
}

void set_handler(int signal, void* handler) {
  kernel::lx::Sigaction action{};
  action.handler = reinterpret_cast<u64>(handler);
  action.flags = kernel::lx::kSaSiginfo | kernel::lx::kSaNodefer | kSaOnstack | kSaRestorer;
  action.restorer = reinterpret_cast<u64>(&lab_restorer);
  sys(nr::k_rt_sigaction, signal, reinterpret_cast<long>(&action), 0, 8);
}

void arm_seccomp() {
  const u64 begin = reinterpret_cast<u64>(lab_sys_begin), end = reinterpret_cast<u64>(lab_sys_end);
  const u32 high = static_cast<u32>(begin >> 32);
  constexpr u32 arch = 4, ip_low = 8, ip_high = 12;
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, arch),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 6),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ip_high),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, high, 0, 4),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ip_low),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, static_cast<u32>(begin), 0, 2),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, static_cast<u32>(end), 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
  };
  const sock_fprog program{sizeof(filter) / sizeof(filter[0]), filter};
  sys(nr::k_prctl, 38 /* PR_SET_NO_NEW_PRIVS */, 1, 0, 0, 0);
  const long armed = sys(nr::k_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
                         reinterpret_cast<long>(&program));
  if (armed != 0 || static_cast<u32>(end >> 32) != high) {
    kernel::refuse(g_kernel, kernel::current(g_kernel), LAB_STOP_INTERNAL,
                   "this machine refuses the seccomp filter");
    stop_here();
  }
}

void arm_dispatch() {
  const long begin = reinterpret_cast<long>(lab_sys_begin);
  const long size = reinterpret_cast<long>(lab_sys_end) - begin;
  if (sys(nr::k_prctl, PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, begin, size, 0) != 0) {
    kernel::refuse(g_kernel, kernel::current(g_kernel), LAB_STOP_INTERNAL,
                   "this machine has no Syscall User Dispatch");
    stop_here();
  }
}

}  // namespace

void install_handlers() {
  set_handler(kernel::lx::kSigsys, reinterpret_cast<void*>(&on_sys));
  static constexpr int faults[] = {4, 5, 7, 8, 11};  // ILL TRAP BUS FPE SEGV
  for (int fault : faults)
    set_handler(fault, reinterpret_cast<void*>(&on_fault));
}

void arm_trap() {
  if (g_kernel.control->trap == LAB_TRAP_SUD)
    arm_dispatch();
  else
    arm_seccomp();
}

void arm_thread() {
  if (g_kernel.control->trap == LAB_TRAP_SUD) arm_dispatch();
}

void arm_faults() {
  const u32 flags = g_kernel.control->flags;
  if ((flags & LAB_FLAG_FAULTS_ARMED) != 0) return;
  if ((flags & LAB_FLAG_FAULT_TSC) != 0) sys(nr::k_prctl, 26 /* PR_SET_TSC */, 2 /* SIGSEGV */);
  if ((flags & LAB_FLAG_FAULT_CPUID) != 0) sys(nr::k_arch_prctl, 0x1012 /* ARCH_SET_CPUID */, 0);
}

}  // namespace lab::shim
