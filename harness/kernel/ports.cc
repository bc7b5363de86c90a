// SPDX-License-Identifier: Apache-2.0
// Addresses and ports. Ports belong to the host: they lie in its shared page, so that two programs
// of one host cannot bind the same one, and the controller finds the listener of a SYN there.
//
// All addresses are 16 bytes, IPv4 as ::ffff:a.b.c.d; "own" are the host's address, 127/8 and ::1.
// Ephemeral ports are handed out in order from 32768; there is no TIME_WAIT (connections are
// numbered by the lab, so an old segment cannot be mistaken for one of a new connection).
#include "harness/kernel/internal.h"

namespace lab::kernel {
namespace {

constexpr u8 kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr u32 kFirstEphemeral = 32768, kLastEphemeral = 60999;

bool is_v4(const Address& a) {
  return same(a.ip, kMapped, 12);
}
bool is_loopback6(const Address& a) {
  for (int i = 0; i < 15; ++i)
    if (a.ip[i] != 0) return false;
  return a.ip[15] == 1;
}
bool is_any6(const Address& a) {
  for (u8 byte : a.ip)
    if (byte != 0) return false;
  return true;
}
bool is_any4(const Address& a) {
  return is_v4(a) && a.ip[12] == 0 && a.ip[13] == 0 && a.ip[14] == 0 && a.ip[15] == 0;
}

/// Could a packet reach both? (Linux's rule, without interfaces.)
bool overlap(const Port& p, const Socket& s, const Address& a) {
  if (p.address.port != a.port || p.type != s.type) return false;
  const bool p_v6_all = is_any6(p.address), s_v6_all = is_any6(a);
  if (p_v6_all && !p.v6only) return true;
  if (s_v6_all && !s.v6only) return true;
  if (p_v6_all || s_v6_all) return !is_v4(p.address) && !is_v4(a);
  if (is_v4(p.address) != is_v4(a)) return false;
  if (is_any4(p.address) || is_any4(a)) return true;
  return same(p.address.ip, a.ip, 16);
}

bool conflict(Kernel& k, const Socket& s, const Address& a) {
  for (u32 i = 0; i < k.h->port.high; ++i) {
    const Port& p = k.h->port[i];
    if (!p.used || i + 1 == s.port1 || !overlap(p, s, a)) continue;
    const bool share = p.reuse && s.reuse_address && !p.listening && s.type == lx::kStream;
    if (!share && !(p.reuse && s.reuse_port && s.type == lx::kDgram)) return true;
  }
  return false;
}

/// A closed listener leaves its port to the connections it accepted.
bool held_by_connection(Kernel& k, const Socket& s, const Address& a) {
  for (u32 i = 0; s.type == lx::kStream && i < k.p->socket.high; ++i) {
    const Socket& other = k.p->socket[i];
    if (!other.used || other.port1 != 0 || other.state != TcpState::connected) continue;
    if (other.local.port != a.port || (other.reuse_address && s.reuse_address)) continue;
    if (is_any(a) || same(other.local.ip, a.ip, 16)) return true;
  }
  return false;
}

long claim(Kernel& k, Socket& s, const Address& a) {
  const i32 i = k.h->port.take();
  if (i < 0) return -lx::kEnobufs;
  Port& p = k.h->port[static_cast<u32>(i)];
  p.type = s.type;
  p.family = s.family;
  p.v6only = s.v6only;
  p.reuse = s.reuse_address || (s.type == lx::kDgram && s.reuse_port);
  p.slot = k.control->slot;
  p.handle = handle_of(k, s);
  p.address = a;
  p.any = is_any(a);
  s.port1 = static_cast<u32>(i) + 1;
  s.local = a;
  s.bound = true;
  return 0;
}

}  // namespace

bool is_any(const Address& a) {
  return is_any6(a) || is_any4(a);
}

bool is_own(const Kernel& k, const Address& a) {
  if (is_loopback6(a)) return true;
  if (is_v4(a) && a.ip[12] == 127) return true;
  return same(a.ip, k.h->address, 16);
}

void source_for(const Kernel& k, const Address& to, u8* ip) {
  const bool loop = is_loopback6(to) || (is_v4(to) && to.ip[12] == 127);
  if (is_loopback6(to)) {
    copy(ip, to.ip, 16);
  } else if (loop) {
    copy(ip, kMapped, 12);
    ip[12] = 127;
    ip[13] = ip[14] = 0;
    ip[15] = 1;
  } else {
    copy(ip, k.h->address, 16);
  }
}

long bind_port(Kernel& k, Socket& s, Address a, bool) {
  if (s.bound) return -lx::kEinval;
  if (!is_any(a) && !is_own(k, a)) return -lx::kEaddrnotavail;
  if (a.port == 0) {
    s.local = a;
    return bind_ephemeral(k, s);
  }
  if (conflict(k, s, a) || held_by_connection(k, s, a)) return -lx::kEaddrinuse;
  return claim(k, s, a);
}

long bind_ephemeral(Kernel& k, Socket& s) {
  Host& h = *k.h;
  if (h.next_port == 0) h.next_port = kFirstEphemeral;
  for (u32 tries = 0; tries <= kLastEphemeral - kFirstEphemeral; ++tries) {
    Address a = s.local;
    a.port = static_cast<u16>(h.next_port);
    h.next_port = h.next_port == kLastEphemeral ? kFirstEphemeral : h.next_port + 1;
    if (!conflict(k, s, a) && !held_by_connection(k, s, a)) return claim(k, s, a);
  }
  return -lx::kEaddrnotavail;
}

void release_port(Kernel& k, Socket& s) {
  if (s.port1 == 0) return;
  k.h->port.give(s.port1 - 1);
  s.port1 = 0;
}

Port* find_listener(Kernel& k, const Address& to, u8 type) {
  Port* best = nullptr;
  for (u32 i = 0; i < k.h->port.high; ++i) {
    Port& p = k.h->port[i];
    if (!p.used || p.type != type || p.address.port != to.port) continue;
    if (type == lx::kStream && !p.listening) continue;
    if (same(p.address.ip, to.ip, 16)) return &p;  // the most special one wins
    const bool v4 = is_v4(to);
    if ((v4 && is_any4(p.address)) || (is_any6(p.address) && (!v4 || !p.v6only))) best = &p;
  }
  return best;
}

long read_address(const Socket& s, const u8* from, u64 n, Address* out) {
  if (from == nullptr) return -lx::kEfault;
  if (n < 2) return -lx::kEinval;
  u16 family = 0;
  copy(&family, from, 2);
  zero(out, sizeof(*out));
  const auto port = [&](u16 wire) { return static_cast<u16>(wire << 8 | wire >> 8); };
  if (s.family == lx::kInet) {
    lx::SockaddrIn in;
    if (n < sizeof(in)) return -lx::kEinval;
    copy(&in, from, sizeof(in));
    if (family != lx::kInet && family != 0) return -lx::kEafnosupport;
    copy(out->ip, kMapped, 12);
    copy(out->ip + 12, in.address, 4);
    out->port = port(in.port);
    return 0;
  }
  if (family == lx::kInet6) {
    lx::SockaddrIn6 in{};
    if (n < 24) return -lx::kEinval;
    copy(&in, from, least<u64>(n, sizeof(in)));
    copy(out->ip, in.address, 16);
    out->port = port(in.port);
    return 0;
  }
  return family == lx::kInet ? -lx::kEinval : -lx::kEafnosupport;
}

void write_address(const Socket& s, const Address& a, u8* to, u32* n) {
  const u16 port = static_cast<u16>(a.port << 8 | a.port >> 8);
  if (to == nullptr || n == nullptr) return;
  if (s.family == lx::kInet) {
    lx::SockaddrIn in{lx::kInet, port, {a.ip[12], a.ip[13], a.ip[14], a.ip[15]}, {}};
    copy(to, &in, least<u64>(*n, sizeof(in)));
    *n = sizeof(in);
    return;
  }
  lx::SockaddrIn6 in{lx::kInet6, port, 0, {}, 0};
  copy(in.address, a.ip, 16);
  copy(to, &in, least<u64>(*n, sizeof(in)));
  *n = sizeof(in);
}

}  // namespace lab::kernel
