// SPDX-License-Identifier: Apache-2.0
// Datagrams over the loopback of one host.
#include <sys/uio.h>

#include "harness/conformance/programs/say.h"

namespace {

using namespace say;

void cases(int family) {
  const auto make = [&] { return socket(family, SOCK_DGRAM | SOCK_NONBLOCK, 0); };
  const int a = make(), b = make();
  sockaddr_storage to{};
  socklen_t size = sizeof(to);
  if (family == AF_INET)
    result("bind", bind_to(a, ipv4("127.0.0.1", 0)));
  else
    result("bind", bind_to(a, ipv6("::1", 0)));
  getsockname(a, reinterpret_cast<sockaddr*>(&to), &size);
  const auto* address = reinterpret_cast<const sockaddr*>(&to);
  char buffer[2048] = {};
  result("nothing there", recv(a, buffer, sizeof(buffer), 0));
  result("send to nobody named", send(b, "x", 1, 0));
  result("sendto", sendto(b, "first", 5, 0, address, size));
  result("an empty one", sendto(b, nullptr, 0, 0, address, size));
  result("third", sendto(b, "third one", 9, 0, address, size));
  await(a, POLLIN);
  ready("receiver", a);
  int waiting = 0;
  ioctl(a, FIONREAD, &waiting);
  line("FIONREAD is of the first: %d", waiting);
  result("MSG_PEEK", recv(a, buffer, sizeof(buffer), MSG_PEEK));
  sockaddr_storage from{};
  socklen_t n = sizeof(from);
  result("recvfrom",
         recvfrom(a, buffer, sizeof(buffer), 0, reinterpret_cast<sockaddr*>(&from), &n));
  line("from the sender's port: %d, size %u",
       reinterpret_cast<sockaddr_in*>(&from)->sin_port == htons(port_of(b)), n);
  result("the empty one", recv(a, buffer, sizeof(buffer), 0));
  iovec one{buffer, 4};
  msghdr m{};
  m.msg_iov = &one;
  m.msg_iovlen = 1;
  result("cut short", recvmsg(a, &m, 0));
  line("MSG_TRUNC is told: %d", (m.msg_flags & MSG_TRUNC) != 0);
  result("nothing is left of it", recv(a, buffer, sizeof(buffer), 0));
  result("connect", connect(b, address, size));
  result("send", send(b, "hello", 5, 0));
  await(a, POLLIN);
  result("MSG_TRUNC asks the real size", recv(a, buffer, 2, MSG_TRUNC));
  iovec parts[2] = {{const_cast<char*>("ab"), 2}, {const_cast<char*>("cd"), 2}};
  result("writev makes one", writev(b, parts, 2));
  await(a, POLLIN);
  result("read", read(a, buffer, sizeof(buffer)));
  mmsghdr many[3] = {};
  for (mmsghdr& one_of : many) {
    one_of.msg_hdr.msg_iov = parts;
    one_of.msg_hdr.msg_iovlen = 2;
  }
  result("sendmmsg", sendmmsg(b, many, 3, 0));
  await(a, POLLIN);
  iovec in[3] = {{buffer, 10}, {buffer + 10, 10}, {buffer + 20, 10}};
  mmsghdr got[4] = {};
  for (int i = 0; i < 3; ++i) {
    got[i].msg_hdr.msg_iov = &in[i];
    got[i].msg_hdr.msg_iovlen = 1;
  }
  result("recvmmsg", recvmmsg(a, got, 3, MSG_DONTWAIT, nullptr));
  line("lengths %u %u %u", got[0].msg_len, got[1].msg_len, got[2].msg_len);
  static char huge[70'000];
  result("too large", send(b, huge, sizeof(huge), 0));
  result("from a third to a connected one", [&] {
    const int c = make();
    sockaddr_storage at{};
    socklen_t s = sizeof(at);
    getsockname(b, reinterpret_cast<sockaddr*>(&at), &s);
    const long r = sendto(c, "z", 1, 0, reinterpret_cast<sockaddr*>(&at), s);
    close(c);
    return r;
  }());
  result("is not seen", recv(b, buffer, sizeof(buffer), 0));
  result("listen", listen(a, 1));
  result("accept", accept(a, nullptr, nullptr));
  close(a);
  result("to a port that closed", send(b, "x", 1, 0));
  await(b, POLLERR);
  ready("refused", b);
  result("next receive", recv(b, buffer, sizeof(buffer), 0));
  result("and then", recv(b, buffer, sizeof(buffer), 0));
  close(b);
}

}  // namespace

int main() {
  line("-- IPv4");
  cases(AF_INET);
  line("-- IPv6");
  cases(AF_INET6);
}
