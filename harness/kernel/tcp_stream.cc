// SPDX-License-Identifier: Apache-2.0
// TCP: bytes. tcp.h has the model.
#include "harness/kernel/tcp.h"

namespace lab::kernel {
namespace {

/// Hands bytes to the network, or to the peer in this process. How many it took: all, but for a
/// full outbox.
u32 send_bytes(Kernel& k, Socket& s, const u8* first, u32 n1, const u8* second, u32 n2) {
  if (Socket* peer = local_peer(k, s)) {
    tcp_deliver(k, *peer, first, n1);
    tcp_deliver(k, *peer, second, n2);
    s.tx_acked = s.tx_sent + n1 + n2;
  } else if (!s.here) {
    if (outbox_room(k) < LAB_ENTRY_SPACE(n1 + n2)) return 0;
    u8* to = emit(k, LAB_OUT_DATA, handle_of(k, s), 0, n1 + n2);
    if (to == nullptr) return 0;
    copy(to, first, n1);
    copy(to + n1, second, n2);
  }
  s.tx_sent += n1 + n2;
  return n1 + n2;
}

u64 may_send(const Socket& s) {
  return s.tx_edge > s.tx_sent ? s.tx_edge - s.tx_sent : 0;
}

/// Bytes to a closed end in this process: they are sent, and a RST comes back.
void nobody_there(Kernel& k, Socket& s, u64 n) {
  s.tx_total += n;
  s.tx_sent += n;
  tcp_deliver_reset(k, s, lx::kEconnreset);
}

/// The straight way, taken by nearly every send: nothing waits, the window is open, and the bytes
/// go from the caller's memory into the outbox.
u64 send_directly(Kernel& k, Socket& s, const lx::Iovec* iov, u64 n, u64 skip, u64 want) {
  u64 moved = 0;
  while (moved < want && s.tx_size == 0) {
    const u64 part = least(least(want - moved, may_send(s)), least<u64>(send_room(s), kSegmentMax));
    if (part == 0) break;
    if (Socket* peer = local_peer(k, s)) {
      u8* bytes = k.p->scratch;
      gather(iov, n, skip + moved, bytes, part);
      s.tx_total += part;
      s.tx_sent += part;
      s.tx_acked = s.tx_sent;
      tcp_deliver(k, *peer, bytes, static_cast<u32>(part));
    } else if (s.here) {
      moved += part;
      nobody_there(k, s, part);
      break;
    } else {
      if (outbox_room(k) < LAB_ENTRY_SPACE(part)) break;
      u8* to = emit(k, LAB_OUT_DATA, handle_of(k, s), 0, part);
      if (to == nullptr) break;
      gather(iov, n, skip + moved, to, part);
      s.tx_total += part;
      s.tx_sent += part;
    }
    moved += part;
  }
  return moved;
}

/// What does not go out at once waits in the ring, as far as the send buffer has room.
u64 keep_for_later(Kernel& k, Socket& s, const lx::Iovec* iov, u64 n, u64 skip, u64 want) {
  const u32 part = static_cast<u32>(least<u64>(want, send_room(s)));
  u8* ring = k.p->tx[socket_index(k, s)];
  const u32 at = (s.tx_head + s.tx_size) % kTxBytes;
  const u32 first = least(part, kTxBytes - at);
  gather(iov, n, skip, ring + at, first);
  gather(iov, n, skip + first, ring, part - first);
  s.tx_size += part;
  s.tx_total += part;
  return part;
}

long broken(Kernel& k, Socket& s, int flags) {
  if (s.error != 0) {
    const i32 error = s.error;
    s.error = 0;
    if (error != lx::kEpipe) return -error;
  }
  if ((flags & lx::kMsgNosignal) == 0) raise_signal(k, lx::kSigpipe);
  return -lx::kEpipe;
}

}  // namespace

void tcp_want(Kernel& k, Socket& s) {
  const bool want = s.state == TcpState::connected && !s.here &&
                    (s.nospace || s.tx_size > 0 || (s.tx_shut && !s.fin_sent));
  if (want == s.want) return;
  s.want = want;
  emit(k, LAB_OUT_WANT, handle_of(k, s), want ? 1 : 0, 0);
}

void tcp_send_fin(Kernel& k, Socket& s) {
  if (s.fin_sent) return;
  s.fin_sent = true;
  if (s.here) {
    s.tx_acked = s.tx_total + 1;
    if (Socket* peer = local_peer(k, s)) tcp_deliver_fin(k, *peer);
  } else {
    emit(k, LAB_OUT_FIN, handle_of(k, s), 0, 0);
  }
}

void tcp_pump(Kernel& k, Socket& s) {
  if (s.pump_later) {
    s.pump_later = false;
    --k.p->pump;
  }
  if (s.state != TcpState::connected) return;
  u8* ring = k.p->tx[socket_index(k, s)];
  while (s.tx_size > 0 && may_send(s) > 0) {
    const u32 part = static_cast<u32>(least<u64>(least<u64>(s.tx_size, may_send(s)), kSegmentMax));
    const u32 first = least(part, kTxBytes - s.tx_head);
    if (send_bytes(k, s, ring + s.tx_head, first, ring, part - first) == 0) {
      s.pump_later = true;
      ++k.p->pump;
      break;
    }
    s.tx_size -= part;
    s.tx_head = s.tx_size == 0 ? 0 : (s.tx_head + part) % kTxBytes;
  }
  if (s.tx_shut && s.tx_size == 0) tcp_send_fin(k, s);
  tcp_want(k, s);
  if (s.orphan && s.fin_sent) tcp_free(k, s);
}

void pump_all(Kernel& k) {
  for (u32 i = 0; k.p->pump > 0 && i < k.p->socket.high; ++i)
    if (k.p->socket[i].used && k.p->socket[i].pump_later) tcp_pump(k, k.p->socket[i]);
}

long tcp_send(Kernel& k, Thread& t, u32 open, const lx::Iovec* iov, u64 n, int flags) {
  Open& o = k.p->open[open];
  Socket& s = k.p->socket[o.object];
  const u64 want = total(iov, n);
  if (s.state == TcpState::connecting) {
    if (nonblocking(o, flags)) return -lx::kEagain;
    return wait_for_open(k, t, open, lx::kOut);
  }
  if (sending_shut(s) || s.error != 0) {
    if (t.wait.done > 0) return static_cast<long>(t.wait.done);
    return broken(k, s, flags);
  }
  u64 done = t.wait.done;
  done += send_directly(k, s, iov, n, done, want - done);
  if (done < want) done += keep_for_later(k, s, iov, n, done, want - done);
  t.wait.done = done;
  if (s.tx_size > 0 && may_send(s) > 0) tcp_pump(k, s);
  if (done == want) {
    tcp_want(k, s);
    return static_cast<long>(want);
  }
  s.nospace = true;
  tcp_want(k, s);
  if (nonblocking(o, flags) || timed_out(k, t))
    return done > 0 ? static_cast<long>(done) : -lx::kEagain;
  return wait_for_open(k, t, open, lx::kOut,
                       s.snd_timeout > 0 ? deadline_in(k, s.snd_timeout) : LAB_NEVER);
}

long tcp_recv(Kernel& k, Thread& t, u32 open, const lx::Iovec* iov, u64 n, int flags) {
  Open& o = k.p->open[open];
  Socket& s = k.p->socket[o.object];
  const u64 want = total(iov, n);
  const bool peek = (flags & lx::kMsgPeek) != 0;
  if (s.state == TcpState::listening || (s.state == TcpState::fresh && !s.ever_connected))
    return s.rx_shut ? 0 : -lx::kEnotconn;
  if (s.state == TcpState::connecting)
    return nonblocking(o, flags) ? -lx::kEagain : wait_for_open(k, t, open, lx::kIn);
  const bool over = s.rx_fin || s.rx_shut || s.state != TcpState::connected;
  // MSG_WAITALL takes bytes as they come, so that a full window cannot keep the rest away.
  const bool all = (flags & lx::kMsgWaitall) != 0 && !peek && !nonblocking(o, flags);
  if (s.rx_size > 0) {
    const u8* ring = k.p->rx[socket_index(k, s)];
    const u32 got = static_cast<u32>(least<u64>(want - t.wait.done, s.rx_size));
    if ((flags & lx::kMsgTrunc) == 0) {
      const u32 first = least(got, kRxBytes - s.rx_head);
      scatter(iov, n, t.wait.done, ring + s.rx_head, first);
      scatter(iov, n, t.wait.done + first, ring, got - first);
    }
    if (peek) return got;
    s.rx_size -= got;
    s.rx_head = s.rx_size == 0 ? 0 : (s.rx_head + got) % kRxBytes;
    s.rx_read += got;
    t.wait.done += got;
    tcp_window(k, s);
    if (!all || t.wait.done == want) return static_cast<long>(t.wait.done);
  }
  if (over || timed_out(k, t)) {
    if (t.wait.done > 0) return static_cast<long>(t.wait.done);
    if (over && s.error == 0) return 0;
    if (!over) return -lx::kEagain;
    const i32 error = s.error;
    s.error = 0;
    return -error;
  }
  if (nonblocking(o, flags)) return -lx::kEagain;
  return wait_for_open(k, t, open, lx::kIn,
                       s.rcv_timeout > 0 ? deadline_in(k, s.rcv_timeout) : LAB_NEVER);
}

bool tcp_deliver(Kernel& k, Socket& s, const u8* from, u32 n) {
  if (n == 0) return true;
  if (s.rx_shut && s.orphan) return false;
  if (s.rx_shut && s.fin_sent) {  // shut both ways: nobody will read, RFC 1122 wants a RST
    tcp_send_reset(k, s);
    return false;
  }
  if (s.rx_size + n > kRxBytes) {
    refuse(k, current(k), LAB_STOP_INTERNAL, "bytes beyond the window");
    return false;
  }
  ring_write(k.p->rx[socket_index(k, s)], kRxBytes, s.rx_head, s.rx_size, from, n);
  s.rx_size += n;
  s.rx_total += n;
  notify_socket(k, s, lx::kIn | lx::kRdnorm);
  return true;
}

void tcp_deliver_fin(Kernel& k, Socket& s) {
  if (s.state != TcpState::connected) return;
  s.rx_fin = true;
  notify_socket(k, s, lx::kIn | lx::kRdnorm | lx::kRdhup | (s.tx_shut ? u32{lx::kHup} : 0u));
}

void tcp_acked(Kernel& k, Socket& s, u64 position) {
  if (s.state != TcpState::connected || position <= s.tx_acked) return;
  s.tx_acked = position;
  if (s.nospace && writable(s)) {
    s.nospace = false;
    notify_socket(k, s, lx::kOut | lx::kWrnorm);
  }
  tcp_want(k, s);
}

void tcp_window(Kernel& k, Socket& s) {
  const u64 edge = s.rx_read + s.rcvbuf;
  if (s.state != TcpState::connected || s.rx_fin || edge < s.rx_edge + s.rcvbuf / 2) return;
  s.rx_edge = edge;
  if (Socket* peer = local_peer(k, s)) {
    peer->tx_edge = edge;
    if (peer->tx_size > 0 || (peer->tx_shut && !peer->fin_sent)) tcp_pump(k, *peer);
    // tcp_pump may have freed an orphaned peer; ask again.
    Socket* still = local_peer(k, s);
    if (still != nullptr && still->nospace && writable(*still)) {
      still->nospace = false;
      notify_socket(k, *still, lx::kOut | lx::kWrnorm);
    }
    return;
  }
  if (s.here) return;
  emit(k, LAB_OUT_WINDOW, handle_of(k, s), edge, 0);
}

}  // namespace lab::kernel
