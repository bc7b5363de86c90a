// SPDX-License-Identifier: Apache-2.0
// Signals as the program sees them. They come from the lab (stop), from the program itself (kill,
// raise, SIGPIPE, SIGALRM), never from the real kernel; they are delivered when a call returns or
// is interrupted, at a virtual instant. The real mask never holds SIGSYS or SIGSEGV.
#include "harness/kernel/internal.h"
#include "harness/kernel/numbers.h"

namespace lab::kernel {
namespace {

constexpr u64 bit(int signal) {
  return u64{1} << (signal - 1);
}
constexpr u64 kUnblockable = bit(lx::kSigkill) | bit(lx::kSigstop);
constexpr u64 kIgnoredByDefault = bit(lx::kSigchld) | bit(lx::kSigcont) | bit(lx::kSigurg) |
                                  bit(lx::kSigwinch) | bit(lx::kSigtstp) | bit(lx::kSigttin) |
                                  bit(lx::kSigttou) | bit(lx::kSigstop);

bool ignored(const Process& p, int signal) {
  const u64 handler = p.action[signal].handler;
  return handler == 1 || (handler == 0 && (kIgnoredByDefault & bit(signal)) != 0);
}

/// A blocked signal stays pending also where it would be ignored: sigwait and signalfd take it.
bool anybody_blocks(const Kernel& k, int signal) {
  for (u32 i = 0; i < k.p->thread.high; ++i)
    if (k.p->thread[i].used && (k.p->thread[i].mask & bit(signal)) != 0) return true;
  return false;
}

long send_self(Kernel& k, Thread& t, long signal, Thread* target) {
  if (signal < 0 || signal > 64) return -lx::kEinval;
  if (signal == 0) return 0;
  (void)t;
  if (target == nullptr) {
    raise_signal(k, static_cast<int>(signal));
  } else if (!ignored(*k.p, static_cast<int>(signal)) ||
             (target->mask & bit(static_cast<int>(signal)))) {
    target->pending |= bit(static_cast<int>(signal));
  }
  return 0;
}

Thread* thread_of(Kernel& k, long tid) {
  for (u32 i = 0; i < k.p->thread.high; ++i)
    if (k.p->thread[i].used && k.p->thread[i].run != Run::exited && k.p->thread[i].tid == tid)
      return &k.p->thread[i];
  return nullptr;
}

long call_action(Kernel& k, Thread& t) {
  const long signal = t.args[0];
  if (signal < 1 || signal > 64) return -lx::kEinval;
  const lx::Sigaction* next = reinterpret_cast<const lx::Sigaction*>(t.args[1]);
  lx::Sigaction* old = reinterpret_cast<lx::Sigaction*>(t.args[2]);
  if (next != nullptr && (kUnblockable & bit(static_cast<int>(signal))) != 0) return -lx::kEinval;
  if (old != nullptr) *old = k.p->action[signal];
  if (next != nullptr) {
    k.p->action[signal] = *next;
    if (ignored(*k.p, static_cast<int>(signal))) k.p->pending &= ~bit(static_cast<int>(signal));
  }
  return 0;
}

long call_mask(Thread& t) {
  const u64* set = reinterpret_cast<const u64*>(t.args[1]);
  u64* old = reinterpret_cast<u64*>(t.args[2]);
  const u64 before = t.mask;
  if (set != nullptr) {
    const u64 value = *set & ~kUnblockable;
    switch (t.args[0]) {
      case 0:
        t.mask |= value;
        break;
      case 1:
        t.mask &= ~value;
        break;
      case 2:
        t.mask = value;
        break;
      default:
        return -lx::kEinval;
    }
  }
  if (old != nullptr) *old = before;
  return 0;
}

long call_alt_stack(Thread& t) {
  const lx::Stack* next = reinterpret_cast<const lx::Stack*>(t.args[0]);
  lx::Stack* old = reinterpret_cast<lx::Stack*>(t.args[1]);
  if (old != nullptr) *old = t.alt;
  if (next != nullptr) t.alt = *next;
  return 0;
}

long call_timed_wait(Kernel& k, Thread& t) {
  const u64 set = *reinterpret_cast<const u64*>(t.args[0]);
  u8* info = reinterpret_cast<u8*>(t.args[1]);
  const lx::Timespec* ts = reinterpret_cast<const lx::Timespec*>(t.args[2]);
  for (int signal = 1; signal <= 64; ++signal) {
    if (((k.p->pending | t.pending) & set & bit(signal)) == 0) continue;
    k.p->pending &= ~bit(signal);
    t.pending &= ~bit(signal);
    if (info != nullptr) {
      zero(info, sizeof(lx::Siginfo));
      copy(info, &signal, sizeof(signal));
    }
    return signal;
  }
  if (timed_out(k, t)) return -lx::kEagain;
  t.wait.mask = 1;  // signal_waits looks at the set
  return wait_for(k, t, WaitKind::signals,
                  ts ? deadline_in(k, ts->sec * 1'000'000'000 + ts->nsec) : LAB_NEVER);
}

}  // namespace

void raise_signal(Kernel& k, int signal) {
  Process& p = *k.p;
  if (signal < 1 || signal > 64) return;
  if (ignored(p, signal) && !anybody_blocks(k, signal)) return;
  p.pending |= bit(signal);
  check_signal_fds(k);
}

bool signal_waits(const Kernel& k, const Thread& t) {
  u64 open = ~t.mask;
  if (t.wait.kind == WaitKind::signals && t.call == nr::k_rt_sigtimedwait)
    open |= *reinterpret_cast<const u64*>(t.args[0]);
  return ((k.p->pending | t.pending) & open) != 0;
}

bool take_signal(Kernel& k, Thread& t, Handler* out) {
  Process& p = *k.p;
  while (!p.exiting) {
    const u64 open = (p.pending | t.pending) & ~t.mask;
    if (open == 0) return false;
    const int signal = __builtin_ctzll(open) + 1;
    const bool directed = (t.pending & bit(signal)) != 0;  // at this thread: tkill, pthread_kill
    (directed ? t.pending : p.pending) &= ~bit(signal);
    if (ignored(p, signal)) continue;
    constexpr i32 user = 0, kernel = 0x80, tkill = -6;
    out->signal = signal;
    out->code = directed ? tkill : signal == lx::kSigalrm ? kernel : user;
    out->pid = out->code == kernel ? 0 : k.control->pid;
    out->action = p.action[signal];
    if (out->action.handler == 0) {
      end_process(k, signal);
      return true;
    }
    if ((out->action.flags & lx::kSaResethand) != 0) p.action[signal].handler = 0;
    return true;
  }
  return false;
}

bool restarts(long call) {
  switch (call) {
    case nr::k_read:
    case nr::k_readv:
    case nr::k_write:
    case nr::k_writev:
    case nr::k_recvfrom:
    case nr::k_recvmsg:
    case nr::k_sendto:
    case nr::k_sendmsg:
    case nr::k_accept:
    case nr::k_accept4:
    case nr::k_connect:
    case nr::k_futex:
    case nr::k_fcntl:
    case nr::k_flock:
      return true;
    default:
      return false;
  }
}

long call_signals(Kernel& k, Thread& t, bool* mine) {
  switch (t.call) {
    case nr::k_rt_sigaction:
      return call_action(k, t);
    case nr::k_rt_sigprocmask:
      return call_mask(t);
    case nr::k_rt_sigpending:
      *reinterpret_cast<u64*>(t.args[0]) = (k.p->pending | t.pending) & t.mask;
      return 0;
    case nr::k_sigaltstack:
      return call_alt_stack(t);
    case nr::k_rt_sigtimedwait:
      return call_timed_wait(k, t);
    case nr::k_rt_sigsuspend:
      if (first_try(t)) {
        t.saved_mask = t.mask;
        t.mask_saved = true;
        t.mask = *reinterpret_cast<const u64*>(t.args[0]) & ~kUnblockable;
      }
      return wait_for(k, t, WaitKind::signals);
    case nr::k_pause:
      return wait_for(k, t, WaitKind::signals);
    case nr::k_kill:
      if (t.args[0] != k.control->pid && t.args[0] != 0) return -lx::kEsrch;
      return send_self(k, t, t.args[1], nullptr);
    case nr::k_tkill:
    case nr::k_tgkill: {
      const bool group = t.call == nr::k_tgkill;
      Thread* target = thread_of(k, t.args[group ? 1 : 0]);
      if (target == nullptr || (group && t.args[0] != k.control->pid)) return -lx::kEsrch;
      return send_self(k, t, t.args[group ? 2 : 1], target);
    }
    default:
      *mine = false;
      return 0;
  }
}

}  // namespace lab::kernel
