// SPDX-License-Identifier: Apache-2.0
// Turns between this node, its sisters and the controller; the baton among this node's threads.
//
// A turn word is 1 for whom may run. Signals and debuggers interrupt futex waits, so every wait
// loops until the word says so. Giving the turn away and waiting for it is one step (lab_switch):
// who has woken another may not touch memory that anybody looks at.
#include "harness/kernel/internal.h"
#include "harness/kernel/numbers.h"
#include "harness/shim/shim.h"

namespace lab::shim {
namespace {

namespace nr = kernel::nr;

constexpr long kWait = 0, kWake = 1, kPrivate = 128;

void wait_word(u32* word, long flags) {
  while (__atomic_exchange_n(word, 0, __ATOMIC_ACQUIRE) != 1)
    sys(nr::k_futex, reinterpret_cast<long>(word), kWait | flags, 0, 0);
}

void wake_word(u32* word, long flags) {
  __atomic_store_n(word, 1, __ATOMIC_RELEASE);
  sys(nr::k_futex, reinterpret_cast<long>(word), kWake | flags, 1);
}

/// To whom the controller said, and back.
void give_turn() {
  lab_turn* slot = reinterpret_cast<lab_turns*>(LAB_TURNS_ADDRESS)->slot;
  const lab_control& c = *g_kernel.control;
  lab_switch(&slot[c.next_slot].word, &slot[c.slot].word, 0);
}

void make_current(kernel::Thread& next) {
  g_kernel.p->current = static_cast<u32>(&next - g_kernel.p->thread.item);
  next.run = kernel::Run::ready;
}

/// The next thread that can run, whatever has to happen for one to be found.
kernel::Thread& somebody() {
  for (;;) {
    if (kernel::Thread* next = kernel::next_ready(g_kernel)) return *next;
    hand_over(g_kernel.p->pump > 0 ? LAB_STATE_MORE : LAB_STATE_BLOCKED);
  }
}

}  // namespace

extern "C" __attribute__((noinline, used)) void lab_debug_stop() {
  asm volatile("" ::: "memory");
}

void hand_over(lab_state state) {
  lab_control& c = *g_kernel.control;
  c.state = state;
  c.deadline_ns = kernel::next_deadline(g_kernel);
  if (state == LAB_STATE_MORE && c.outbox_size == 0) c.state = LAB_STATE_BLOCKED;
  give_turn();
  if (c.stop.kind != LAB_STOP_NONE) stop_here();
  c.state = LAB_STATE_RUNNING;
  kernel::take_inbox(g_kernel);
  kernel::pump_all(g_kernel);
  if ((c.flags & LAB_FLAG_DEBUG_STOP) != 0) {
    c.flags &= ~static_cast<u32>(LAB_FLAG_DEBUG_STOP);
    lab_debug_stop();
  }
  if (c.stop.kind != LAB_STOP_NONE) stop_here();
}

void suspend(kernel::Thread& t) {
  t.run = kernel::Run::blocked;
  kernel::Thread& next = somebody();
  if (&next != &t) {
    make_current(next);
    lab_switch(&next.baton, &t.baton, kPrivate);
  }
  t.run = kernel::Run::ready;
}

void leave_turn(kernel::Thread& t) {
  (void)t;
  kernel::Thread& next = somebody();
  make_current(next);
  wake_word(&next.baton, kPrivate);
}

void wait_for_baton(kernel::Thread& t) {
  wait_word(&t.baton, kPrivate);
}

void finish_process() {
  kernel::Kernel& k = g_kernel;
  while (!kernel::drained(k))
    hand_over(k.p->pump > 0 ? LAB_STATE_MORE : LAB_STATE_LINGER);
  k.control->state = LAB_STATE_EXITED;
  lab_control& c = *k.control;
  c.deadline_ns = LAB_NEVER;
  give_turn();
  for (;;)
    sys(nr::k_exit_group, 0);
}

void stop_here() {
  lab_control& c = *g_kernel.control;
  c.state = LAB_STATE_STOPPED;
  c.deadline_ns = LAB_NEVER;
  for (;;) {
    give_turn();
    c.state = LAB_STATE_STOPPED;
  }
}

}  // namespace lab::shim
