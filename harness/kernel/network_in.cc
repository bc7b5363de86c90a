// SPDX-License-Identifier: Apache-2.0
// What the network brings: each entry of the inbox, applied to its socket. A socket that is gone
// answers bytes with a reset, as Linux does, and ignores the rest.
#include "harness/kernel/tcp.h"

namespace lab::kernel {
namespace {

constexpr u16 kByToken = 2;  // lab_entry::flags: id is the token of a connection still unnamed

Socket* find(Kernel& k, const lab_entry& entry) {
  if ((entry.flags & kByToken) == 0) return socket_of_handle(k, entry.id);
  for (u32 i = k.p->socket.high; i > 0; --i) {
    Socket& s = k.p->socket[i - 1];
    if (s.used && s.token == entry.id) return &s;
  }
  return nullptr;
}

void take_syn(Kernel& k, const lab_entry& entry, const u8* payload) {
  lab_addresses a;
  copy(&a, payload, sizeof(a));
  u64 edge = 0;
  copy(&edge, payload + sizeof(a), sizeof(edge));
  Socket* listener = socket_of_handle(k, entry.id);
  if (listener == nullptr || listener->state != TcpState::listening) {
    emit(k, LAB_OUT_REFUSED, 0, entry.value, 0);
    return;
  }
  Address local{}, remote{};
  copy(local.ip, a.local, 16);
  copy(remote.ip, a.remote, 16);
  local.port = a.local_port;
  remote.port = a.remote_port;
  Socket* child = tcp_child(k, *listener, local, remote);
  if (child == nullptr) return;
  child->token = entry.value;
  child->tx_edge = edge;
  child->rx_edge = k.h->port[listener->port1 - 1].window;
  emit(k, LAB_OUT_ACCEPTED, handle_of(k, *child), entry.value, 0);
}

void take_accepted(Kernel& k, Socket& s, u64 edge) {
  if (s.state != TcpState::connecting) return;
  --k.p->connecting;
  s.state = TcpState::connected;
  s.ever_connected = true;
  s.tx_edge = edge;
  notify_socket(k, s, lx::kOut | lx::kWrnorm);
}

void take_datagram(Kernel& k, Socket& s, const lab_entry& entry, const u8* payload) {
  if (s.ever_connected) {  // hears its peer only
    lab_addresses a;
    copy(&a, payload, sizeof(a));
    if (a.remote_port != s.remote.port || !same(a.remote, s.remote.ip, 16)) return;
  }
  // Kept as it came, header and all; a full buffer drops it, as Linux does.
  const u32 size = entry.size;
  const u32 need = size + 4;
  if (s.rx_size + need > least(s.rcvbuf, kRxBytes)) return;
  u8* ring = k.p->rx[socket_index(k, s)];
  ring_write(ring, kRxBytes, s.rx_head, s.rx_size, reinterpret_cast<const u8*>(&size), 4);
  ring_write(ring, kRxBytes, s.rx_head, s.rx_size + 4, payload, size);
  s.rx_size += need;
  ++s.datagrams;
  notify_socket(k, s, lx::kIn | lx::kRdnorm);
}

}  // namespace

u64 handle_of(Kernel& k, const Socket& s) {
  return socket_index(k, s) | static_cast<u64>(s.generation) << 32;
}

Socket* socket_of_handle(Kernel& k, u64 handle) {
  const u32 index = static_cast<u32>(handle);
  if (index >= k.p->socket.high) return nullptr;
  Socket& s = k.p->socket[index];
  return s.used && s.generation == handle >> 32 ? &s : nullptr;
}

void take_network_entry(Kernel& k, const lab_entry& entry, const u8* payload) {
  if (entry.kind == LAB_IN_SYN) return take_syn(k, entry, payload);
  Socket* s = find(k, entry);
  if (s == nullptr || (s->state == TcpState::closed && s->type == lx::kStream)) {
    if (entry.kind == LAB_IN_DATA)
      if (u8* to = emit(k, LAB_OUT_RESET, entry.id, 0, 0)) (void)to;
    return;
  }
  switch (entry.kind) {
    case LAB_IN_ACCEPTED:
      return take_accepted(k, *s, entry.value);
    case LAB_IN_REFUSED:
      if (s->state == TcpState::connecting) tcp_fail(k, *s, static_cast<i32>(entry.value));
      return;
    case LAB_IN_DATA:
      if (s->orphan || s->rx_fin) {  // nobody will read: Linux answers with RST
        tcp_send_reset(k, *s);
        if (s->orphan) tcp_free(k, *s);
        return;
      }
      tcp_deliver(k, *s, payload, entry.size);
      return;
    case LAB_IN_FIN:
      return tcp_deliver_fin(k, *s);
    case LAB_IN_RESET:
      return tcp_deliver_reset(k, *s, lx::kEconnreset);
    case LAB_IN_ACK:
      return tcp_acked(k, *s, entry.value);
    case LAB_IN_WINDOW:
      s->tx_edge = most(s->tx_edge, entry.value);
      return tcp_pump(k, *s);
    case LAB_IN_DATAGRAM:
      return take_datagram(k, *s, entry, payload);
    case LAB_IN_UNREACHABLE:
      if (!s->ever_connected) return;  // Linux tells connected sockets only
      s->error = static_cast<i32>(entry.value);
      notify_socket(k, *s, lx::kErr);
      return;
    default:
      refuse(k, current(k), LAB_STOP_INTERNAL, "unknown entry in the inbox");
  }
}

}  // namespace lab::kernel
