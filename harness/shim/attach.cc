// SPDX-License-Identifier: Apache-2.0
// The first thing that runs in a node after the loader: linked with `-z initfirst`, before every
// other constructor (libcrypto's read CPUID, malloc draws entropy).
#include "harness/kernel/internal.h"
#include "harness/kernel/numbers.h"
#include "harness/shim/shim.h"

namespace lab::shim {

kernel::Kernel g_kernel;
bool g_attached;

namespace {

namespace nr = kernel::nr;

constexpr long kReadWrite = 3, kSharedFixed = 0x01 | 0x100000;  // MAP_SHARED | MAP_FIXED_NOREPLACE

[[noreturn]] void give_up(const char* why) {
  sys(nr::k_write, 2, reinterpret_cast<long>(why), static_cast<long>(kernel::length(why)));
  for (;;)
    sys(nr::k_exit_group, 112);
}

void map(int fd, u64 address, u64 size) {
  const long at = sys(nr::k_mmap, static_cast<long>(address), static_cast<long>(size), kReadWrite,
                      kSharedFixed, fd, 0);
  if (at != static_cast<long>(address))
    give_up("mixlab shim: not started by mixlab (its descriptors are missing)\n");
}

/// The loader asked the real kernel for this thread's number before we were here, and keeps it in
/// the thread's control block: replace it by the number the program is told from now on.
void hide_real_tid(i32 shown) {
  const i32 real = static_cast<i32>(sys(nr::k_gettid));
  u64 block = 0;
  sys(nr::k_arch_prctl, 0x1003 /* ARCH_GET_FS */, reinterpret_cast<long>(&block));
  constexpr u64 begin = 0x2c0, end = 0x900;  // struct pthread behind the TCB header
  for (u64 at = begin; at < end; at += 4) {
    i32* word = reinterpret_cast<i32*>(block + at);
    if (*word != real) continue;
    *word = shown;
    return;
  }
}

__attribute__((constructor)) void attach() {
  map(LAB_FD_ARENA, LAB_ARENA_ADDRESS, LAB_ARENA_SIZE);
  map(LAB_FD_HOST, LAB_HOST_ADDRESS, LAB_HOST_SIZE);
  map(LAB_FD_TURNS, LAB_TURNS_ADDRESS, sizeof(lab_turns));
  lab_control* control = reinterpret_cast<lab_control*>(LAB_ARENA_ADDRESS + LAB_CONTROL_OFFSET);
  if (control->magic != LAB_CONTRACT_MAGIC || control->version != LAB_CONTRACT_VERSION)
    give_up("mixlab shim: this controller speaks another version of the contract\n");
  g_kernel.control = control;
  g_kernel.p = reinterpret_cast<kernel::Process*>(LAB_ARENA_ADDRESS + LAB_KERNEL_OFFSET);
  g_kernel.h = reinterpret_cast<kernel::Host*>(LAB_HOST_ADDRESS);
  g_kernel.inbox = reinterpret_cast<u8*>(LAB_ARENA_ADDRESS + LAB_INBOX_OFFSET);
  g_kernel.outbox = reinterpret_cast<u8*>(LAB_ARENA_ADDRESS + LAB_OUTBOX_OFFSET);
  g_kernel.raw = &lab_sys;
  kernel::start_process(g_kernel);
  hide_real_tid(kernel::current(g_kernel).tid);
  sys(nr::k_umask, 022);
  use_stack(0);
  install_handlers();
  arm_faults();
  if ((control->flags & LAB_FLAG_FAULTS_ARMED) != 0)
    asm volatile("int3");  // the controller lets go
  arm_trap();
  g_attached = true;
  hand_over(LAB_STATE_BLOCKED);
}

}  // namespace
}  // namespace lab::shim
