// SPDX-License-Identifier: Apache-2.0
// Pipes, stream socketpairs (two pipes, crossed), eventfd and signalfd.
//
// A pair's `object` is the pipe it reads from, its `real` member the pipe it writes to.
#include "harness/kernel/internal.h"
#include "harness/kernel/numbers.h"

namespace lab::kernel {
namespace {

constexpr u32 kAtomic = 4096;  // PIPE_BUF

Pipe& source(Kernel& k, const Open& o) {
  return k.p->pipe[o.object];
}
Pipe& sink(Kernel& k, const Open& o) {
  return k.p->pipe[o.kind == Kind::pair ? static_cast<u32>(o.real) : o.object];
}

void drop_end(Kernel& k, u32 index, bool reading) {
  Pipe& pipe = k.p->pipe[index];
  if (reading) {
    pipe.readers = 0;
    pipe.reader1 = 0;
    if (pipe.writer1 != 0) notify(k, pipe.writer1 - 1, lx::kErr | lx::kHup | lx::kOut);
  } else {
    pipe.writers = 0;
    pipe.writer1 = 0;
    if (pipe.reader1 != 0) notify(k, pipe.reader1 - 1, lx::kHup | lx::kIn | lx::kRdhup);
  }
  if (pipe.readers == 0 && pipe.writers == 0) k.p->pipe.give(index);
}

long make_pipe(Kernel& k, int* out, long flags) {
  if ((flags & ~(lx::kCloexec | lx::kNonblock)) != 0) return -lx::kEinval;
  const i32 pipe = k.p->pipe.take();
  const u32 status = static_cast<u32>(flags & lx::kNonblock);
  const i32 reader = new_open(k, Kind::pipe_read, static_cast<u32>(pipe), status);
  const i32 writer = new_open(k, Kind::pipe_write, static_cast<u32>(pipe), status | lx::kWrOnly);
  if (pipe < 0 || reader < 0 || writer < 0) return -lx::kEnfile;
  Pipe& made = k.p->pipe[static_cast<u32>(pipe)];
  made.readers = made.writers = 1;
  made.reader1 = static_cast<u32>(reader) + 1;
  made.writer1 = static_cast<u32>(writer) + 1;
  const long a = install(k, static_cast<u32>(reader), (flags & lx::kCloexec) != 0);
  const long b = install(k, static_cast<u32>(writer), (flags & lx::kCloexec) != 0);
  if (a < 0 || b < 0) return -lx::kEmfile;
  out[0] = static_cast<int>(a);
  out[1] = static_cast<int>(b);
  return 0;
}

long make_pair(Kernel& k, Thread& t) {
  const long type = t.args[1] & lx::kSockTypeMask;
  if (t.args[0] != lx::kUnix) return -lx::kEopnotsupp;
  if (type != lx::kStream)
    return refuse(k, t, LAB_STOP_REFUSED_CALL, "only stream socketpairs are simulated");
  const i32 a = k.p->pipe.take(), b = k.p->pipe.take();
  const u32 status = lx::kRdWr | static_cast<u32>(t.args[1] & lx::kNonblock);
  const i32 left = new_open(k, Kind::pair, static_cast<u32>(a), status);
  const i32 right = new_open(k, Kind::pair, static_cast<u32>(b), status);
  if (a < 0 || b < 0 || left < 0 || right < 0) return -lx::kEnfile;
  k.p->open[static_cast<u32>(left)].real = b;
  k.p->open[static_cast<u32>(right)].real = a;
  const auto join = [&](i32 pipe, i32 reader, i32 writer) {
    Pipe& made = k.p->pipe[static_cast<u32>(pipe)];
    made.readers = made.writers = 1;
    made.reader1 = static_cast<u32>(reader) + 1;
    made.writer1 = static_cast<u32>(writer) + 1;
  };
  join(a, left, right);
  join(b, right, left);
  int* out = reinterpret_cast<int*>(t.args[3]);
  const bool cloexec = (t.args[1] & lx::kCloexec) != 0;
  out[0] = static_cast<int>(install(k, static_cast<u32>(left), cloexec));
  out[1] = static_cast<int>(install(k, static_cast<u32>(right), cloexec));
  return 0;
}

long make_event(Kernel& k, u64 initial, long flags) {
  constexpr long semaphore = 1;
  if ((flags & ~(lx::kCloexec | lx::kNonblock | semaphore)) != 0) return -lx::kEinval;
  const i32 event = k.p->event.take();
  if (event < 0) return -lx::kEmfile;
  Event& made = k.p->event[static_cast<u32>(event)];
  made.count = initial;
  made.semaphore = (flags & semaphore) != 0;
  const i32 open = new_open(k, Kind::event, static_cast<u32>(event),
                            lx::kRdWr | static_cast<u32>(flags & lx::kNonblock));
  if (open < 0) return -lx::kEnfile;
  made.open1 = static_cast<u32>(open) + 1;
  return install(k, static_cast<u32>(open), (flags & lx::kCloexec) != 0);
}

long make_signal_fd(Kernel& k, int fd, const u64* mask, long flags) {
  if (fd >= 0) {
    Open* o = open_of(k, fd);
    if (o == nullptr || o->kind != Kind::signals) return o ? -lx::kEinval : -lx::kEbadf;
    k.p->signal_fd[o->object].mask = *mask;
    check_signal_fds(k);
    return fd;
  }
  const i32 made = k.p->signal_fd.take();
  if (made < 0) return -lx::kEmfile;
  const i32 open = new_open(k, Kind::signals, static_cast<u32>(made),
                            lx::kRdWr | static_cast<u32>(flags & lx::kNonblock));
  if (open < 0) return -lx::kEnfile;
  k.p->signal_fd[static_cast<u32>(made)].mask = *mask;
  k.p->signal_fd[static_cast<u32>(made)].open1 = static_cast<u32>(open) + 1;
  return install(k, static_cast<u32>(open), (flags & lx::kCloexec) != 0);
}

}  // namespace

u32 pipe_mask(Kernel& k, const Open& o) {
  u32 mask = 0;
  if (o.kind != Kind::pipe_write) {
    const Pipe& in = source(k, o);
    if (in.size > 0) mask |= lx::kIn | lx::kRdnorm;
    const bool pair = o.kind == Kind::pair;
    const bool over = in.writers == 0 || in.write_shut || in.read_shut;
    if (over && pair) mask |= lx::kIn | lx::kRdnorm | lx::kRdhup;
    if (in.writers == 0 || (pair && over && (sink(k, o).write_shut || sink(k, o).read_shut)))
      mask |= lx::kHup;
  }
  if (o.kind != Kind::pipe_read) {
    const Pipe& out = sink(k, o);
    if (out.size + kAtomic <= kPipeBytes) mask |= lx::kOut | lx::kWrnorm;
    if (out.readers == 0 && o.kind == Kind::pipe_write) mask |= lx::kErr;
  }
  return mask;
}

void pipe_closed(Kernel& k, const Open& o) {
  if (o.kind != Kind::pipe_write) drop_end(k, o.object, true);
  if (o.kind == Kind::pipe_write) drop_end(k, o.object, false);
  if (o.kind == Kind::pair) drop_end(k, static_cast<u32>(o.real), false);
}

long pair_shutdown(Kernel& k, Open& o, int how) {
  if (how < 0 || how > 2) return -lx::kEinval;
  Pipe &in = source(k, o), &out = sink(k, o);
  if (how != 1) in.read_shut = true;
  if (how != 0) out.write_shut = true;
  constexpr u32 all = lx::kIn | lx::kRdnorm | lx::kRdhup | lx::kHup | lx::kOut;
  if (in.reader1 != 0) notify(k, in.reader1 - 1, all);
  if (in.writer1 != 0) notify(k, in.writer1 - 1, all);
  return 0;
}

long pipe_read(Kernel& k, Thread& t, u32 open, const lx::Iovec* iov, u64 n, int flags) {
  Open& o = k.p->open[open];
  Pipe& pipe = source(k, o);
  const u64 want = total(iov, n);
  if (want == 0) return 0;
  if (pipe.size == 0) {
    if (pipe.writers == 0 || pipe.write_shut || pipe.read_shut) return 0;
    return nonblocking(o, flags) ? -lx::kEagain : wait_for_open(k, t, open, lx::kIn);
  }
  u8* ring = k.p->pipe_bytes[o.object];
  const u32 got = static_cast<u32>(least<u64>(want, pipe.size));
  const u32 first = least(got, kPipeBytes - pipe.head);
  scatter(iov, n, 0, ring + pipe.head, first);
  scatter(iov, n, first, ring, got - first);
  if ((flags & lx::kMsgPeek) != 0) return got;
  pipe.size -= got;
  pipe.head = pipe.size == 0 ? 0 : (pipe.head + got) % kPipeBytes;
  if (pipe.writer1 != 0) notify(k, pipe.writer1 - 1, lx::kOut | lx::kWrnorm);
  return got;
}

long pipe_write(Kernel& k, Thread& t, u32 open, const lx::Iovec* iov, u64 n, int flags) {
  Open& o = k.p->open[open];
  Pipe& pipe = sink(k, o);
  const u32 index = static_cast<u32>(&pipe - k.p->pipe.item);
  const u64 want = total(iov, n);
  if (pipe.readers == 0 || pipe.write_shut || pipe.read_shut) {
    if (t.wait.done > 0) return static_cast<long>(t.wait.done);
    if ((flags & lx::kMsgNosignal) == 0) raise_signal(k, lx::kSigpipe);
    return -lx::kEpipe;
  }
  const u64 left = want - t.wait.done;
  const u32 room = kPipeBytes - pipe.size;
  // Up to PIPE_BUF bytes go in one piece or not at all.
  if (room > 0 && (want > kAtomic || room >= left)) {
    u8* ring = k.p->pipe_bytes[index];
    const u32 moved = static_cast<u32>(least<u64>(left, room));
    const u32 at = (pipe.head + pipe.size) % kPipeBytes;
    const u32 first = least(moved, kPipeBytes - at);
    gather(iov, n, t.wait.done, ring + at, first);
    gather(iov, n, t.wait.done + first, ring, moved - first);
    pipe.size += moved;
    t.wait.done += moved;
    if (pipe.reader1 != 0) notify(k, pipe.reader1 - 1, lx::kIn | lx::kRdnorm);
  }
  if (t.wait.done == want) return static_cast<long>(want);
  if (nonblocking(o, flags)) return t.wait.done > 0 ? static_cast<long>(t.wait.done) : -lx::kEagain;
  return wait_for_open(k, t, open, lx::kOut);
}

long event_read(Kernel& k, Thread& t, u32 open, const lx::Iovec* iov, u64 n) {
  Open& o = k.p->open[open];
  Event& e = k.p->event[o.object];
  if (total(iov, n) < 8) return -lx::kEinval;
  if (e.count == 0) return nonblocking(o) ? -lx::kEagain : wait_for_open(k, t, open, lx::kIn);
  const u64 value = e.semaphore ? 1 : e.count;
  e.count -= value;
  scatter(iov, n, 0, reinterpret_cast<const u8*>(&value), 8);
  notify(k, open, lx::kOut);
  return 8;
}

long event_write(Kernel& k, Thread& t, u32 open, const lx::Iovec* iov, u64 n) {
  Open& o = k.p->open[open];
  Event& e = k.p->event[o.object];
  u64 value = 0;
  if (gather(iov, n, 0, reinterpret_cast<u8*>(&value), 8) < 8 || value == UINT64_MAX)
    return -lx::kEinval;
  if (UINT64_MAX - 1 - e.count < value)
    return nonblocking(o) ? -lx::kEagain : wait_for_open(k, t, open, lx::kOut);
  e.count += value;
  notify(k, open, lx::kIn);
  return 8;
}

u32 signal_fd_mask(Kernel& k, const Open& o) {
  const u64 waiting = k.p->pending | current(k).pending;
  return (waiting & k.p->signal_fd[o.object].mask) != 0 ? u32{lx::kIn} : 0u;
}

long signal_fd_read(Kernel& k, Thread& t, u32 open, const lx::Iovec* iov, u64 n) {
  Open& o = k.p->open[open];
  const u64 mask = k.p->signal_fd[o.object].mask;
  constexpr u64 record = 128;  // struct signalfd_siginfo
  const u64 want = total(iov, n) / record;
  if (want == 0) return -lx::kEinval;
  u64 done = 0;
  for (int signal = 1; signal <= 64 && done < want; ++signal) {
    const u64 bit = u64{1} << (signal - 1);
    if ((mask & bit) == 0 || ((k.p->pending | t.pending) & bit) == 0) continue;
    k.p->pending &= ~bit;
    t.pending &= ~bit;
    u8 info[record] = {};
    info[0] = static_cast<u8>(signal);
    scatter(iov, n, done * record, info, record);
    ++done;
  }
  if (done > 0) return static_cast<long>(done * record);
  return nonblocking(o) ? -lx::kEagain : wait_for_open(k, t, open, lx::kIn);
}

void check_signal_fds(Kernel& k) {
  for (u32 i = 0; i < k.p->signal_fd.high; ++i) {
    const SignalFd& s = k.p->signal_fd[i];
    if (s.used && s.open1 != 0 && (s.mask & k.p->pending) != 0) notify(k, s.open1 - 1, lx::kIn);
  }
}

long call_pipes(Kernel& k, Thread& t, bool* mine) {
  switch (t.call) {
    case nr::k_pipe:
      return make_pipe(k, reinterpret_cast<int*>(t.args[0]), 0);
    case nr::k_pipe2:
      return make_pipe(k, reinterpret_cast<int*>(t.args[0]), t.args[1]);
    case nr::k_socketpair:
      return make_pair(k, t);
    case nr::k_eventfd:
      return make_event(k, static_cast<u32>(t.args[0]), 0);
    case nr::k_eventfd2:
      return make_event(k, static_cast<u32>(t.args[0]), t.args[1]);
    case nr::k_signalfd:
      return make_signal_fd(k, static_cast<int>(t.args[0]), reinterpret_cast<const u64*>(t.args[1]),
                            0);
    case nr::k_signalfd4:
      return make_signal_fd(k, static_cast<int>(t.args[0]), reinterpret_cast<const u64*>(t.args[1]),
                            t.args[3]);
    default:
      *mine = false;
      return 0;
  }
}

}  // namespace lab::kernel
