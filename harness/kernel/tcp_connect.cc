// SPDX-License-Identifier: Apache-2.0
// TCP: how connections begin and end. tcp.h has the model.
#include "harness/kernel/tcp.h"

namespace lab::kernel {
namespace {

constexpr i64 kSecond = 1'000'000'000;
constexpr u32 kSynRetries = 6;  // tcp_syn_retries: after 1, 2, 4, ... s; ETIMEDOUT at 127 s

void emit_connect(Kernel& k, Socket& s) {
  lab_addresses a{};
  copy(a.local, s.local.ip, 16);
  copy(a.remote, s.remote.ip, 16);
  a.local_port = s.local.port;
  a.remote_port = s.remote.port;
  s.rx_edge = s.rcvbuf;
  if (u8* to = emit(k, LAB_OUT_CONNECT, handle_of(k, s), s.rx_edge, sizeof(a)))
    copy(to, &a, sizeof(a));
}

void start_connection(Kernel& k, Socket& s, u64 peer_edge) {
  s.state = TcpState::connected;
  s.ever_connected = true;
  s.tx_edge = peer_edge;
  s.error = 0;
  notify_socket(k, s, lx::kOut | lx::kWrnorm);
}

/// Within this process: the whole handshake happens inside connect(2), as on a loopback.
void connect_here(Kernel& k, Socket& s, const Port& port) {
  Socket* listener = socket_of_handle(k, port.handle);
  if (listener == nullptr) return tcp_fail(k, s, lx::kEconnrefused);
  if (listener->queued > listener->backlog) return;  // SYN dropped; the retry timer runs
  Socket* child = tcp_child(k, *listener, s.remote, s.local);
  if (child == nullptr) return;
  --k.p->connecting;
  child->here = s.here = true;
  child->peer1 = socket_index(k, s) + 1;
  s.peer1 = socket_index(k, *child) + 1;
  child->tx_edge = s.rx_edge = s.rcvbuf;
  child->rx_edge = child->rcvbuf;
  start_connection(k, s, child->rx_edge);
}

/// The SYN goes out, or is answered at once by somebody of this process.
void send_syn(Kernel& k, Socket& s) {
  s.retry_at = k.control->now_ns + (kSecond << s.retries);
  if (is_own(k, s.remote)) {
    const Port* port = find_listener(k, s.remote, lx::kStream);
    if (port == nullptr) return tcp_fail(k, s, lx::kEconnrefused);
    if (port->slot == k.control->slot) return connect_here(k, s, *port);
  }
  emit_connect(k, s);
}

}  // namespace

void tcp_fail(Kernel& k, Socket& s, i32 error) {
  if (s.state == TcpState::connecting) --k.p->connecting;
  s.state = TcpState::closed;
  s.error = error;
  s.tx_size = 0;
  notify_socket(k, s, lx::kIn | lx::kOut | lx::kErr | lx::kHup | lx::kRdhup);
}

long tcp_connect(Kernel& k, Thread& t, u32 open, const Address& to) {
  Open& o = k.p->open[open];
  Socket& s = k.p->socket[o.object];
  switch (s.state) {
    case TcpState::connected:
      if (first_try(t) && s.connect_told) return -lx::kEisconn;
      s.connect_told = true;  // the first to ask after the handshake is told of its success
      return 0;
    case TcpState::listening:
      return -lx::kEisconn;
    case TcpState::connecting:
      if (first_try(t) && nonblocking(o)) return -lx::kEalready;
      return wait_for_open(k, t, open, lx::kOut);
    case TcpState::closed:
      if (s.error != 0) {
        const i32 error = s.error;
        s.error = 0;
        s.state = TcpState::fresh;  // may try again, as on Linux
        return -error;
      }
      if (s.ever_connected) return -lx::kEisconn;
      s.state = TcpState::fresh;
      break;
    case TcpState::fresh:
      break;
  }
  s.remote = to;
  if (is_any(to)) {  // connecting to 0.0.0.0 means this host
    Address loop{};
    loop.ip[10] = loop.ip[11] = 0xff;
    loop.ip[12] = 127;
    loop.ip[15] = 1;
    copy(s.remote.ip, loop.ip, 16);
  }
  if (!s.bound) {
    source_for(k, s.remote, s.local.ip);
    const long bound = bind_ephemeral(k, s);
    if (bound < 0) return bound;
  } else if (is_any(s.local)) {
    source_for(k, s.remote, s.local.ip);
  }
  s.state = TcpState::connecting;
  s.retries = 0;
  ++k.p->connecting;
  send_syn(k, s);
  if (nonblocking(o)) return -lx::kEinprogress;
  if (s.state == TcpState::connected) {
    s.connect_told = true;
    return 0;
  }
  if (s.state == TcpState::closed) {
    const i32 error = s.error;
    s.error = 0;
    s.state = TcpState::fresh;
    return -error;
  }
  return wait_for_open(k, t, open, lx::kOut,
                       s.snd_timeout > 0 ? deadline_in(k, s.snd_timeout) : LAB_NEVER);
}

void tcp_retry_connects(Kernel& k) {
  if (k.p->connecting == 0) return;
  for (u32 i = 0; i < k.p->socket.high; ++i) {
    Socket& s = k.p->socket[i];
    if (!s.used || s.state != TcpState::connecting || s.retry_at > k.control->now_ns) continue;
    if (++s.retries > kSynRetries)
      tcp_fail(k, s, lx::kEtimedout);
    else
      send_syn(k, s);
  }
}

long tcp_listen(Kernel& k, Socket& s, int backlog) {
  if (s.state != TcpState::fresh && s.state != TcpState::listening) return -lx::kEinval;
  if (!s.bound) {
    if (s.family == lx::kInet) s.local.ip[10] = s.local.ip[11] = 0xff;
    const long bound = bind_ephemeral(k, s);
    if (bound < 0) return bound;
  }
  Port& port = k.h->port[s.port1 - 1];
  for (u32 i = 0; s.state == TcpState::fresh && i < k.h->port.high; ++i) {
    const Port& other = k.h->port[i];
    if (other.used && other.listening && other.type == s.type && &other != &port &&
        other.address.port == port.address.port && same(other.address.ip, port.address.ip, 16))
      return -lx::kEaddrinuse;
  }
  s.backlog = backlog < 0 ? 4096 : least<u32>(static_cast<u32>(backlog), 4096);
  s.state = TcpState::listening;
  port.listening = true;
  port.backlog = s.backlog;
  port.window = s.rcvbuf;
  return 0;
}

Socket* tcp_child(Kernel& k, Socket& listener, const Address& local, const Address& remote) {
  const i32 i = k.p->socket.take();
  if (i < 0) {
    refuse(k, current(k), LAB_STOP_CAPACITY, "socket table full");
    return nullptr;
  }
  Socket& child = k.p->socket[static_cast<u32>(i)];
  const u32 index = static_cast<u32>(i), parent = socket_index(k, listener);
  child.generation = ++k.p->generation;
  child.family = listener.family;
  child.type = listener.type;
  child.state = TcpState::connected;
  child.ever_connected = child.connect_told = true;
  child.local = local;
  child.remote = remote;
  child.bound = true;
  child.rcvbuf = listener.rcvbuf;
  child.sndbuf = listener.sndbuf;
  child.rcv_lowat = 1;
  child.nodelay = listener.nodelay;
  child.keepalive = listener.keepalive;
  child.keep_idle = listener.keep_idle;
  child.keep_interval = listener.keep_interval;
  child.keep_count = listener.keep_count;
  child.linger_on = listener.linger_on;
  child.linger_s = listener.linger_s;
  child.reuse_address = listener.reuse_address;
  child.rcv_timeout = listener.rcv_timeout;
  child.snd_timeout = listener.snd_timeout;
  child.listener1 = parent + 1;
  if (listener.queue_tail1 != 0)
    k.p->socket[listener.queue_tail1 - 1].next1 = index + 1;
  else
    listener.queue_head1 = index + 1;
  listener.queue_tail1 = index + 1;
  ++listener.queued;
  k.h->port[listener.port1 - 1].queued = listener.queued;
  notify_socket(k, listener, lx::kIn | lx::kRdnorm);
  return &child;
}

long tcp_accept(Kernel& k, Thread& t, u32 open, i32* child) {
  Open& o = k.p->open[open];
  Socket& s = k.p->socket[o.object];
  if (s.state != TcpState::listening) return -lx::kEinval;
  if (s.queue_head1 == 0) {
    if (nonblocking(o) || timed_out(k, t)) return -lx::kEagain;
    return wait_for_open(k, t, open, lx::kIn,
                         s.rcv_timeout > 0 ? deadline_in(k, s.rcv_timeout) : LAB_NEVER);
  }
  const u32 index = s.queue_head1 - 1;
  Socket& first = k.p->socket[index];
  s.queue_head1 = first.next1;
  if (s.queue_head1 == 0) s.queue_tail1 = 0;
  --s.queued;
  k.h->port[s.port1 - 1].queued = s.queued;
  first.next1 = 0;
  first.listener1 = 0;
  *child = static_cast<i32>(index);
  return 0;
}

long tcp_shutdown(Kernel& k, Socket& s, int how) {
  if (how < 0 || how > 2) return -lx::kEinval;
  if (s.state == TcpState::listening && how != 1) {
    // Linux leaves a listener that was shut down for reading unconnected; accept then fails.
    k.h->port[s.port1 - 1].listening = false;
    s.state = TcpState::fresh;
    notify_socket(k, s, lx::kIn | lx::kHup);
    return 0;
  }
  if (s.state == TcpState::connecting) {
    tcp_fail(k, s, 0);
    return 0;
  }
  if (s.state != TcpState::connected || finished(s)) {
    if (how != 1) s.rx_shut = true;  // Linux refuses, and yet nothing is read any more
    return -lx::kEnotconn;
  }
  if (how != 1) s.rx_shut = true;
  if (how != 0 && !s.tx_shut) {
    s.tx_shut = true;
    tcp_pump(k, s);
  }
  notify_socket(k, s, lx::kIn | lx::kOut | lx::kRdhup | lx::kHup);
  return 0;
}

void tcp_free(Kernel& k, Socket& s) {
  if (Socket* peer = local_peer(k, s)) peer->peer1 = 0;
  if (s.state == TcpState::connecting) --k.p->connecting;
  if (s.orphan) --k.p->orphans;
  if (s.pump_later) --k.p->pump;
  release_port(k, s);
  k.p->socket.give(socket_index(k, s));
}

/// The last descriptor is gone (or a listener dropped a child that nobody took).
void socket_closed(Kernel& k, u32 index) {
  Socket& s = k.p->socket[index];
  s.open1 = 0;
  if (s.type == lx::kDgram) return tcp_free(k, s);
  if (s.state == TcpState::listening) {
    while (s.queue_head1 != 0) {
      const u32 child = s.queue_head1 - 1;
      s.queue_head1 = k.p->socket[child].next1;
      tcp_send_reset(k, k.p->socket[child]);
      tcp_free(k, k.p->socket[child]);
    }
    return tcp_free(k, s);
  }
  if (s.state == TcpState::connecting) {
    emit(k, LAB_OUT_RESET, handle_of(k, s), 0, 0);
    return tcp_free(k, s);
  }
  if (s.state != TcpState::connected) return tcp_free(k, s);
  const bool abort = s.rx_size > 0 || (s.linger_on && s.linger_s == 0);
  if (abort) {
    tcp_send_reset(k, s);
    return tcp_free(k, s);
  }
  s.tx_shut = s.rx_shut = true;
  s.orphan = true;
  ++k.p->orphans;
  tcp_pump(k, s);  // frees it when everything is out
}

long socket_linger(Kernel& k, Thread& t, u32 index) {
  Socket& s = k.p->socket[index];
  if (s.type != lx::kStream || s.state != TcpState::connected) return 0;
  if (!s.linger_on || s.linger_s == 0 || s.rx_size > 0 || timed_out(k, t)) return 0;
  if (!s.tx_shut) {
    s.tx_shut = true;
    tcp_pump(k, s);
  }
  if (s.fin_sent && s.tx_acked >= s.tx_total + 1) return 0;
  s.nospace = true;
  tcp_want(k, s);
  t.wait.open = index;
  return wait_for(k, t, WaitKind::acked, deadline_in(k, i64{s.linger_s} * kSecond));
}

void tcp_send_reset(Kernel& k, Socket& s) {
  if (s.state != TcpState::connected) return;
  if (Socket* peer = local_peer(k, s)) {
    s.peer1 = 0;
    peer->peer1 = 0;
    tcp_deliver_reset(k, *peer, lx::kEconnreset);
  } else if (!s.reset_seen && !s.here) {
    emit(k, LAB_OUT_RESET, handle_of(k, s), 0, 0);
  }
  s.state = TcpState::closed;
}

void tcp_deliver_reset(Kernel& k, Socket& s, i32 error) {
  if (s.state == TcpState::connecting) return tcp_fail(k, s, lx::kEconnrefused);
  if (s.state != TcpState::connected) return;
  s.reset_seen = true;
  s.peer1 = 0;
  // In CLOSE_WAIT (the peer's FIN came first) Linux says EPIPE.
  if (s.orphan || s.listener1 != 0) {
    s.state = TcpState::closed;
    if (s.orphan) tcp_free(k, s);
    return;
  }
  tcp_fail(k, s, s.rx_fin && !s.fin_sent ? i32{lx::kEpipe} : error);
}

}  // namespace lab::kernel
