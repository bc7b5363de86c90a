// SPDX-License-Identifier: Apache-2.0
// UDP: whole datagrams, each kept as [u32 size | lab_addresses | bytes] in the socket's ring.
#include "harness/kernel/tcp.h"

namespace lab::kernel {
namespace {

constexpr u64 kMaxDatagram = 65507;

}  // namespace

u32 udp_first(Kernel& k, const Socket& s) {
  if (s.datagrams == 0) return 0;
  u32 entry = 0;
  ring_read(k.p->rx[socket_index(k, s)], kRxBytes, s.rx_head, 0, reinterpret_cast<u8*>(&entry), 4);
  return entry - static_cast<u32>(sizeof(lab_addresses));
}

long udp_send(Kernel& k, Thread& t, u32 open, const lx::Iovec* iov, u64 n, int, const Address* to) {
  (void)t;
  Socket& s = k.p->socket[k.p->open[open].object];
  if (s.error != 0) {
    const i32 error = s.error;
    s.error = 0;
    return -error;
  }
  if (to == nullptr && !s.ever_connected) return -lx::kEdestaddrreq;
  const Address& remote = to != nullptr ? *to : s.remote;
  const u64 size = total(iov, n);
  if (size > kMaxDatagram) return -lx::kEmsgsize;
  if (!s.bound) {
    if (s.family == lx::kInet) s.local.ip[10] = s.local.ip[11] = 0xff;
    const long bound = bind_ephemeral(k, s);
    if (bound < 0) return bound;
  }
  lab_addresses a{};
  copy(a.local, s.local.ip, 16);
  if (is_any(s.local)) source_for(k, remote, a.local);
  copy(a.remote, remote.ip, 16);
  a.local_port = s.local.port;
  a.remote_port = remote.port;
  u8* at = emit(k, LAB_OUT_DATAGRAM, handle_of(k, s), 0, sizeof(a) + size);
  if (at == nullptr) return kRefused;
  copy(at, &a, sizeof(a));
  gather(iov, n, 0, at + sizeof(a), size);
  return static_cast<long>(size);
}

long udp_recv(Kernel& k, Thread& t, u32 open, const lx::Iovec* iov, u64 n, int flags, Address* from,
              u32* out_flags) {
  Open& o = k.p->open[open];
  Socket& s = k.p->socket[o.object];
  if (s.error != 0) {
    const i32 error = s.error;
    s.error = 0;
    return -error;
  }
  if (s.datagrams == 0) {
    if (nonblocking(o, flags) || timed_out(k, t)) return -lx::kEagain;
    return wait_for_open(k, t, open, lx::kIn,
                         s.rcv_timeout > 0 ? deadline_in(k, s.rcv_timeout) : LAB_NEVER);
  }
  const u8* ring = k.p->rx[socket_index(k, s)];
  u32 entry = 0;
  ring_read(ring, kRxBytes, s.rx_head, 0, reinterpret_cast<u8*>(&entry), 4);
  lab_addresses a;
  ring_read(ring, kRxBytes, s.rx_head, 4, reinterpret_cast<u8*>(&a), sizeof(a));
  const u32 size = entry - static_cast<u32>(sizeof(a));
  u8* bytes = k.p->scratch;
  ring_read(ring, kRxBytes, s.rx_head, 4 + sizeof(a), bytes, size);
  const u64 got = scatter(iov, n, 0, bytes, size);
  if (from != nullptr) {
    zero(from, sizeof(*from));
    copy(from->ip, a.remote, 16);
    from->port = a.remote_port;
  }
  if (got < size) *out_flags |= lx::kMsgTrunc;
  if ((flags & lx::kMsgPeek) == 0) {
    s.rx_size -= entry + 4;
    s.rx_head = s.rx_size == 0 ? 0 : (s.rx_head + entry + 4) % kRxBytes;
    --s.datagrams;
  }
  return static_cast<long>((flags & lx::kMsgTrunc) != 0 ? size : got);
}

}  // namespace lab::kernel
