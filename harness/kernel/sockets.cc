// SPDX-License-Identifier: Apache-2.0
// The socket calls that are not about bytes, and a socket's readiness.
#include "harness/kernel/numbers.h"
#include "harness/kernel/tcp.h"

namespace lab::kernel {
namespace {

constexpr u32 kDefaultBuffer = 128 * 1024;

struct Found {
  Open* open;
  Socket* socket;
  long error;
};

Found find(Kernel& k, long fd) {
  Open* o = open_of(k, static_cast<int>(fd));
  if (o == nullptr) return {nullptr, nullptr, -lx::kEbadf};
  if (o->kind != Kind::socket) return {o, nullptr, -lx::kEnotsock};
  return {o, &k.p->socket[o->object], 0};
}

long make(Kernel& k, Thread& t) {
  const long family = t.args[0], type = t.args[1] & lx::kSockTypeMask, protocol = t.args[2];
  if (family != lx::kInet && family != lx::kInet6) return -lx::kEafnosupport;
  const long flags = t.args[1] & ~long{lx::kSockTypeMask};
  if ((flags & ~(lx::kCloexec | lx::kNonblock)) != 0) return -lx::kEinval;
  if (type != lx::kStream && type != lx::kDgram) return -lx::kEprotonosupport;
  const long own = type == lx::kStream ? 6 : 17;
  if (protocol != 0 && protocol != own) return -lx::kEprotonosupport;
  const i32 i = k.p->socket.take();
  if (i < 0) return -lx::kEnfile;
  Socket& s = k.p->socket[static_cast<u32>(i)];
  s.generation = ++k.p->generation;
  s.family = static_cast<u8>(family);
  s.type = static_cast<u8>(type);
  s.rcvbuf = s.sndbuf = kDefaultBuffer;
  s.rcv_lowat = 1;
  s.keep_idle = 7200;
  s.keep_interval = 75;
  s.keep_count = 9;
  const i32 open = new_open(k, Kind::socket, static_cast<u32>(i),
                            lx::kRdWr | static_cast<u32>(t.args[1] & lx::kNonblock));
  if (open < 0) {
    k.p->socket.give(static_cast<u32>(i));
    return -lx::kEnfile;
  }
  s.open1 = static_cast<u32>(open) + 1;
  const long fd = install(k, static_cast<u32>(open), (t.args[1] & lx::kCloexec) != 0);
  if (fd < 0) {
    k.p->open[static_cast<u32>(open)].refs = 1;
    release_open(k, static_cast<u32>(open));
  }
  return fd;
}

long call_bind(Kernel& k, Thread& t) {
  const Found f = find(k, t.args[0]);
  if (f.error != 0) return f.error;
  Address a;
  const long read = read_address(*f.socket, reinterpret_cast<const u8*>(t.args[1]),
                                 static_cast<u64>(t.args[2]), &a);
  return read < 0 ? read : bind_port(k, *f.socket, a, true);
}

long call_connect(Kernel& k, Thread& t) {
  const Found f = find(k, t.args[0]);
  if (f.error != 0) return f.error;
  Socket& s = *f.socket;
  u16 family = 0;
  if (t.args[1] != 0 && t.args[2] >= 2) copy(&family, reinterpret_cast<void*>(t.args[1]), 2);
  if (family == 0 && s.type == lx::kDgram) {  // AF_UNSPEC dissolves the association
    s.remote = Address{};
    s.ever_connected = false;
    return 0;
  }
  Address to;
  const long read =
      read_address(s, reinterpret_cast<const u8*>(t.args[1]), static_cast<u64>(t.args[2]), &to);
  if (read < 0) return read;
  if (s.type == lx::kStream) return tcp_connect(k, t, index_of(k, f.open), to);
  if (!s.bound) {
    const long bound = bind_ephemeral(k, s);
    if (bound < 0) return bound;
  }
  if (is_any(s.local)) source_for(k, to, s.local.ip);
  s.remote = to;
  s.ever_connected = true;
  return 0;
}

long call_accept(Kernel& k, Thread& t, long flags) {
  const Found f = find(k, t.args[0]);
  if (f.error != 0) return f.error;
  if (f.socket->type != lx::kStream) return -lx::kEopnotsupp;
  if ((flags & ~(lx::kCloexec | lx::kNonblock)) != 0) return -lx::kEinval;
  if (k.p->open.live >= kMaxOpen - 1) return -lx::kEnfile;
  i32 child = -1;
  const long result = tcp_accept(k, t, index_of(k, f.open), &child);
  if (result < 0) return result;
  Socket& s = k.p->socket[static_cast<u32>(child)];
  const u32 open = static_cast<u32>(new_open(k, Kind::socket, static_cast<u32>(child),
                                             lx::kRdWr | static_cast<u32>(flags & lx::kNonblock)));
  s.open1 = open + 1;
  const long fd = install(k, open, (flags & lx::kCloexec) != 0);
  if (fd < 0) {
    k.p->open[open].refs = 1;
    release_open(k, open);
    return fd;
  }
  write_address(s, s.remote, reinterpret_cast<u8*>(t.args[1]), reinterpret_cast<u32*>(t.args[2]));
  return fd;
}

long call_name(Kernel& k, Thread& t, bool peer) {
  const Found f = find(k, t.args[0]);
  if (f.error != 0) return f.error;
  Socket& s = *f.socket;
  if (peer && (s.state != TcpState::connected || finished(s)) &&
      !(s.type == lx::kDgram && s.ever_connected))
    return -lx::kEnotconn;
  Address local = s.local;
  if (!s.bound && s.family == lx::kInet)
    local = Address{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255}, 0, 0};
  write_address(s, peer ? s.remote : local, reinterpret_cast<u8*>(t.args[1]),
                reinterpret_cast<u32*>(t.args[2]));
  return 0;
}

u32 stream_mask(const Socket& s, bool* unwritable) {
  u32 mask = 0;
  if (s.state == TcpState::listening) return s.queue_head1 != 0 ? lx::kIn | lx::kRdnorm : 0u;
  const bool dead = s.state == TcpState::closed || s.state == TcpState::fresh;
  const bool read_over = s.rx_fin || s.rx_shut || s.state == TcpState::closed;
  const bool write_over = s.tx_shut || s.state == TcpState::closed;
  if (dead || (read_over && write_over)) mask |= lx::kHup;
  if (read_over) mask |= lx::kIn | lx::kRdnorm | lx::kRdhup;
  if (s.state != TcpState::connecting) {
    if (s.rx_size >= s.rcv_lowat) mask |= lx::kIn | lx::kRdnorm;
    if (write_over || s.state == TcpState::fresh || writable(s))
      mask |= lx::kOut | lx::kWrnorm;
    else
      *unwritable = true;
  }
  if (s.error != 0) mask |= lx::kErr;
  return mask;
}

}  // namespace

u32 socket_mask(Kernel& k, const Socket& s) {
  if (s.type == lx::kDgram)
    return (s.datagrams > 0 ? lx::kIn | lx::kRdnorm : 0u) | lx::kOut | lx::kWrnorm |
           (s.error != 0 ? u32{lx::kErr} : 0u);
  bool unwritable = false;
  const u32 mask = stream_mask(s, &unwritable);
  if (unwritable && !s.nospace) {  // SOCK_NOSPACE: who asks in vain is told when there is room
    Socket& mine = k.p->socket[socket_index(k, s)];
    mine.nospace = true;
    tcp_want(k, mine);
  }
  return mask;
}

long socket_recv(Kernel& k, Thread& t, u32 open, const lx::Iovec* iov, u64 n, int flags,
                 Address* from) {
  Socket& s = k.p->socket[k.p->open[open].object];
  if (s.type == lx::kDgram) {
    u32 out = 0;
    return udp_recv(k, t, open, iov, n, flags, from, &out);
  }
  return tcp_recv(k, t, open, iov, n, flags);
}

long socket_send(Kernel& k, Thread& t, u32 open, const lx::Iovec* iov, u64 n, int flags,
                 const Address* to) {
  Socket& s = k.p->socket[k.p->open[open].object];
  if (s.type == lx::kDgram) return udp_send(k, t, open, iov, n, flags, to);
  return tcp_send(k, t, open, iov, n, flags);
}

long socket_ioctl(Kernel& k, Socket& s, long request, int* argument) {
  constexpr long fionread = 0x541b, siocoutq = 0x5411, siocatmark = 0x8905;
  switch (request) {
    case fionread:
      if (s.state == TcpState::listening) return -lx::kEinval;
      *argument = static_cast<int>(s.type == lx::kDgram ? udp_first(k, s) : s.rx_size);
      return 0;
    case siocoutq: {
      if (s.state == TcpState::listening) return -lx::kEinval;
      // write_seq - snd_una: a FIN counts one until it is acknowledged.
      const u64 end = s.tx_total + (s.tx_shut ? 1 : 0);
      *argument =
          s.state == TcpState::connected ? static_cast<int>(end - least(end, s.tx_acked)) : 0;
      return 0;
    }
    case siocatmark:
      *argument = 0;
      return 0;
    default:
      return -lx::kEnotty;
  }
}

long call_sockets(Kernel& k, Thread& t, bool* mine) {
  switch (t.call) {
    case nr::k_socket:
      return make(k, t);
    case nr::k_bind:
      return call_bind(k, t);
    case nr::k_listen: {
      const Found f = find(k, t.args[0]);
      if (f.error != 0) return f.error;
      if (f.socket->type != lx::kStream) return -lx::kEopnotsupp;
      return tcp_listen(k, *f.socket, static_cast<int>(t.args[1]));
    }
    case nr::k_accept:
      return call_accept(k, t, 0);
    case nr::k_accept4:
      return call_accept(k, t, t.args[3]);
    case nr::k_connect:
      return call_connect(k, t);
    case nr::k_getsockname:
      return call_name(k, t, false);
    case nr::k_getpeername:
      return call_name(k, t, true);
    case nr::k_shutdown: {
      Open* o = open_of(k, static_cast<int>(t.args[0]));
      if (o != nullptr && o->kind == Kind::pair)
        return pair_shutdown(k, *o, static_cast<int>(t.args[1]));
      const Found f = find(k, t.args[0]);
      if (f.error != 0) return f.error;
      if (f.socket->type == lx::kDgram) return f.socket->ever_connected ? 0 : -lx::kEnotconn;
      return tcp_shutdown(k, *f.socket, static_cast<int>(t.args[1]));
    }
    case nr::k_getsockopt:
    case nr::k_setsockopt: {
      Open* o = open_of(k, static_cast<int>(t.args[0]));
      if (o != nullptr && o->kind == Kind::pair) return 0;
      const Found f = find(k, t.args[0]);
      if (f.error != 0) return f.error;
      return socket_option(k, t, *f.socket, t.call == nr::k_setsockopt);
    }
    default:
      *mine = false;
      return 0;
  }
}

}  // namespace lab::kernel
