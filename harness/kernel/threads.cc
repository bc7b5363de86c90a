// SPDX-License-Identifier: Apache-2.0
// Threads as the program sees them: the run queue (round robin among the ready, one at a time),
// futexes in the order of arrival, and what glibc asks when it starts and ends a thread. Making a
// real thread is the shim's business (clone comes back as kNative).
#include "harness/kernel/internal.h"
#include "harness/kernel/numbers.h"

namespace lab::kernel {

Thread& current(Kernel& k) {
  return k.p->thread[k.p->current];
}

Thread* add_thread(Kernel& k) {
  const i32 i = k.p->thread.take();
  if (i < 0) return nullptr;
  Thread& t = k.p->thread[static_cast<u32>(i)];
  t.tid = k.p->next_tid++;
  t.run = Run::ready;
  t.wait.deadline = LAB_NEVER;
  t.call = -1;
  t.alt.flags = lx::kSsDisable;
  ++k.p->threads_live;
  return &t;
}

void end_thread(Kernel& k, Thread& t) {
  t.run = Run::exited;
  --k.p->threads_live;
  if (t.clear_tid != 0) {
    *reinterpret_cast<u32*>(t.clear_tid) = 0;
    futex_wake_address(k, t.clear_tid, 1, UINT32_MAX);
  }
  k.p->thread.give(static_cast<u32>(&t - k.p->thread.item));
  if (k.p->threads_live == 0) end_process(k, static_cast<int>(t.args[0] & 0xff) << 8);
}

Thread* next_ready(Kernel& k) {
  Process& p = *k.p;
  for (u32 step = 1; step <= p.thread.high; ++step) {
    const u32 i = (p.current + step) % p.thread.high;
    if (p.thread[i].used && ready(k, p.thread[i])) return &p.thread[i];
  }
  return nullptr;
}

void futex_wake_address(Kernel& k, u64 address, u32 n, u32 bitset) {
  Process& p = *k.p;
  while (n > 0) {
    Thread* first = nullptr;
    for (u32 i = 0; i < p.thread.high; ++i) {
      Thread& t = p.thread[i];
      if (!t.used || t.futex_address != address || t.futex_woken) continue;
      if ((t.futex_bitset & bitset) == 0) continue;
      if (first == nullptr || t.futex_seq < first->futex_seq) first = &t;
    }
    if (first == nullptr) return;
    first->futex_woken = true;
    --n;
  }
}

namespace {

u32 wake(Kernel& k, u64 address, u32 n, u32 bitset) {
  u32 before = 0, after = 0;
  const auto waiting = [&] {
    u32 count = 0;
    for (u32 i = 0; i < k.p->thread.high; ++i) {
      const Thread& t = k.p->thread[i];
      count += t.used && t.futex_address == address && !t.futex_woken ? 1 : 0;
    }
    return count;
  };
  before = waiting();
  futex_wake_address(k, address, n, bitset);
  after = waiting();
  return before - after;
}

long futex_wait(Kernel& k, Thread& t, u32 bitset, i64 deadline) {
  const u64 address = static_cast<u64>(t.args[0]);
  if (first_try(t)) {
    if (*reinterpret_cast<volatile u32*>(address) != static_cast<u32>(t.args[2]))
      return -lx::kEagain;
    if (bitset == 0) return -lx::kEinval;
    t.futex_address = address;
    t.futex_bitset = bitset;
    t.futex_woken = false;
    t.futex_seq = ++k.p->futex_seq;
    if (deadline > k.control->now_ns) return wait_for(k, t, WaitKind::futex, deadline);
    t.futex_address = 0;
    return -lx::kEtimedout;
  }
  if (!t.futex_woken && !timed_out(k, t)) return wait_for(k, t, WaitKind::futex);
  const bool woken = t.futex_woken;
  t.futex_address = 0;
  t.futex_woken = false;
  return woken ? 0 : -lx::kEtimedout;
}

/// FUTEX_WAIT counts from now on the monotonic clock; WAIT_BITSET names a time of either clock.
i64 futex_deadline(const Kernel& k, const lx::Timespec* ts, bool absolute, bool realtime) {
  if (ts == nullptr) return LAB_NEVER;
  const i64 ns = ts->sec > 1'000'000'000'000 ? LAB_NEVER : ts->sec * 1'000'000'000 + ts->nsec;
  if (!absolute) return deadline_in(k, ns);
  if (ns == LAB_NEVER) return ns;
  const i64 shift = realtime ? k.control->wall_epoch_ns + k.control->clock_offset_ns : 0;
  return lab_from_local(k, most<i64>(ns - shift, 0));
}

long requeue(Kernel& k, u64 from, u64 to, u32 wakes, u32 moves) {
  long count = wake(k, from, wakes, UINT32_MAX);
  Process& p = *k.p;
  for (; moves > 0; --moves) {
    Thread* first = nullptr;
    for (u32 i = 0; i < p.thread.high; ++i) {
      Thread& t = p.thread[i];
      if (t.used && t.futex_address == from && !t.futex_woken &&
          (first == nullptr || t.futex_seq < first->futex_seq))
        first = &t;
    }
    if (first == nullptr) break;
    first->futex_address = to;
    ++count;
  }
  return count;
}

long wake_op(Kernel& k, Thread& t) {
  u32* word = reinterpret_cast<u32*>(t.args[4]);
  const u32 code = static_cast<u32>(t.args[5]);
  u32 operand = code >> 12 & 0xfff;
  const u32 compare = code & 0xfff, old = *word;
  if ((code >> 31) != 0) operand = 1u << (operand & 31);
  switch (code >> 28 & 7) {
    case 0:
      *word = operand;
      break;
    case 1:
      *word = old + operand;
      break;
    case 2:
      *word = old | operand;
      break;
    case 3:
      *word = old & ~operand;
      break;
    case 4:
      *word = old ^ operand;
      break;
    default:
      return -lx::kEnosys;
  }
  const i32 a = static_cast<i32>(old), b = static_cast<i32>(compare);
  const bool tests[] = {a == b, a != b, a<b, a <= b, a> b, a >= b};
  const u32 test = code >> 24 & 15;
  if (test > 5) return -lx::kEnosys;
  long count = wake(k, static_cast<u64>(t.args[0]), static_cast<u32>(t.args[2]), UINT32_MAX);
  if (tests[test])
    count += wake(k, static_cast<u64>(t.args[4]), static_cast<u32>(t.args[3]), UINT32_MAX);
  return count;
}

long call_futex(Kernel& k, Thread& t) {
  const u64 address = static_cast<u64>(t.args[0]);
  const u32 value = static_cast<u32>(t.args[2]);
  const bool realtime = (t.args[1] & 256) != 0;
  const lx::Timespec* ts = reinterpret_cast<const lx::Timespec*>(t.args[3]);
  switch (t.args[1] & 127) {
    case 0:
      return futex_wait(k, t, UINT32_MAX, futex_deadline(k, ts, false, realtime));
    case 9:
      return futex_wait(k, t, static_cast<u32>(t.args[5]), futex_deadline(k, ts, true, realtime));
    case 1:
      return wake(k, address, value, UINT32_MAX);
    case 10:
      return wake(k, address, value, static_cast<u32>(t.args[5]));
    case 4:
      if (*reinterpret_cast<u32*>(address) != static_cast<u32>(t.args[5])) return -lx::kEagain;
      [[fallthrough]];
    case 3:
      return requeue(k, address, static_cast<u64>(t.args[4]), value, static_cast<u32>(t.args[3]));
    case 5:
      return wake_op(k, t);
    default:
      return refuse(k, t, LAB_STOP_REFUSED_CALL,
                    "priority-inheriting and other rare futex operations are not simulated");
  }
}

}  // namespace

long call_threads(Kernel& k, Thread& t, bool* mine) {
  switch (t.call) {
    case nr::k_futex:
      return call_futex(k, t);
    case nr::k_sched_yield:
      return first_try(t) ? wait_for(k, t, WaitKind::yield) : 0;
    case nr::k_clone:
    case nr::k_exit:
    case nr::k_exit_group:
    case nr::k_rt_sigreturn:
      return kNative;
    case nr::k_clone3:
    case nr::k_rseq:
      return -lx::kEnosys;
    case nr::k_set_tid_address:
      t.clear_tid = static_cast<u64>(t.args[0]);
      return t.tid;
    case nr::k_gettid:
      return t.tid;
    case nr::k_set_robust_list:
      return 0;
    case nr::k_get_robust_list:
      return refuse(k, t, LAB_STOP_REFUSED_CALL, "robust futex lists are not kept");
    case nr::k_membarrier:
      return t.args[0] == 0 ? 0 : -lx::kEinval;  // offers nothing
    default:
      *mine = false;
      return 0;
  }
}

}  // namespace lab::kernel
