// SPDX-License-Identifier: Apache-2.0
// Real threads. A new one starts on its handler stack, waits there for the baton, and goes to the
// program with the registers its parent had at clone(2). At its end the program's word is cleared
// virtually, and the real kernel is given a word of the shim's: it writes when the thread is truly
// gone, and only then may the slot's stack be used again.
#include "harness/kernel/internal.h"
#include "harness/kernel/numbers.h"
#include "harness/shim/shim.h"

namespace lab::shim {
namespace {

namespace nr = kernel::nr;

constexpr u64 kVm = 0x100, kFs = 0x200, kFiles = 0x400, kSighand = 0x800, kSettls = 0x80000;
constexpr u64 kParentSettid = 0x100000, kChildCleartid = 0x200000, kThread = 0x10000;
constexpr u64 kSysvsem = 0x40000, kChildSettid = 0x1000000;
constexpr u64 kNeeded = kVm | kFs | kFiles | kSighand | kThread;

/// At the top of a slot's stack, above what runs there.
struct Slot {
  Registers registers;
  u64 stack;
  u32 alive;  // cleared by the real kernel
  u32 pad;
};

u8* slot_end(u32 slot) {
  return reinterpret_cast<u8*>(LAB_ARENA_ADDRESS + LAB_STACKS_OFFSET +
                               (slot + 1ull) * LAB_STACK_SIZE);
}
Slot& slot_of(u32 slot) {
  return *reinterpret_cast<Slot*>(slot_end(slot) - sizeof(Slot));
}

void wait_until_gone(u32 slot) {
  u32* alive = &slot_of(slot).alive;
  while (const u32 value = __atomic_load_n(alive, __ATOMIC_ACQUIRE))
    sys(nr::k_futex, reinterpret_cast<long>(alive), 0, value, 0);
}

}  // namespace

u8* stack_top(u32 slot) {
  return reinterpret_cast<u8*>(reinterpret_cast<u64>(&slot_of(slot)) & ~u64{63});
}

void adopt_first_thread() {
  u32& alive = slot_of(0).alive;
  alive = 1;
  sys(nr::k_set_tid_address, reinterpret_cast<long>(&alive));
  sys(nr::k_set_robust_list, 0, 24);  // none: the loader's would be walked at the thread's end
}

void use_stack(u32 slot) {
  u8* low = slot_end(slot) - LAB_STACK_SIZE;
  sys(nr::k_mprotect, reinterpret_cast<long>(low), 4096, 0);
  kernel::lx::Stack stack{};
  stack.sp = reinterpret_cast<u64>(low) + 4096;
  stack.size = static_cast<u64>(stack_top(slot) - low) - 4096;
  sys(nr::k_sigaltstack, reinterpret_cast<long>(&stack), 0);
}

long clone_thread(kernel::Thread& t, const Registers* registers) {
  kernel::Kernel& k = g_kernel;
  const u64 flags = static_cast<u64>(t.args[0]);
  if ((flags & kNeeded) != kNeeded || t.args[1] == 0 || registers == nullptr)
    return kernel::refuse(k, t, LAB_STOP_REFUSED_CALL,
                          "a copy of a node would run beside it; start programs from the scenario");
  kernel::Thread* made = kernel::add_thread(k);
  if (made == nullptr) return -kernel::lx::kEagain;
  const u32 slot = static_cast<u32>(made - k.p->thread.item);
  wait_until_gone(slot);
  Slot& start = slot_of(slot);
  start.registers = *registers;
  start.stack = static_cast<u64>(t.args[1]);
  start.alive = 1;
  made->mask = t.mask;
  if ((flags & kChildCleartid) != 0) made->clear_tid = static_cast<u64>(t.args[3]);
  if ((flags & kParentSettid) != 0) *reinterpret_cast<i32*>(t.args[2]) = made->tid;
  if ((flags & kChildSettid) != 0) *reinterpret_cast<i32*>(t.args[3]) = made->tid;
  const u64 real = kNeeded | kSysvsem | kChildCleartid | (flags & kSettls);
  const long tid =
      lab_clone(real, stack_top(slot), &start.alive, static_cast<u64>(t.args[4]), slot);
  if (tid < 0) return kernel::refuse(k, t, LAB_STOP_INTERNAL, "the machine gives no more threads");
  return made->tid;
}

extern "C" __attribute__((visibility("hidden"), used)) void lab_child(u64 slot) {
  kernel::Thread& t = g_kernel.p->thread[static_cast<u32>(slot)];
  use_stack(static_cast<u32>(slot));
  arm_thread();
  wait_for_baton(t);
  const Slot& start = slot_of(static_cast<u32>(slot));
  lab_resume(&start.registers, start.stack);
}

void exit_thread(kernel::Thread& t) {
  kernel::end_thread(g_kernel, t);
  if (g_kernel.p->exiting) finish_process();
  leave_turn(t);
  for (;;)
    sys(nr::k_exit, 0);
}

}  // namespace lab::shim
