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

/// Where the loader keeps this thread's number: the word it told the real kernel to clear at the
/// thread's end. Searched for where the kernel does not say (no CONFIG_CHECKPOINT_RESTORE), and
/// then behind the two pointers of `struct pthread`.list, whose halves look like numbers.
i32* word_of_tid() {
  u64 told = 0;
  if (sys(nr::k_prctl, 40 /* PR_GET_TID_ADDRESS */, reinterpret_cast<long>(&told), 0, 0, 0) == 0 &&
      told != 0)
    return reinterpret_cast<i32*>(told);
  const i32 real = static_cast<i32>(sys(nr::k_gettid));
  u64 block = 0;
  sys(nr::k_arch_prctl, 0x1003 /* ARCH_GET_FS */, reinterpret_cast<long>(&block));
  constexpr u64 begin = 0x2d0, end = 0x900;
  for (u64 at = begin; at < end; at += 4)
    if (i32* word = reinterpret_cast<i32*>(block + at); *word == real) return word;
  return nullptr;
}

/// The loader asked the real kernel for this thread's number before we were here: replace it by the
/// number the program is told from now on, and make the thread's end ours as any other's is.
void take_first_thread(kernel::Thread& t) {
  if (i32* word = word_of_tid()) {
    *word = t.tid;
    t.clear_tid = reinterpret_cast<u64>(word);
  }
  adopt_first_thread();
}

/// The loader's frames below ours hold what it asked of the real files (numbers, times of reading).
void wipe_stack_below() {
  constexpr u64 kLoaderDepth = 24 << 10, kRedZone = 128;
  asm volatile(
      "mov %%rsp, %%rdi\n sub %0, %%rdi\n mov %1, %%ecx\n xor %%eax, %%eax\n cld\n rep stosb"
      :
      : "i"(kRedZone + kLoaderDepth), "i"(kLoaderDepth)
      : "rax", "rcx", "rdi", "memory", "cc");
}

/// Root may what no other user may (write where no permission says so, map page 0). A program is
/// one user, whoever runs the lab: it may what that user may.
void be_no_root() {
  u32 header[2] = {0x20080522 /* _LINUX_CAPABILITY_VERSION_3 */, 0}, none[6];
  kernel::zero(none, sizeof(none));
  sys(nr::k_capset, reinterpret_cast<long>(header), reinterpret_cast<long>(none));
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
  take_first_thread(kernel::current(g_kernel));
  wipe_stack_below();
  sys(nr::k_umask, 022);
  be_no_root();
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
