// SPDX-License-Identifier: Apache-2.0
// Inside TCP. The model: a connection is two byte streams. Positions count bytes from 0; a side may
// send up to the edge its peer allowed (the peer's read position plus its buffer), whatever lies
// beyond waits in its ring. There is nothing to retransmit: a lost segment comes late, in order.
//
//        written          sent            acknowledged (arrived in the peer's kernel)
//   tx_total >= tx_sent >= tx_acked       tx_sent <= tx_edge
//   rx_total - rx_read = rx_size <= rcvbuf,  rx_edge = what the peer was told last
//
// Acknowledgements and windows come with the next activation; a socket asks to be woken for them
// (LAB_OUT_WANT) only while somebody waits for room, so that a one-way stream costs its sender no
// activation at all.
//
// A connection within one process has no entries: the peer's ring is filled at once, as on a
// loopback whose softirq runs within send(2). Between two processes the controller carries.
#pragma once

#include "harness/kernel/internal.h"

namespace lab::kernel {

inline Socket* local_peer(Kernel& k, const Socket& s) {
  return s.peer1 == 0 ? nullptr : &k.p->socket[s.peer1 - 1];
}
inline u32 socket_index(const Kernel& k, const Socket& s) {
  return static_cast<u32>(&s - k.p->socket.item);
}
inline void notify_socket(Kernel& k, const Socket& s, u32 events) {
  if (s.open1 != 0) notify(k, s.open1 - 1, events);
}
/// Free room for the program to write into.
inline u32 send_room(const Socket& s) {
  const u64 outstanding = s.tx_total - least(s.tx_acked, s.tx_total);
  const u64 by_buffer = outstanding < s.sndbuf ? s.sndbuf - outstanding : 0;
  return static_cast<u32>(least<u64>(by_buffer, kTxBytes - s.tx_size));
}
/// sk_stream_is_writeable: a third of the buffer is free.
inline bool writable(const Socket& s) {
  const u64 outstanding = s.tx_total - least(s.tx_acked, s.tx_total);
  return send_room(s) > 0 && s.sndbuf - least<u64>(outstanding, s.sndbuf) >= outstanding / 2;
}
inline bool sending_shut(const Socket& s) {
  return s.tx_shut || s.state != TcpState::connected;
}

/// Both directions have ended and the peer knows: Linux's socket is in state CLOSE then.
inline bool finished(const Socket& s) {
  return s.rx_fin && s.fin_sent && s.tx_acked >= s.tx_total + 1;
}

void tcp_want(Kernel& k, Socket& s);
/// Bytes for this socket's reader; false when they do not fit (a bug of whoever allowed them).
bool tcp_deliver(Kernel& k, Socket& s, const u8* from, u32 n);
void tcp_deliver_fin(Kernel& k, Socket& s);
void tcp_deliver_reset(Kernel& k, Socket& s, i32 error);
void tcp_acked(Kernel& k, Socket& s, u64 position);
/// Tells the peer how far it may send, when that has grown enough to matter.
void tcp_window(Kernel& k, Socket& s);
void tcp_send_fin(Kernel& k, Socket& s);
void tcp_send_reset(Kernel& k, Socket& s);
/// A fresh child of a listener; nullptr when the table is full.
Socket* tcp_child(Kernel& k, Socket& listener, const Address& local, const Address& remote);
void tcp_free(Kernel& k, Socket& s);

}  // namespace lab::kernel
