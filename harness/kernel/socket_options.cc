// SPDX-License-Identifier: Apache-2.0
// getsockopt and setsockopt. What changes behaviour is kept and obeyed; what only tunes a real
// network (keep-alive times, Nagle, type of service) is kept and given back; the rest is
// ENOPROTOOPT, as on a kernel without it.
#include "harness/kernel/tcp.h"

namespace lab::kernel {
namespace {

constexpr long kSocket = 1, kIp = 0, kIp6 = 41, kTcp = 6;
enum SocketName : long {
  kReuseaddr = 2,
  kType = 3,
  kError = 4,
  kBroadcast = 6,
  kSndbuf = 7,
  kRcvbuf = 8,
  kKeepalive = 9,
  kPriority = 12,
  kLinger = 13,
  kReuseport = 15,
  kRcvlowat = 18,
  kSndlowat = 19,
  kRcvtimeo = 20,
  kSndtimeo = 21,
  kAcceptconn = 30,
  kProtocol = 38,
  kDomain = 39,
  kIncomingCpu = 49
};
enum TcpName : long {
  kNodelay = 1,
  kMaxseg = 2,
  kCork = 3,
  kKeepidle = 4,
  kKeepintvl = 5,
  kKeepcnt = 6,
  kSyncnt = 7,
  kDeferAccept = 9,
  kInfo = 11,
  kQuickack = 12,
  kCongestion = 13,
  kUserTimeout = 18,
  kFastopen = 23,
  kNotsentLowat = 25
};

struct Linger {
  i32 on, seconds;
};

u32 buffer_size(i64 asked) {
  // Linux doubles what is asked, for its own book-keeping; ours is bounded by the ring.
  return static_cast<u32>(least<i64>(most<i64>(asked * 2, 2304), kRxBytes));
}

struct Slot {
  bool known;
  bool* flag;
  i32* number;
};

Slot slot_of(Socket& s, long level, long name) {
  if (level == kSocket) {
    switch (name) {
      case kReuseaddr:
        return {true, &s.reuse_address, nullptr};
      case kBroadcast:
        return {true, &s.broadcast, nullptr};
      case kKeepalive:
        return {true, &s.keepalive, nullptr};
      case kReuseport:
        return {true, &s.reuse_port, nullptr};
      case kPriority:
        return {true, nullptr, &s.priority};
      default:
        return {false, nullptr, nullptr};
    }
  }
  if (level == kTcp && s.type == lx::kStream) {
    switch (name) {
      case kNodelay:
        return {true, &s.nodelay, nullptr};
      case kKeepidle:
        return {true, nullptr, &s.keep_idle};
      case kKeepintvl:
        return {true, nullptr, &s.keep_interval};
      case kKeepcnt:
        return {true, nullptr, &s.keep_count};
      case kUserTimeout:
        return {true, nullptr, &s.user_timeout};
      default:
        return {false, nullptr, nullptr};
    }
  }
  if (level == kIp6 && name == 26) return {true, &s.v6only, nullptr};
  return {false, nullptr, nullptr};
}

/// Accepted, kept nowhere: they change nothing that the lab models.
bool harmless(long level, long name) {
  if (level == kIp) return name >= 1 && name <= 24;
  if (level == kIp6) return name == 67 || name == 16 || name == 49 || name == 23;
  if (level == kTcp)
    return name == kCork || name == kQuickack || name == kSyncnt || name == kDeferAccept ||
           name == kFastopen || name == kNotsentLowat || name == kCongestion || name == kMaxseg;
  return name == kSndlowat || name == kIncomingCpu || name == 46 || name == 36;
}

long set(Socket& s, long level, long name, const u8* value, u64 size) {
  i32 number = 0;
  if (value == nullptr) return -lx::kEfault;
  copy(&number, value, least<u64>(size, 4));
  if (level == kSocket) {
    switch (name) {
      case kLinger: {
        Linger l;
        if (size < sizeof(l)) return -lx::kEinval;
        copy(&l, value, sizeof(l));
        s.linger_on = l.on != 0;
        s.linger_s = l.seconds;
        return 0;
      }
      case kRcvbuf:
        s.rcvbuf = buffer_size(number);
        return 0;
      case kSndbuf:
        s.sndbuf = most(buffer_size(number), 4608u);
        return 0;
      case kRcvlowat:
        s.rcv_lowat = number > 0 ? static_cast<u32>(number) : 1;
        return 0;
      case kRcvtimeo:
      case kSndtimeo: {
        lx::Timeval tv;
        if (size < sizeof(tv)) return -lx::kEinval;
        copy(&tv, value, sizeof(tv));
        (name == kRcvtimeo ? s.rcv_timeout : s.snd_timeout) =
            tv.sec * 1'000'000'000 + tv.usec * 1000;
        return 0;
      }
      default:
        break;
    }
  }
  const Slot slot = slot_of(s, level, name);
  if (slot.known) {
    if (size < 4) return -lx::kEinval;
    if (slot.flag != nullptr)
      *slot.flag = number != 0;
    else
      *slot.number = number;
    return 0;
  }
  return harmless(level, name) ? 0 : -lx::kEnoprotoopt;
}

long put(u8* to, u32* size, const void* from, u32 n) {
  *size = least(*size, n);
  copy(to, from, *size);
  return 0;
}

long get(Socket& s, long level, long name, u8* to, u32* size) {
  if (to == nullptr || size == nullptr) return -lx::kEfault;
  i32 number = 0;
  const Slot slot = slot_of(s, level, name);
  if (slot.known) {
    number = slot.flag != nullptr ? *slot.flag : *slot.number;
    return put(to, size, &number, 4);
  }
  if (level == kSocket) {
    switch (name) {
      case kError:
        number = s.error;
        s.error = 0;
        break;
      case kType:
        number = s.type;
        break;
      case kDomain:
        number = s.family;
        break;
      case kProtocol:
        number = s.type == lx::kStream ? 6 : 17;
        break;
      case kAcceptconn:
        number = s.state == TcpState::listening;
        break;
      case kRcvbuf:
        number = static_cast<i32>(s.rcvbuf);
        break;
      case kSndbuf:
        number = static_cast<i32>(s.sndbuf);
        break;
      case kRcvlowat:
        number = static_cast<i32>(s.rcv_lowat);
        break;
      case kSndlowat:
        number = 1;
        break;
      case kLinger: {
        const Linger l{s.linger_on, s.linger_s};
        return put(to, size, &l, sizeof(l));
      }
      case kRcvtimeo:
      case kSndtimeo: {
        const i64 ns = name == kRcvtimeo ? s.rcv_timeout : s.snd_timeout;
        const lx::Timeval tv{ns / 1'000'000'000, ns % 1'000'000'000 / 1000};
        return put(to, size, &tv, sizeof(tv));
      }
      default:
        return -lx::kEnoprotoopt;
    }
    return put(to, size, &number, 4);
  }
  if (level == kTcp && name == kMaxseg) {
    number = 1460;
    return put(to, size, &number, 4);
  }
  if (level == kTcp && name == kInfo) {
    u8 info[104] = {};
    info[0] = s.state == TcpState::connected ? 1 : s.state == TcpState::listening ? 10 : 7;
    return put(to, size, info, sizeof(info));
  }
  return harmless(level, name) ? put(to, size, &number, 4) : -lx::kEnoprotoopt;
}

}  // namespace

long socket_option(Kernel&, Thread& t, Socket& s, bool writing) {
  u8* value = reinterpret_cast<u8*>(t.args[3]);
  if (writing) return set(s, t.args[1], t.args[2], value, static_cast<u32>(t.args[4]));
  return get(s, t.args[1], t.args[2], value, reinterpret_cast<u32*>(t.args[4]));
}

}  // namespace lab::kernel
