// SPDX-License-Identifier: Apache-2.0
// send and receive in all their spellings; UDP's own part is in udp.cc.
#include "harness/kernel/numbers.h"
#include "harness/kernel/tcp.h"

namespace lab::kernel {
namespace {

struct Found {
  u32 open;
  Socket* socket;
  long error;
};

Found find(Kernel& k, long fd) {
  Open* o = open_of(k, static_cast<int>(fd));
  if (o == nullptr) return {0, nullptr, -lx::kEbadf};
  if (o->kind == Kind::pair) return {index_of(k, o), nullptr, 0};
  if (o->kind != Kind::socket) return {0, nullptr, -lx::kEnotsock};
  return {index_of(k, o), &k.p->socket[o->object], 0};
}

bool forbidden(int flags) {
  return (flags & (lx::kMsgOob | lx::kMsgErrqueue)) != 0;
}

long send_message(Kernel& k, Thread& t, const Found& f, const lx::Msghdr& m, int flags) {
  if (forbidden(flags)) return -lx::kEopnotsupp;
  if (f.socket == nullptr) {
    if (m.controllen != 0)
      return refuse(k, t, LAB_STOP_REFUSED_CALL, "no descriptors through a socketpair");
    return pipe_write(k, t, f.open, m.iov, m.iovlen, flags);
  }
  Address to;
  const bool named = m.name != nullptr && m.namelen > 0;
  if (named && f.socket->type == lx::kDgram) {
    const long read = read_address(*f.socket, m.name, m.namelen, &to);
    if (read < 0) return read;
    return socket_send(k, t, f.open, m.iov, m.iovlen, flags, &to);
  }
  return socket_send(k, t, f.open, m.iov, m.iovlen, flags, nullptr);
}

long receive_message(Kernel& k, Thread& t, const Found& f, lx::Msghdr& m, int flags) {
  if ((flags & lx::kMsgErrqueue) != 0) return -lx::kEagain;
  if ((flags & lx::kMsgOob) != 0) return -lx::kEinval;
  m.flags = 0;
  if (f.socket == nullptr) {
    m.controllen = 0;
    return pipe_read(k, t, f.open, m.iov, m.iovlen, flags);
  }
  if (f.socket->type == lx::kStream) {
    const long n = tcp_recv(k, t, f.open, m.iov, m.iovlen, flags);
    if (n >= 0) m.controllen = 0;
    if (n >= 0 && m.name != nullptr) m.namelen = 0;
    return n;
  }
  Address from;
  u32 out = 0;
  const long n = udp_recv(k, t, f.open, m.iov, m.iovlen, flags, &from, &out);
  if (n < 0) return n;
  m.controllen = 0;
  m.flags = static_cast<i32>(out);
  if (m.name != nullptr) write_address(*f.socket, from, m.name, &m.namelen);
  return n;
}

/// sendmmsg and recvmmsg: as many as go without waiting, after the first.
long many(Kernel& k, Thread& t, const Found& f, bool sending) {
  lx::Mmsghdr* list = reinterpret_cast<lx::Mmsghdr*>(t.args[1]);
  const u32 count = least<u32>(static_cast<u32>(t.args[2]), 1024);
  const int flags = static_cast<int>(t.args[3]) & ~lx::kMsgWaitforone;
  u32 done = 0;
  for (; done < count; ++done) {
    const int one = done == 0 ? flags : flags | lx::kMsgDontwait;
    const Wait kept = t.wait;
    const long n = sending ? send_message(k, t, f, list[done].hdr, one)
                           : receive_message(k, t, f, list[done].hdr, one);
    if (n < 0) {
      if (done == 0) return n;
      t.wait = kept;
      break;
    }
    t.wait.done = 0;
    list[done].len = static_cast<u32>(n);
  }
  return done;
}

}  // namespace

long call_messages(Kernel& k, Thread& t, bool* mine) {
  lx::Iovec one{reinterpret_cast<u8*>(t.args[1]), static_cast<u64>(t.args[2])};
  const int flags = static_cast<int>(t.args[3]);
  switch (t.call) {
    case nr::k_sendto: {
      const Found f = find(k, t.args[0]);
      if (f.error != 0) return f.error;
      lx::Msghdr m{};
      m.name = reinterpret_cast<u8*>(t.args[4]);
      m.namelen = static_cast<u32>(t.args[5]);
      m.iov = &one;
      m.iovlen = 1;
      return send_message(k, t, f, m, flags);
    }
    case nr::k_recvfrom: {
      const Found f = find(k, t.args[0]);
      if (f.error != 0) return f.error;
      lx::Msghdr m{};
      u32* size = reinterpret_cast<u32*>(t.args[5]);
      m.name = reinterpret_cast<u8*>(t.args[4]);
      m.namelen = size != nullptr ? *size : 0;
      m.iov = &one;
      m.iovlen = 1;
      const long n = receive_message(k, t, f, m, flags);
      if (n >= 0 && size != nullptr && m.name != nullptr) *size = m.namelen;
      return n;
    }
    case nr::k_sendmsg:
    case nr::k_recvmsg: {
      const Found f = find(k, t.args[0]);
      if (f.error != 0) return f.error;
      lx::Msghdr* m = reinterpret_cast<lx::Msghdr*>(t.args[1]);
      if (m == nullptr) return -lx::kEfault;
      const int message_flags = static_cast<int>(t.args[2]);
      return t.call == nr::k_sendmsg ? send_message(k, t, f, *m, message_flags)
                                     : receive_message(k, t, f, *m, message_flags);
    }
    case nr::k_sendmmsg:
    case nr::k_recvmmsg: {
      const Found f = find(k, t.args[0]);
      return f.error != 0 ? f.error : many(k, t, f, t.call == nr::k_sendmmsg);
    }
    default:
      *mine = false;
      return 0;
  }
}

}  // namespace lab::kernel
