// SPDX-License-Identifier: Apache-2.0
// What waits for a time: timerfd, the sleeps, alarm and setitimer; and reading the clocks.
#include "harness/kernel/internal.h"
#include "harness/kernel/numbers.h"

namespace lab::kernel {
namespace {

constexpr i64 kSecond = 1'000'000'000;

enum Clock : long {
  kRealtime = 0,
  kMonotonic = 1,
  kRealtimeCoarse = 5,
  kRealtimeAlarm = 8,
  kTai = 11
};

bool is_realtime(long clock) {
  return clock == kRealtime || clock == kRealtimeCoarse || clock == kRealtimeAlarm || clock == kTai;
}
bool is_clock(long clock) {
  // Also the CPU-time clocks of this process and thread (small negative numbers): they run with the
  // monotonic clock, since a program is never preempted here.
  return (clock >= 0 && clock <= 11 && clock != 10) || clock < 0;
}
i64 read_clock(const Kernel& k, long clock) {
  return is_realtime(clock) ? realtime_now(k) : monotonic_now(k);
}
lx::Timespec timespec(i64 ns) {
  return {ns / kSecond, ns % kSecond};
}
bool valid(const lx::Timespec& t) {
  return t.sec >= 0 && t.nsec >= 0 && t.nsec < kSecond;
}
i64 to_ns(const lx::Timespec& t) {
  return t.sec > LAB_NEVER / kSecond - 1 ? LAB_NEVER : t.sec * kSecond + t.nsec;
}
/// An absolute time of a clock as a time of the monotonic clock.
i64 as_monotonic(const Kernel& k, long clock, i64 absolute) {
  if (absolute == LAB_NEVER || !is_realtime(clock)) return absolute;
  return most<i64>(absolute - k.control->wall_epoch_ns - k.control->clock_offset_ns, 0);
}

long call_sleep(Kernel& k, Thread& t, long clock, bool absolute, const lx::Timespec* request,
                lx::Timespec* rest) {
  if (request == nullptr) return -lx::kEfault;
  if (!valid(*request) || !is_clock(clock)) return -lx::kEinval;
  if (timed_out(k, t)) return 0;
  if (first_try(t)) {
    const i64 ns = to_ns(*request);
    const i64 deadline =
        absolute ? lab_from_local(k, as_monotonic(k, clock, ns)) : deadline_in(k, ns);
    if (deadline <= k.control->now_ns) return 0;
    return wait_for(k, t, WaitKind::sleep, deadline);
  }
  if (rest != nullptr && !absolute)
    *rest = timespec(t.wait.deadline - k.control->now_ns);  // in case a signal ends it
  return wait_for(k, t, WaitKind::sleep);
}

void set_expiry(Kernel& k, Timer& timer, i64 local) {
  const bool was = timer.expires != LAB_NEVER;
  timer.local = local;
  timer.expires =
      local == LAB_NEVER
          ? LAB_NEVER
          : lab_from_local(k, as_monotonic(k, timer.realtime ? kRealtime : kMonotonic, local));
  const bool is = timer.expires != LAB_NEVER;
  k.p->timers_armed += (is ? 1u : 0u) - (was ? 1u : 0u);
}

void expire(Kernel& k, Timer& timer) {
  const i64 now = read_clock(k, timer.realtime ? kRealtime : kMonotonic);
  u64 times = 1;
  if (timer.interval > 0) {
    times += static_cast<u64>(most<i64>(now - timer.local, 0) / timer.interval);
    set_expiry(k, timer, timer.local + static_cast<i64>(times) * timer.interval);
  } else {
    set_expiry(k, timer, LAB_NEVER);
  }
  timer.expirations += times;
  if (timer.open1 != 0) notify(k, timer.open1 - 1, lx::kIn);
}

long timer_create(Kernel& k, Thread& t) {
  const long clock = t.args[0], flags = t.args[1];
  if (clock != kRealtime && clock != kMonotonic && clock != 7) return -lx::kEinval;
  if ((flags & ~(lx::kCloexec | lx::kNonblock)) != 0) return -lx::kEinval;
  const i32 timer = k.p->timer.take();
  if (timer < 0) return -lx::kEmfile;
  Timer& made = k.p->timer[static_cast<u32>(timer)];
  made.realtime = is_realtime(clock);
  made.expires = LAB_NEVER;
  const i32 open = new_open(k, Kind::timer, static_cast<u32>(timer),
                            lx::kRdWr | static_cast<u32>(flags & lx::kNonblock));
  if (open < 0) return -lx::kEnfile;
  made.open1 = static_cast<u32>(open) + 1;
  return install(k, static_cast<u32>(open), (flags & lx::kCloexec) != 0);
}

lx::Itimerspec remaining(const Kernel& k, const Timer& timer) {
  if (timer.expires == LAB_NEVER) return {timespec(timer.interval), {0, 0}};
  const i64 left = timer.local - read_clock(k, timer.realtime ? kRealtime : kMonotonic);
  return {timespec(timer.interval), timespec(most<i64>(left, 1))};
}

long timer_set(Kernel& k, Thread& t) {
  Open* o = open_of(k, static_cast<int>(t.args[0]));
  if (o == nullptr) return -lx::kEbadf;
  if (o->kind != Kind::timer) return -lx::kEinval;
  const lx::Itimerspec* next = reinterpret_cast<const lx::Itimerspec*>(t.args[2]);
  lx::Itimerspec* old = reinterpret_cast<lx::Itimerspec*>(t.args[3]);
  if (next == nullptr) return -lx::kEfault;
  constexpr long absolute = 1, cancel_on_set = 2;
  if ((t.args[1] & ~(absolute | cancel_on_set)) != 0) return -lx::kEinval;
  if (!valid(next->value) || !valid(next->interval)) return -lx::kEinval;
  Timer& timer = k.p->timer[o->object];
  if (old != nullptr) *old = remaining(k, timer);
  timer.expirations = 0;
  timer.interval = to_ns(next->interval);
  i64 local = to_ns(next->value);
  const i64 now = read_clock(k, timer.realtime ? kRealtime : kMonotonic);
  if (local == 0)
    local = LAB_NEVER;
  else if ((t.args[1] & absolute) == 0)
    local = local > LAB_NEVER - now ? LAB_NEVER : now + local;
  set_expiry(k, timer, local);
  if (timer.expires <= k.control->now_ns) expire(k, timer);
  return 0;
}

long timer_get(Kernel& k, Thread& t) {
  Open* o = open_of(k, static_cast<int>(t.args[0]));
  if (o == nullptr) return -lx::kEbadf;
  if (o->kind != Kind::timer) return -lx::kEinval;
  *reinterpret_cast<lx::Itimerspec*>(t.args[1]) = remaining(k, k.p->timer[o->object]);
  return 0;
}

/// The real interval timer, alarm(2) and setitimer(ITIMER_REAL): SIGALRM. Returns what was left.
i64 set_alarm(Kernel& k, i64 ns, i64 interval) {
  Process& p = *k.p;
  const i64 left = p.alarm_at == LAB_NEVER ? 0 : most<i64>(p.alarm_at - k.control->now_ns, 1);
  p.alarm_at = ns == 0 ? LAB_NEVER : deadline_in(k, ns);
  p.alarm_interval = interval;
  return left;
}

long call_setitimer(Kernel& k, Thread& t) {
  if (t.args[0] != 0)
    return refuse(k, t, LAB_STOP_REFUSED_CALL, "only ITIMER_REAL: there is no CPU time here");
  const auto in = [](const lx::Timeval& tv) { return tv.sec * kSecond + tv.usec * 1000; };
  const lx::Itimerval* next = reinterpret_cast<const lx::Itimerval*>(t.args[1]);
  lx::Itimerval* old = reinterpret_cast<lx::Itimerval*>(t.args[2]);
  const i64 interval = k.p->alarm_interval;
  const i64 left = set_alarm(k, next ? in(next->value) : 0, next ? in(next->interval) : 0);
  if (old != nullptr)
    *old = {{interval / kSecond, interval % kSecond / 1000},
            {left / kSecond, left % kSecond / 1000}};
  return 0;
}

}  // namespace

long timer_read(Kernel& k, Thread& t, u32 open, const lx::Iovec* iov, u64 n) {
  Open& o = k.p->open[open];
  Timer& timer = k.p->timer[o.object];
  if (total(iov, n) < 8) return -lx::kEinval;
  if (timer.expirations == 0)
    return nonblocking(o) ? -lx::kEagain : wait_for_open(k, t, open, lx::kIn);
  scatter(iov, n, 0, reinterpret_cast<const u8*>(&timer.expirations), 8);
  timer.expirations = 0;
  return 8;
}

void timers_advance(Kernel& k) {
  Process& p = *k.p;
  const i64 now = k.control->now_ns;
  if (p.timers_armed > 0) {
    const bool stepped = p.seen_offset != k.control->clock_offset_ns;
    for (u32 i = 0; i < p.timer.high; ++i) {
      Timer& timer = p.timer[i];
      if (!timer.used || timer.expires == LAB_NEVER) continue;
      if (stepped && timer.realtime) set_expiry(k, timer, timer.local);
      if (timer.expires <= now) expire(k, timer);
    }
  }
  p.seen_offset = k.control->clock_offset_ns;
  if (p.alarm_at <= now) {
    p.alarm_at = p.alarm_interval > 0 ? deadline_in(k, p.alarm_interval) : LAB_NEVER;
    raise_signal(k, lx::kSigalrm);
  }
}

i64 timers_deadline(const Kernel& k) {
  const Process& p = *k.p;
  i64 best = p.alarm_at;
  u32 left = p.timers_armed;
  for (u32 i = 0; left > 0 && i < p.timer.high; ++i) {
    const Timer& timer = p.timer[i];
    if (!timer.used || timer.expires == LAB_NEVER) continue;
    best = least(best, timer.expires);
    --left;
  }
  return best;
}

long call_timers(Kernel& k, Thread& t, bool* mine) {
  lx::Timespec* out = reinterpret_cast<lx::Timespec*>(t.args[1]);
  switch (t.call) {
    case nr::k_clock_gettime:
      if (!is_clock(t.args[0])) return -lx::kEinval;
      if (out == nullptr) return -lx::kEfault;
      *out = timespec(read_clock(k, t.args[0]));
      return 0;
    case nr::k_clock_getres:
      if (!is_clock(t.args[0])) return -lx::kEinval;
      if (out != nullptr) *out = {0, 1};
      return 0;
    case nr::k_gettimeofday: {
      const i64 now = realtime_now(k);
      if (t.args[0] != 0)
        *reinterpret_cast<lx::Timeval*>(t.args[0]) = {now / kSecond, now % kSecond / 1000};
      if (t.args[1] != 0) zero(reinterpret_cast<void*>(t.args[1]), 8);
      return 0;
    }
    case nr::k_time: {
      const i64 now = realtime_now(k) / kSecond;
      if (t.args[0] != 0) *reinterpret_cast<i64*>(t.args[0]) = now;
      return now;
    }
    case nr::k_nanosleep:
      return call_sleep(k, t, kMonotonic, false, reinterpret_cast<const lx::Timespec*>(t.args[0]),
                        out);
    case nr::k_clock_nanosleep:
      return call_sleep(k, t, t.args[0], (t.args[1] & 1) != 0,
                        reinterpret_cast<const lx::Timespec*>(t.args[2]),
                        reinterpret_cast<lx::Timespec*>(t.args[3]));
    case nr::k_timerfd_create:
      return timer_create(k, t);
    case nr::k_timerfd_settime:
      return timer_set(k, t);
    case nr::k_timerfd_gettime:
      return timer_get(k, t);
    case nr::k_alarm:
      return (set_alarm(k, static_cast<i64>(static_cast<u32>(t.args[0])) * kSecond, 0) + kSecond -
              1) /
             kSecond;
    case nr::k_setitimer:
      return call_setitimer(k, t);
    case nr::k_getitimer:
      return refuse(k, t, LAB_STOP_REFUSED_CALL, "getitimer is not simulated");
    default:
      *mine = false;
      return 0;
  }
}

}  // namespace lab::kernel
