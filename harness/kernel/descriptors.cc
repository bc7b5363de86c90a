// SPDX-License-Identifier: Apache-2.0
// Descriptors: the table, what dup and close mean, and read/write by kind of object.
#include "harness/kernel/internal.h"
#include "harness/kernel/numbers.h"

namespace lab::kernel {

Open* open_of(Kernel& k, int fd) {
  if (fd < 0 || fd >= static_cast<int>(kMaxFds)) return nullptr;
  const u32 open1 = k.p->fd[fd].open1;
  return open1 == 0 ? nullptr : &k.p->open[open1 - 1];
}

i32 new_open(Kernel& k, Kind kind, u32 object, u32 flags) {
  const i32 i = k.p->open.take();
  if (i < 0) return i;
  Open& o = k.p->open[static_cast<u32>(i)];
  o.kind = kind;
  o.object = object;
  o.flags = flags;
  o.real = -1;
  return i;
}

long install(Kernel& k, u32 open, bool cloexec, u32 from) {
  Process& p = *k.p;
  u32 fd = most(from, p.fd_low);
  while (fd < kMaxFds && p.fd[fd].open1 != 0)
    ++fd;
  if (fd >= kMaxFds) return -lx::kEmfile;
  p.fd[fd] = Fd{open + 1, cloexec, {}};
  if (from <= p.fd_low) p.fd_low = fd + 1;
  p.fd_high = most(p.fd_high, fd + 1);
  ++p.open[open].refs;
  return fd;
}

void release_open(Kernel& k, u32 open) {
  Open& o = k.p->open[open];
  if (--o.refs > 0) return;
  epoll_forget_open(k, open);
  switch (o.kind) {
    case Kind::socket:
      socket_closed(k, o.object);
      break;
    case Kind::pipe_read:
    case Kind::pipe_write:
    case Kind::pair:
      pipe_closed(k, o);
      break;
    case Kind::file:
    case Kind::directory:
      file_closed(k, o, open);
      break;
    case Kind::event:
      k.p->event.give(o.object);
      break;
    case Kind::timer:
      if (k.p->timer[o.object].expires != LAB_NEVER) --k.p->timers_armed;
      k.p->timer.give(o.object);
      break;
    case Kind::signals:
      k.p->signal_fd.give(o.object);
      break;
    case Kind::epoll:
      epoll_closed(k, o.object);
      break;
    default:
      break;
  }
  k.p->open.give(open);
}

long close_fd(Kernel& k, int fd) {
  Process& p = *k.p;
  Open* o = open_of(k, fd);
  if (o == nullptr) return -lx::kEbadf;
  const u32 open = index_of(k, o);
  // POSIX: closing any descriptor of a file drops the process's locks on it.
  if (o->kind == Kind::file) drop_locks(k, o->inode, k.control->pid, 0);
  p.fd[fd] = Fd{};
  p.fd_low = least(p.fd_low, static_cast<u32>(fd));
  release_open(k, open);
  return 0;
}

u32 poll_mask(Kernel& k, u32 open) {
  const Open& o = k.p->open[open];
  switch (o.kind) {
    case Kind::socket:
      return socket_mask(k, k.p->socket[o.object]);
    case Kind::pipe_read:
    case Kind::pipe_write:
    case Kind::pair:
      return pipe_mask(k, o);
    case Kind::event: {
      const u64 count = k.p->event[o.object].count;
      return (count > 0 ? lx::kIn : 0u) | (count < UINT64_MAX - 1 ? lx::kOut : 0u);
    }
    case Kind::timer:
      return k.p->timer[o.object].expirations > 0 ? u32{lx::kIn} : 0u;
    case Kind::signals:
      return signal_fd_mask(k, o);
    case Kind::epoll:
      return epoll_ready(k, o.object) ? u32{lx::kIn | lx::kRdnorm} : 0u;
    case Kind::output:
      return lx::kOut | lx::kWrnorm;
    default:
      return lx::kIn | lx::kOut | lx::kRdnorm | lx::kWrnorm;
  }
}

u64 total(const lx::Iovec* iov, u64 n) {
  u64 sum = 0;
  for (u64 i = 0; i < n; ++i)
    sum += iov[i].len;
  return sum;
}

u64 gather(const lx::Iovec* iov, u64 count, u64 skip, u8* to, u64 n) {
  u64 moved = 0;
  for (u64 i = 0; i < count && moved < n; ++i) {
    if (skip >= iov[i].len) {
      skip -= iov[i].len;
      continue;
    }
    const u64 part = least(iov[i].len - skip, n - moved);
    copy(to + moved, iov[i].base + skip, part);
    moved += part;
    skip = 0;
  }
  return moved;
}

u64 scatter(const lx::Iovec* iov, u64 count, u64 skip, const u8* from, u64 n) {
  u64 moved = 0;
  for (u64 i = 0; i < count && moved < n; ++i) {
    if (skip >= iov[i].len) {
      skip -= iov[i].len;
      continue;
    }
    const u64 part = least(iov[i].len - skip, n - moved);
    copy(iov[i].base + skip, from + moved, part);
    moved += part;
    skip = 0;
  }
  return moved;
}

void ring_write(u8* ring, u32 capacity, u32 head, u32 size, const u8* from, u32 n) {
  const u32 at = (head + size) % capacity;
  const u32 first = least(n, capacity - at);
  copy(ring + at, from, first);
  copy(ring, from + first, n - first);
}

void ring_read(const u8* ring, u32 capacity, u32 head, u32 skip, u8* to, u32 n) {
  const u32 at = (head + skip) % capacity;
  const u32 first = least(n, capacity - at);
  copy(to, ring + at, first);
  copy(to + first, ring, n - first);
}

namespace {

long output_write(Kernel& k, const Open& o, const lx::Iovec* iov, u64 n) {
  // A pipe whose reader never lags: takes everything, up to what one outbox holds.
  const u64 size = least<u64>(total(iov, n), 256 * 1024);
  if (size == 0) return 0;
  u8* to = emit(k, LAB_OUT_WRITE, o.object, 0, size);
  if (to == nullptr) return kRefused;
  gather(iov, n, 0, to, size);
  return static_cast<long>(size);
}

long virtual_read(Kernel& k, Open& o, const lx::Iovec* iov, u64 n) {
  const VirtualFile& file = k.h->virtual_file[o.object];
  if (o.position >= file.size) return 0;
  const u64 got =
      scatter(iov, n, 0, k.h->virtual_bytes + file.offset + o.position, file.size - o.position);
  o.position += got;
  return static_cast<long>(got);
}

}  // namespace

long read_open(Kernel& k, Thread& t, u32 open, const lx::Iovec* iov, u64 n) {
  Open& o = k.p->open[open];
  if ((o.flags & lx::kAccMode) == lx::kWrOnly) return -lx::kEbadf;
  switch (o.kind) {
    case Kind::socket:
      // read(2) of nothing is 0 on any socket (SYS V); recv(2) of nothing may wait.
      return total(iov, n) == 0 ? 0 : socket_recv(k, t, open, iov, n, 0, nullptr);
    case Kind::pipe_read:
    case Kind::pair:
      return pipe_read(k, t, open, iov, n);
    case Kind::event:
      return event_read(k, t, open, iov, n);
    case Kind::timer:
      return timer_read(k, t, open, iov, n);
    case Kind::signals:
      return signal_fd_read(k, t, open, iov, n);
    case Kind::file:
      return file_read(k, open, iov, n);
    case Kind::directory:
      return -lx::kEisdir;
    case Kind::null:
      return 0;
    case Kind::zero:
    case Kind::full:
      for (u64 i = 0; i < n; ++i)
        zero(iov[i].base, iov[i].len);
      return static_cast<long>(total(iov, n));
    case Kind::random:
      for (u64 i = 0; i < n; ++i)
        fill_random(k, iov[i].base, iov[i].len);
      return static_cast<long>(total(iov, n));
    case Kind::virtual_file:
      return virtual_read(k, o, iov, n);
    default:
      return -lx::kEinval;
  }
}

long write_open(Kernel& k, Thread& t, u32 open, const lx::Iovec* iov, u64 n) {
  Open& o = k.p->open[open];
  switch (o.kind) {
    case Kind::socket:
      return socket_send(k, t, open, iov, n, 0, nullptr);
    case Kind::pipe_write:
    case Kind::pair:
      return pipe_write(k, t, open, iov, n);
    case Kind::event:
      return event_write(k, t, open, iov, n);
    case Kind::file:
      return file_write(k, open, iov, n);
    case Kind::output:
      return output_write(k, o, iov, n);
    case Kind::null:
    case Kind::zero:
    case Kind::random:
      return static_cast<long>(total(iov, n));
    case Kind::full:
      return -lx::kEnospc;
    case Kind::virtual_file:
    case Kind::pipe_read:
    case Kind::directory:
      return -lx::kEbadf;
    default:
      return -lx::kEinval;
  }
}

namespace {

long duplicate(Kernel& k, int fd, int to, long flags) {
  Open* o = open_of(k, fd);
  if (o == nullptr || to < 0 || to >= static_cast<int>(kMaxFds)) return -lx::kEbadf;
  const u32 open = index_of(k, o);
  ++o->refs;  // so that closing `to` cannot take it away
  if (k.p->fd[to].open1 != 0) close_fd(k, to);
  k.p->fd[to] = Fd{open + 1, (flags & lx::kCloexec) != 0, {}};
  k.p->fd_high = most(k.p->fd_high, static_cast<u32>(to) + 1);
  return to;
}

long call_fcntl(Kernel& k, Thread& t) {
  const int fd = static_cast<int>(t.args[0]);
  const long argument = t.args[2];
  Open* o = open_of(k, fd);
  if (o == nullptr) return -lx::kEbadf;
  switch (t.args[1]) {
    case lx::kDupfd:
    case lx::kDupfdCloexec:
      if (argument < 0 || argument >= static_cast<long>(kMaxFds)) return -lx::kEinval;
      return install(k, index_of(k, o), t.args[1] == lx::kDupfdCloexec, static_cast<u32>(argument));
    case lx::kGetfd:
      return k.p->fd[fd].cloexec;
    case lx::kSetfd:
      k.p->fd[fd].cloexec = (argument & 1) != 0;
      return 0;
    case lx::kGetfl:
      return o->flags | (o->kind == Kind::file ? lx::kLargefile : 0);
    case lx::kSetfl: {
      constexpr u32 may = lx::kAppend | lx::kNonblock | 040000 | 020000 | 01000000;
      o->flags = (o->flags & ~may) | (static_cast<u32>(argument) & may);
      if (o->kind == Kind::file) real(k, nr::k_fcntl, o->real, lx::kSetfl, argument & lx::kAppend);
      return 0;
    }
    case lx::kGetlk:
    case lx::kSetlk:
    case lx::kSetlkw:
    case lx::kOfdGetlk:
    case lx::kOfdSetlk:
    case lx::kOfdSetlkw:
      if (o->kind != Kind::file) return -lx::kEbadf;
      return file_lock(k, t, *o, t.args[1], reinterpret_cast<lx::Flock*>(argument));
    case lx::kGetpipeSz:
    case lx::kSetpipeSz:
      return o->kind == Kind::pipe_read || o->kind == Kind::pipe_write ? long{kPipeBytes}
                                                                       : -lx::kEbadf;
    case lx::kSetown:
      return 0;
    case lx::kGetown:
      return 0;
    default:
      return refuse(k, t, LAB_STOP_REFUSED_CALL, "this fcntl command is not simulated");
  }
}

long call_ioctl(Kernel& k, Thread& t) {
  constexpr long fionbio = 0x5421, fioclex = 0x5451, fionclex = 0x5450, tcgets = 0x5401;
  constexpr long winsize = 0x5413, fionread = 0x541b, tiocgpgrp = 0x540f;
  constexpr long rndgetentcnt = 0x80045200;
  const int fd = static_cast<int>(t.args[0]);
  Open* o = open_of(k, fd);
  if (o == nullptr) return -lx::kEbadf;
  int* argument = reinterpret_cast<int*>(t.args[2]);
  switch (t.args[1] & 0xffffffff) {
    case fionbio:
      o->flags = *argument != 0 ? (o->flags | lx::kNonblock) : (o->flags & ~u32{lx::kNonblock});
      return 0;
    case fioclex:
    case fionclex:
      k.p->fd[fd].cloexec = t.args[1] == fioclex;
      return 0;
    case tcgets:
    case winsize:
    case tiocgpgrp:
      return -lx::kEnotty;
    default:
      break;
  }
  if (o->kind == Kind::socket)
    return socket_ioctl(k, k.p->socket[o->object], t.args[1] & 0xffffffff, argument);
  if (t.args[1] == fionread && o->kind == Kind::pipe_read) {
    *argument = static_cast<int>(k.p->pipe[o->object].size);
    return 0;
  }
  if ((t.args[1] & 0xffffffff) == rndgetentcnt && o->kind == Kind::random) {
    *argument = 256;  // a full pool, as Linux says once it has been seeded
    return 0;
  }
  return -lx::kEnotty;
}

long call_close(Kernel& k, Thread& t) {
  const int fd = static_cast<int>(t.args[0]);
  Open* o = open_of(k, fd);
  if (o != nullptr && o->kind == Kind::socket && o->refs == 1 &&
      socket_linger(k, t, o->object) == kBlocked)
    return kBlocked;
  return close_fd(k, fd);
}

long call_close_range(Kernel& k, Thread& t) {
  const u64 first = static_cast<u32>(t.args[0]), last = static_cast<u32>(t.args[1]);
  if (first > last) return -lx::kEinval;
  for (u64 fd = first; fd <= last && fd < k.p->fd_high; ++fd) {
    if (k.p->fd[fd].open1 == 0) continue;
    if ((t.args[2] & 4) != 0)
      k.p->fd[fd].cloexec = 1;
    else
      close_fd(k, static_cast<int>(fd));
  }
  return 0;
}

}  // namespace

long call_descriptors(Kernel& k, Thread& t, bool* mine) {
  const int fd = static_cast<int>(t.args[0]);
  Open* o = open_of(k, fd);
  lx::Iovec one{reinterpret_cast<u8*>(t.args[1]), static_cast<u64>(t.args[2])};
  const lx::Iovec* many = reinterpret_cast<const lx::Iovec*>(t.args[1]);
  switch (t.call) {
    case nr::k_read:
      return o ? read_open(k, t, index_of(k, o), &one, 1) : -lx::kEbadf;
    case nr::k_write:
      if (o == nullptr || ((o->flags & lx::kAccMode) == 0 && o->kind == Kind::file))
        return -lx::kEbadf;
      return write_open(k, t, index_of(k, o), &one, 1);
    case nr::k_readv:
      return o ? read_open(k, t, index_of(k, o), many, one.len) : -lx::kEbadf;
    case nr::k_writev:
      return o ? write_open(k, t, index_of(k, o), many, one.len) : -lx::kEbadf;
    case nr::k_close:
      return call_close(k, t);
    case nr::k_close_range:
      return call_close_range(k, t);
    case nr::k_dup:
      return o ? install(k, index_of(k, o), false) : -lx::kEbadf;
    case nr::k_dup2:
      if (o != nullptr && t.args[0] == t.args[1]) return t.args[1];
      return duplicate(k, fd, static_cast<int>(t.args[1]), 0);
    case nr::k_dup3:
      if (t.args[0] == t.args[1]) return -lx::kEinval;
      return duplicate(k, fd, static_cast<int>(t.args[1]), t.args[2]);
    case nr::k_fcntl:
      return call_fcntl(k, t);
    case nr::k_ioctl:
      return call_ioctl(k, t);
    default:
      *mine = false;
      return 0;
  }
}

}  // namespace lab::kernel
