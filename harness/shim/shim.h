// SPDX-License-Identifier: Apache-2.0
// Inside the shim. RULES, held by the build (scripts/cmake/check_shim.cmake):
//
//   no libc: the only imported symbol is __errno_location; no DT_NEEDED
//   no malloc, no stdio, no locks, no thread-locals (nothing through %fs)
//   `syscall` instructions only in section lab_sys_text, which the trap lets pass, and one in
//   lab_trapped_text, which stands in for libc's
//   handlers run on stacks of the arena, never on the program's
//   never blocks for ever on its own account: only for a turn
//
// The shim joins the kernel library to a process: it makes every system call arrive in serve(),
// gives turns back and forth, and is the only place that knows real threads.
#pragma once

#include "harness/kernel/kernel.h"

namespace lab::shim {

using kernel::i32;
using kernel::i64;
using kernel::u32;
using kernel::u64;
using kernel::u8;

/// The kernel library's view of this process. Plain globals: one thread runs at a time.
extern kernel::Kernel g_kernel;
extern bool g_attached;

/// General registers, as the kernel lays them out in a signal frame (sigcontext).
struct Registers {
  u64 r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, eflags;
};

// ---- sys.cc: the only system calls ------------------------------------------------------------
extern "C" long lab_sys(long number, long, long, long, long, long, long);
/// The same from outside the section: arrives in the trap, as a call of libc does.
extern "C" long lab_trapped(long number, long, long, long, long, long, long);
/// Wakes who waits for the first word, and waits until the second says 1: nothing else in memory
/// tells how far it has come. FUTEX_PRIVATE_FLAG among threads, 0 among processes.
extern "C" void lab_switch(u32* wake, u32* wait, long flags);
extern "C" void lab_restorer();
/// clone(2) whose child goes to lab_child(slot) on the given stack.
extern "C" long lab_clone(u64 flags, void* stack, u32* clear_word, u64 tls, u64 slot);
/// Leaves the shim for the program: restores registers, rax = 0.
extern "C" [[noreturn]] void lab_resume(const Registers* registers, u64 stack);
extern "C" const u8 lab_sys_begin[], lab_sys_end[];
inline long sys(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0,
                long f = 0) {
  return lab_sys(number, a, b, c, d, e, f);
}

// ---- channel.cc: turns
// ---------------------------------------------------------------------------
/// Gives the turn back and waits for the next; then takes the inbox in.
void hand_over(lab_state state);
/// This thread cannot go on: another one does, or the controller.
void suspend(kernel::Thread& t);
/// For a thread that is gone: lets somebody else run, and returns.
void leave_turn(kernel::Thread& t);
/// A thread that was just made: waits until it is its turn for the first time.
void wait_for_baton(kernel::Thread& t);
/// Does nothing: where a debugger has its breakpoint for the begin of an activation.
extern "C" void lab_debug_stop();
[[noreturn]] void finish_process();
[[noreturn]] void stop_here();

// ---- serve.cc
// -------------------------------------------------------------------------------------
/// Every system call of the program ends here; registers where a trap knows them.
long serve(long number, const long* args, const Registers* registers);

// ---- threads.cc
// -----------------------------------------------------------------------------------
long clone_thread(kernel::Thread& t, const Registers* registers);
[[noreturn]] void exit_thread(kernel::Thread& t);
u8* stack_top(u32 slot);
void adopt_first_thread();  // whose end the real kernel was to tell the program of
void use_stack(u32 slot);

// ---- trap.cc
// --------------------------------------------------------------------------------------
void install_handlers();
void arm_trap();
/// Per thread (SUD is not inherited).
void arm_thread();
/// RDTSC and CPUID fault from here on.
void arm_faults();

// ---- faults.cc
// ------------------------------------------------------------------------------------
/// Answers the instruction at rip if it is RDTSC, RDTSCP or CPUID.
bool answer_instruction(Registers& registers);

}  // namespace lab::shim
