// SPDX-License-Identifier: Apache-2.0
// poll, ppoll, select and pselect6: readiness asked of each descriptor, in the caller's memory.
#include "harness/kernel/internal.h"
#include "harness/kernel/numbers.h"

namespace lab::kernel {
namespace {

constexpr u32 kSelectRead = lx::kRdnorm | lx::kRdband | lx::kIn | lx::kHup | lx::kErr;
constexpr u32 kSelectWrite = lx::kWrband | lx::kWrnorm | lx::kOut | lx::kErr;

u32 revents(Kernel& k, const lx::PollFd& f) {
  if (f.fd < 0) return 0;
  const Open* o = open_of(k, f.fd);
  if (o == nullptr) return lx::kNval;
  return poll_mask(k, index_of(k, o)) & (static_cast<u16>(f.events) | lx::kErr | lx::kHup);
}

long poll_now(Kernel& k, lx::PollFd* fds, u64 n, bool write) {
  long count = 0;
  for (u64 i = 0; i < n; ++i) {
    const u32 r = revents(k, fds[i]);
    if (write) fds[i].revents = static_cast<int16_t>(r);
    if (r != 0) ++count;
  }
  return count;
}

struct Sets {
  u64* in;
  u64* out;
  u64* except;
};

bool has(const u64* set, u32 fd) {
  return set != nullptr && (set[fd / 64] >> (fd % 64) & 1) != 0;
}

/// Counts ready descriptors; -EBADF for one that is not open. With `result`, writes there.
long select_now(Kernel& k, u32 n, const Sets& sets, u64 (*result)[3]) {
  long count = 0;
  for (u32 fd = 0; fd < n; ++fd) {
    const bool in = has(sets.in, fd), out = has(sets.out, fd), except = has(sets.except, fd);
    if (!in && !out && !except) continue;
    const Open* o = open_of(k, static_cast<int>(fd));
    if (o == nullptr) return -lx::kEbadf;
    const u32 mask = poll_mask(k, index_of(k, o));
    const bool hit[3] = {in && (mask & kSelectRead) != 0, out && (mask & kSelectWrite) != 0,
                         except && (mask & lx::kPri) != 0};
    for (int s = 0; s < 3; ++s) {
      if (!hit[s]) continue;
      ++count;
      if (result != nullptr) result[fd / 64][s] |= u64{1} << (fd % 64);
    }
  }
  return count;
}

Sets sets_of(const Thread& t) {
  return {reinterpret_cast<u64*>(t.args[1]), reinterpret_cast<u64*>(t.args[2]),
          reinterpret_cast<u64*>(t.args[3])};
}

long call_select(Kernel& k, Thread& t, i64 timeout_ns) {
  constexpr u32 max = 1024;
  const u32 n = static_cast<u32>(t.args[0]);
  if (n > max) return -lx::kEinval;
  const Sets sets = sets_of(t);
  u64 result[max / 64][3] = {};
  const long count = select_now(k, n, sets, result);
  if (count == 0 && timeout_ns != 0 && !timed_out(k, t))
    return wait_for(k, t, WaitKind::select, deadline_in(k, timeout_ns));
  if (count < 0) return count;
  u64* const out[3] = {sets.in, sets.out, sets.except};
  for (int s = 0; s < 3; ++s)
    for (u32 w = 0; out[s] != nullptr && w * 64 < n; ++w)
      out[s][w] = result[w][s];
  return count;
}

long call_poll_for(Kernel& k, Thread& t, i64 timeout_ns) {
  lx::PollFd* fds = reinterpret_cast<lx::PollFd*>(t.args[0]);
  const u64 n = static_cast<u64>(t.args[1]);
  if (n > kMaxFds) return -lx::kEinval;
  const long count = poll_now(k, fds, n, true);
  if (count > 0 || timeout_ns == 0 || timed_out(k, t)) return count;
  return wait_for(k, t, WaitKind::poll, deadline_in(k, timeout_ns));
}

void swap_mask(Thread& t, const u64* mask) {
  if (mask == nullptr || !first_try(t)) return;
  t.saved_mask = t.mask;
  t.mask_saved = true;
  t.mask = *mask;
}

bool valid(const lx::Timespec* ts) {
  return ts == nullptr || (ts->sec >= 0 && ts->nsec >= 0 && ts->nsec < 1'000'000'000);
}

i64 nanoseconds(const lx::Timespec* ts) {
  return ts == nullptr ? -1 : ts->sec * 1'000'000'000 + ts->nsec;
}

/// Linux's select leaves in the caller's memory what was left of a wait; -1: it did not wait.
i64 time_left(const Kernel& k, const Thread& t, long count) {
  if (count == kBlocked || t.wait.kind != WaitKind::select) return -1;
  return most<i64>(t.wait.deadline - k.control->now_ns, 0);
}

}  // namespace

bool poll_ready(Kernel& k, Thread& t) {
  if (t.wait.kind == WaitKind::poll)
    return poll_now(k, reinterpret_cast<lx::PollFd*>(t.args[0]), static_cast<u64>(t.args[1]),
                    false) > 0;
  return select_now(k, static_cast<u32>(t.args[0]), sets_of(t), nullptr) != 0;
}

long call_poll(Kernel& k, Thread& t, bool* mine) {
  switch (t.call) {
    case nr::k_poll: {
      const i32 ms = static_cast<i32>(t.args[2]);
      return call_poll_for(k, t, ms < 0 ? -1 : i64{ms} * 1'000'000);
    }
    case nr::k_ppoll:
      if (!valid(reinterpret_cast<const lx::Timespec*>(t.args[2]))) return -lx::kEinval;
      swap_mask(t, reinterpret_cast<const u64*>(t.args[3]));
      return call_poll_for(k, t, nanoseconds(reinterpret_cast<const lx::Timespec*>(t.args[2])));
    case nr::k_select: {
      lx::Timeval* tv = reinterpret_cast<lx::Timeval*>(t.args[4]);
      if (tv == nullptr) return call_select(k, t, -1);
      if (tv->sec < 0 || tv->usec < 0) return -lx::kEinval;
      const long count = call_select(k, t, tv->sec * 1'000'000'000 + tv->usec * 1000);
      if (const i64 left = time_left(k, t, count); left >= 0)
        *tv = {left / 1'000'000'000, left % 1'000'000'000 / 1000};
      return count;
    }
    case nr::k_pselect6: {
      if (!valid(reinterpret_cast<const lx::Timespec*>(t.args[4]))) return -lx::kEinval;
      const u64* packed = reinterpret_cast<const u64*>(t.args[5]);
      if (packed != nullptr) swap_mask(t, reinterpret_cast<const u64*>(packed[0]));
      lx::Timespec* ts = reinterpret_cast<lx::Timespec*>(t.args[4]);
      const long count = call_select(k, t, nanoseconds(ts));
      if (const i64 left = time_left(k, t, count); left >= 0 && ts != nullptr)
        *ts = {left / 1'000'000'000, left % 1'000'000'000};
      return count;
    }
    default:
      *mine = false;
      return 0;
  }
}

}  // namespace lab::kernel
