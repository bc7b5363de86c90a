// SPDX-License-Identifier: Apache-2.0
// The one function behind both ways in (interposed entry points and the trap): asks the kernel
// library, waits where it says so, makes the real call where the table says pass, and delivers
// signals where Linux would, on the way out of a call.
#include "harness/kernel/internal.h"
#include "harness/kernel/numbers.h"
#include "harness/shim/shim.h"

namespace lab::shim {
namespace {

namespace nr = kernel::nr;
using kernel::Kernel;
using kernel::Thread;

/// The busy loop of a program that waits for time to pass: time passes.
void step_clock() {
  lab_control& c = *g_kernel.control;
  ++c.steps;
  Thread& t = kernel::current(g_kernel);
  const kernel::Wait kept = t.wait;
  t.wait = {};
  t.wait.kind = kernel::WaitKind::sleep;
  t.wait.since = c.now_ns;
  t.wait.deadline = c.now_ns + c.call_step_ns;
  suspend(t);
  t.wait = kept;
}

struct Frame {  // what a handler is shown beside the number
  kernel::lx::Siginfo info;
  u8 context[1024];
};

void run_handler(Thread& t, const kernel::Handler& h) {
  const Thread kept = t;
  const u64 own = (h.action.flags & kernel::lx::kSaNodefer) != 0 ? 0 : u64{1} << (h.signal - 1);
  t.mask |= h.action.mask | own;
  t.futex_address = 0;
  Frame frame;
  kernel::zero(&frame, sizeof(frame));
  frame.info.signo = h.signal;
  frame.info.code = h.code;
  frame.info.pid = h.pid;
  frame.info.uid = h.pid == 0 ? 0 : kernel::kUser;
  const auto handler = reinterpret_cast<void (*)(int, void*, void*)>(h.action.handler);
  handler(h.signal, &frame.info, frame.context);
  t.mask = kept.mask;
  t.call = kept.call;
  kernel::copy(t.args, kept.args, sizeof(t.args));
  t.wait = kept.wait;
  t.futex_address = kept.futex_address;
}

/// Runs every handler that is due. True if one ran; `restart`: all of them want calls restarted.
bool deliver_signals(Thread& t, bool* restart) {
  bool ran = false;
  kernel::Handler h;
  *restart = true;
  while (kernel::take_signal(g_kernel, t, &h)) {
    if (g_kernel.p->exiting) finish_process();
    run_handler(t, h);
    *restart = *restart && (h.action.flags & kernel::lx::kSaRestart) != 0;
    ran = true;
  }
  return ran;
}

void restore_mask(Thread& t) {
  if (!t.mask_saved) return;
  t.mask_saved = false;
  t.mask = t.saved_mask;
}

long make_real_call(Thread& t, const Registers* registers) {
  const long* a = t.args;
  switch (t.call) {
    case nr::k_clone:
      return clone_thread(t, registers);
    case nr::k_exit:
      exit_thread(t);
    case nr::k_exit_group:
      kernel::end_process(g_kernel, static_cast<int>(a[0] & 0xff) << 8);
      finish_process();
    case nr::k_rt_sigreturn:
      return kernel::refuse(g_kernel, t, LAB_STOP_INTERNAL, "rt_sigreturn of a frame never made");
    default:
      return sys(t.call, a[0], a[1], a[2], a[3], a[4], a[5]);
  }
}

long run_call(Thread& t, long number, const long* args, const Registers* registers) {
  Kernel& k = g_kernel;
  long result = kernel::begin_call(k, t, number, args);
  for (;;) {
    switch (result) {
      case kernel::kFlush:
        hand_over(LAB_STATE_MORE);
        result = kernel::begin_call(k, t, number, args);
        continue;
      case kernel::kNative:
        result = make_real_call(t, registers);
        if (result != kernel::kRefused) return result;
        continue;
      case kernel::kRefused:
        stop_here();
      case kernel::kBlocked: {
        bool restart = false;
        if (deliver_signals(t, &restart)) {
          t.futex_address = 0;
          if (t.wait.done > 0) return static_cast<long>(t.wait.done);
          // A call with a time limit of its own is never begun again: it would have the time twice.
          if (!restart || !kernel::restarts(number) || t.wait.deadline != LAB_NEVER)
            return -kernel::lx::kEintr;
          result = kernel::begin_call(k, t, number, args);
          continue;
        }
        suspend(t);
        result = kernel::retry_call(k, t);
        continue;
      }
      default:
        return result;
    }
  }
}

}  // namespace

long serve(long number, const long* args, const Registers* registers) {
  Kernel& k = g_kernel;
  Thread& t = kernel::current(k);
  if (kernel::count_call(k, number)) step_clock();
  const long result = run_call(t, number, args, registers);
  if (k.control->stop.kind != LAB_STOP_NONE) stop_here();
  if (k.p->exiting) finish_process();
  bool restart = false;
  if (((k.p->pending | t.pending) & ~t.mask) != 0) deliver_signals(t, &restart);
  restore_mask(t);
  return result;
}

}  // namespace lab::shim
