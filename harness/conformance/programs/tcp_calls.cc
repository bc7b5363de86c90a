// SPDX-License-Identifier: Apache-2.0
// The socket calls over the loopback of one host: names, options, bind errors, flags, errors.
#include <sys/uio.h>

#include "harness/conformance/programs/say.h"

namespace {

using namespace say;

void refused() {
  const int unused = listener();
  const int port = port_of(unused);
  close(unused);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  result("blocking connect to nobody", connect_to(fd, ipv4("127.0.0.1", port)));
  so_error("after it", fd);
  close(fd);
  fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int r = connect_to(fd, ipv4("127.0.0.1", port));
  line("non-blocking connect to nobody: %s", r == 0 ? "0" : "failed or under way");
  await(fd, POLLOUT);
  ready("its events", fd);
  so_error("first", fd);
  so_error("second", fd);
  ready("events after the error was taken", fd);
  close(fd);
}

void connect_without_blocking() {
  const int l = listener();
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  ready("a fresh socket", fd);
  const sockaddr_in a = ipv4("127.0.0.1", port_of(l));
  result("connect", connect_to(fd, a));
  await(fd, POLLOUT);
  ready("connected", fd);
  so_error("connected", fd);
  result("connect again", connect_to(fd, a));
  result("and again", connect_to(fd, a));
  close(fd);
  close(l);
}

void names() {
  const Connection c = connection();
  sockaddr_in a{};
  socklen_t size = sizeof(a);
  result("getpeername", getpeername(c.near, reinterpret_cast<sockaddr*>(&a), &size));
  line("family %d size %u address %s port as the listener's %d", a.sin_family, size,
       inet_ntoa(a.sin_addr), ntohs(a.sin_port) == port_of(c.listener));
  size = sizeof(a);
  getpeername(c.far, reinterpret_cast<sockaddr*>(&a), &size);
  line("the other end sees our port: %d", ntohs(a.sin_port) == port_of(c.near));
  size = 4;  // too small: filled as far as it goes, the real size told
  char small[16] = {};
  result("short getsockname", getsockname(c.near, reinterpret_cast<sockaddr*>(small), &size));
  line("told size %u", size);
  result("getpeername of a listener",
         getpeername(c.listener, reinterpret_cast<sockaddr*>(&a), &size));
  const int fresh = socket(AF_INET, SOCK_STREAM, 0);
  size = sizeof(a);
  result("getsockname of a fresh one", getsockname(fresh, reinterpret_cast<sockaddr*>(&a), &size));
  line("is %s:%d", inet_ntoa(a.sin_addr), ntohs(a.sin_port));
  result("getsockname of no descriptor", getsockname(999, reinterpret_cast<sockaddr*>(&a), &size));
  result("getsockname of a file", getsockname(0, reinterpret_cast<sockaddr*>(&a), &size));
  close(fresh);
  close(c.near), close(c.far), close(c.listener);
}

void bind_errors() {
  const int l = listener();
  const sockaddr_in same = ipv4("127.0.0.1", port_of(l));
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  result("bind to a taken port", bind_to(fd, same));
  result("bind to a foreign address", bind_to(fd, ipv4("192.0.2.1", 0)));
  result("bind with a short address", bind(fd, reinterpret_cast<const sockaddr*>(&same), 4));
  sockaddr_in strange = ipv4("127.0.0.1", 0);
  strange.sin_family = AF_UNIX;
  result("bind with a strange family", bind_to(fd, strange));
  result("bind", bind_to(fd, ipv4("127.0.0.1", 0)));
  result("bind twice", bind_to(fd, ipv4("127.0.0.1", 0)));
  result("listen", listen(fd, 5));
  result("listen again", listen(fd, 6));
  result("connect of a listener", connect_to(fd, same));
  close(fd);
  fd = socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  result("reuse against a listener", bind_to(fd, same));
  result("accept of what does not listen", accept(fd, nullptr, nullptr));
  result("accept of a descriptor that is none", accept(999, nullptr, nullptr));
  result("bind to a descriptor that is none", bind_to(999, same));
  close(fd);
  // The wildcard and an address of the same port are in each other's way.
  fd = socket(AF_INET, SOCK_STREAM, 0);
  result("wildcard beside an address", bind_to(fd, ipv4("0.0.0.0", port_of(l))));
  close(fd);
  // A listener is gone, a connection of its port is not: SO_REUSEADDR is what lets one come back.
  const Connection c = connection();
  const int port = port_of(c.listener);
  close(c.listener);
  fd = socket(AF_INET, SOCK_STREAM, 0);
  result("bind beside a living connection", bind_to(fd, ipv4("127.0.0.1", port)));
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  line("reuse of a port whose connection did not ask for it: %s",
       bind_to(fd, ipv4("127.0.0.1", port)) == 0 ? "ok" : strerrorname_np(errno));
  close(fd), close(c.near), close(c.far), close(l);
}

void reuse() {
  const int on = 1;
  const int l = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  bind_to(l, ipv4("127.0.0.1", 0));
  listen(l, 4);
  const int port = port_of(l);
  const int near = socket(AF_INET, SOCK_STREAM, 0);
  connect_to(near, ipv4("127.0.0.1", port));
  const int far = accept(l, nullptr, nullptr);
  close(l);
  const int again = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(again, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  result("bind again with reuse", bind_to(again, ipv4("127.0.0.1", port)));
  result("listen again", listen(again, 4));
  result("the old connection lives", write(near, "x", 1));
  read_text("on its other end", far);
  close(near), close(far), close(again);
}

void families() {
  const int off = 0, on = 1;
  int l = socket(AF_INET6, SOCK_STREAM, 0);
  line("V6ONLY at first: %d", number_option(l, IPPROTO_IPV6, IPV6_V6ONLY));
  setsockopt(l, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  result("bind ::", bind_to(l, ipv6("::", 0)));
  listen(l, 8);
  const int port = port_of(l);
  const int four = socket(AF_INET, SOCK_STREAM, 0);
  result("IPv4 to a dual-stack listener", connect_to(four, ipv4("127.0.0.1", port)));
  sockaddr_in6 a{};
  socklen_t size = sizeof(a);
  int far = accept(l, reinterpret_cast<sockaddr*>(&a), &size);
  char text[INET6_ADDRSTRLEN];
  line("seen from %s, size %u", inet_ntop(AF_INET6, &a.sin6_addr, text, sizeof(text)), size);
  size = sizeof(a);
  getsockname(far, reinterpret_cast<sockaddr*>(&a), &size);
  line("arrived at %s", inet_ntop(AF_INET6, &a.sin6_addr, text, sizeof(text)));
  close(four), close(far);
  const int six = socket(AF_INET6, SOCK_STREAM, 0);
  result("IPv6 to it", connect_to(six, ipv6("::1", port)));
  size = sizeof(a);
  far = accept(l, reinterpret_cast<sockaddr*>(&a), &size);
  line("seen from %s", inet_ntop(AF_INET6, &a.sin6_addr, text, sizeof(text)));
  close(six), close(far);
  const int mapped = socket(AF_INET6, SOCK_STREAM, 0);
  result("a mapped address to it", connect_to(mapped, ipv6("::ffff:127.0.0.1", port)));
  close(mapped);
  close(l);
  l = socket(AF_INET6, SOCK_STREAM, 0);
  setsockopt(l, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
  bind_to(l, ipv6("::", 0));
  listen(l, 8);
  const int refused4 = socket(AF_INET, SOCK_STREAM, 0);
  result("IPv4 to an IPv6-only listener", connect_to(refused4, ipv4("127.0.0.1", port_of(l))));
  close(refused4);
  const int beside = socket(AF_INET, SOCK_STREAM, 0);
  result("IPv4 wildcard beside it", bind_to(beside, ipv4("0.0.0.0", port_of(l))));
  close(beside), close(l);
  // The other order of families: an IPv4 address where IPv6 is meant.
  const int wrong = socket(AF_INET6, SOCK_STREAM, 0);
  result("bind IPv4 to an IPv6 socket", bind_to(wrong, ipv4("127.0.0.1", 0)));
  close(wrong);
}

void flags_of_accept() {
  const int l = listener();
  const auto dial = [&] {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    connect_to(fd, ipv4("127.0.0.1", port_of(l)));
    return fd;
  };
  int near = dial();
  int fd = accept4(l, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  line("accept4: nonblock %d cloexec %d", (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0,
       fcntl(fd, F_GETFD));
  result("read of nothing", read(fd, &fd, 1));
  close(near);
  near = dial();
  nonblocking(l);
  fd = accept(l, nullptr, nullptr);
  line("accept: nonblock %d cloexec %d (not inherited)", (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0,
       fcntl(fd, F_GETFD));
  result("accept of nobody", accept(l, nullptr, nullptr));
  result("accept4 with strange flags", accept4(l, nullptr, nullptr, 1));
  close(fd), close(near), close(l);
}

void options() {
  const Connection c = connection();
  line("type %d protocol %d domain %d accepting %d and %d",
       number_option(c.near, SOL_SOCKET, SO_TYPE), number_option(c.near, SOL_SOCKET, SO_PROTOCOL),
       number_option(c.near, SOL_SOCKET, SO_DOMAIN),
       number_option(c.near, SOL_SOCKET, SO_ACCEPTCONN),
       number_option(c.listener, SOL_SOCKET, SO_ACCEPTCONN));
  line("nodelay %d keepalive %d reuse %d", number_option(c.near, IPPROTO_TCP, TCP_NODELAY),
       number_option(c.near, SOL_SOCKET, SO_KEEPALIVE),
       number_option(c.near, SOL_SOCKET, SO_REUSEADDR));
  const int on = 1;
  result("set nodelay", setsockopt(c.near, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)));
  line("nodelay %d", number_option(c.near, IPPROTO_TCP, TCP_NODELAY));
  int size = 8192;
  result("set receive buffer", setsockopt(c.near, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
  line("is doubled: %d", number_option(c.near, SOL_SOCKET, SO_RCVBUF));
  result("set send buffer", setsockopt(c.near, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
  line("is doubled: %d", number_option(c.near, SOL_SOCKET, SO_SNDBUF));
  result("an unknown option", setsockopt(c.near, SOL_SOCKET, 12345, &on, sizeof(on)));
  result("too short a value", setsockopt(c.near, SOL_SOCKET, SO_KEEPALIVE, &on, 2));
  result("an option of no socket", setsockopt(0, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)));
  linger l{1, 7};
  setsockopt(c.near, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
  socklen_t n = sizeof(l);
  l = {};
  getsockopt(c.near, SOL_SOCKET, SO_LINGER, &l, &n);
  line("linger %d %d size %u", l.l_onoff, l.l_linger, n);
  timeval tv{0, 20'000};
  result("receive time-out", setsockopt(c.far, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
  char byte;
  result("read until it ends", read(c.far, &byte, 1));
  result("a socket of no family", socket(123, SOCK_STREAM, 0));
  result("a socket of no type", socket(AF_INET, 99, 0));
  result("a socket of the wrong protocol", socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
  l.l_onoff = 0;
  setsockopt(c.near, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
  close(c.near), close(c.far), close(c.listener);
}

void bytes() {
  const Connection c = connection();
  iovec out[3] = {
      {const_cast<char*>("one "), 4}, {nullptr, 0}, {const_cast<char*>("two three"), 9}};
  result("writev", writev(c.near, out, 3));
  await(c.far, POLLIN);
  int waiting = 0;
  ioctl(c.far, FIONREAD, &waiting);
  line("FIONREAD %d", waiting);
  char a[4] = {}, b[6] = {};
  iovec in[2] = {{a, 3}, {b, 5}};
  result("readv", readv(c.far, in, 2));
  line("got \"%s\" \"%s\"", a, b);
  char buffer[64] = {};
  result("MSG_PEEK", recv(c.far, buffer, 3, MSG_PEEK));
  line("peeked \"%s\"", buffer);
  result("read after the peek", recv(c.far, buffer, sizeof(buffer), 0));
  line("read \"%s\"", buffer);
  result("MSG_DONTWAIT of nothing", recv(c.far, buffer, 1, MSG_DONTWAIT));
  result("MSG_DONTWAIT | MSG_PEEK of nothing", recv(c.far, buffer, 1, MSG_DONTWAIT | MSG_PEEK));
  result("a read of no bytes", read(c.far, buffer, 0));
  result("a write of no bytes", write(c.near, buffer, 0));
  msghdr m{};
  m.msg_iov = out;
  m.msg_iovlen = 3;
  result("sendmsg", sendmsg(c.near, &m, 0));
  await(c.far, POLLIN);
  sockaddr_in from{};
  m = {};
  iovec one{buffer, sizeof(buffer)};
  m.msg_iov = &one;
  m.msg_iovlen = 1;
  m.msg_name = &from;
  m.msg_namelen = sizeof(from);
  result("recvmsg", recvmsg(c.far, &m, 0));
  line("flags %d name length %u", m.msg_flags, m.msg_namelen);
  result("sendto ignores an address",
         sendto(c.near, "z", 1, 0, reinterpret_cast<sockaddr*>(&from), sizeof(from)));
  await(c.far, POLLIN);
  result("MSG_TRUNC discards", recv(c.far, nullptr, 1, MSG_TRUNC));
  ioctl(c.near, SIOCOUTQ, &waiting);
  line("SIOCOUTQ when all was read: %d", waiting);
  // Two writes, one wait for both together.
  write(c.near, "12345", 5);
  write(c.near, "67890", 5);
  memset(buffer, 0, sizeof(buffer));
  result("MSG_WAITALL", recv(c.far, buffer, 10, MSG_WAITALL));
  line("got \"%s\"", buffer);
  write(c.near, "short", 5);
  shutdown(c.near, SHUT_WR);
  result("MSG_WAITALL ends early at the end", recv(c.far, buffer, 10, MSG_WAITALL));
  result("a send out of band is not stream", send(c.near, "o", 1, MSG_NOSIGNAL));
  close(c.near), close(c.far), close(c.listener);
}

void shutdowns() {
  Connection c = connection();
  result("shutdown SHUT_RD", shutdown(c.near, SHUT_RD));
  ready("near after SHUT_RD", c.near);
  char byte;
  result("read after SHUT_RD", read(c.near, &byte, 1));
  result("write to who shut reading", write(c.far, "x", 1));
  await(c.near, POLLIN);
  result("still readable what came later", recv(c.near, &byte, 1, MSG_DONTWAIT));
  result("shutdown SHUT_WR", shutdown(c.near, SHUT_WR));
  ready("near after both", c.near);
  await(c.far, POLLRDHUP);
  ready("far", c.far);
  result("far reads the end", read(c.far, &byte, 1));
  result("write after SHUT_WR", send(c.near, "x", 1, MSG_NOSIGNAL));
  result("shutdown again", shutdown(c.near, SHUT_WR));
  result("far may still write", send(c.far, "y", 1, MSG_NOSIGNAL));
  result("shutdown of a strange kind", shutdown(c.far, 17));
  result("shutdown SHUT_RDWR", shutdown(c.far, SHUT_RDWR));
  ready("far after all", c.far);
  close(c.near), close(c.far);
  const int fresh = socket(AF_INET, SOCK_STREAM, 0);
  result("shutdown of a fresh one", shutdown(fresh, SHUT_RDWR));
  result("send of a fresh one", send(fresh, "x", 1, MSG_NOSIGNAL));
  result("recv of a fresh one", recv(fresh, &byte, 1, 0));
  result("shutdown of the listener", shutdown(c.listener, SHUT_RDWR));
  ready("the listener", c.listener);
  result("accept", accept(c.listener, nullptr, nullptr));
  close(fresh), close(c.listener);
}

void resets() {
  // Closing with unread bytes resets.
  Connection c = connection();
  write(c.near, "unread", 6);
  await(c.far, POLLIN);
  close(c.far);
  await(c.near, POLLHUP);
  ready("after a close with unread bytes", c.near);
  char byte;
  result("read", read(c.near, &byte, 1));
  result("read again", read(c.near, &byte, 1));
  result("write", send(c.near, "x", 1, MSG_NOSIGNAL));
  ready("in the end", c.near);
  sockaddr_in a{};
  socklen_t size = sizeof(a);
  result("getpeername after a reset", getpeername(c.near, reinterpret_cast<sockaddr*>(&a), &size));
  close(c.near), close(c.listener);
  // SO_LINGER 0 resets, and takes what was not read with it.
  c = connection();
  const linger l{1, 0};
  setsockopt(c.near, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
  write(c.near, "lost", 4);
  await(c.far, POLLIN);
  close(c.near);
  await(c.far, POLLHUP);
  ready("after SO_LINGER 0", c.far);
  so_error("after it", c.far);
  result("read", read(c.far, &byte, 1));
  close(c.far), close(c.listener);
  // The end came first, then a write to who is gone: EPIPE where it was ECONNRESET before.
  c = connection();
  close(c.far);
  await(c.near, POLLRDHUP);
  ready("after a clean close", c.near);
  result("read", read(c.near, &byte, 1));
  result("first write", send(c.near, "x", 1, MSG_NOSIGNAL));
  await(c.near, POLLHUP);
  ready("after it", c.near);
  so_error("after it", c.near);
  result("second write", send(c.near, "x", 1, MSG_NOSIGNAL));
  result("read", read(c.near, &byte, 1));
  close(c.near), close(c.listener);
}

void full_backlog() {
  const int l = listener(1);
  const sockaddr_in a = ipv4("127.0.0.1", port_of(l));
  int fds[3];
  for (int i = 0; i < 3; ++i) {
    fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    connect_to(fds[i], a);
    if (i < 2) await(fds[i], POLLOUT);
  }
  ready("first", fds[0], POLLOUT);
  ready("second (backlog is one more than asked)", fds[1], POLLOUT);
  ready("third waits", fds[2], POLLOUT, 20);
  const int first = accept(l, nullptr, nullptr);
  await(fds[2], POLLOUT);  // its SYN goes out again after a second
  ready("third after an accept", fds[2], POLLOUT);
  const int second = accept(l, nullptr, nullptr);
  result("a third accept is not empty-handed", accept(l, nullptr, nullptr) >= 0 ? 0 : -1);
  close(first), close(second), close(l);
  for (const int fd : fds)
    close(fd);
}

void listener_closes() {
  const int l = listener();
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  connect_to(fd, ipv4("127.0.0.1", port_of(l)));
  close(l);
  await(fd, POLLHUP);
  ready("nobody accepted, then the listener closed", fd);
  char byte;
  result("read", read(fd, &byte, 1));
  close(fd);
}

}  // namespace

int main(int argc, char** argv) {
  struct Named {
    const char* name;
    void (*run)();
  };
  const Named cases[] = {{"refused", refused},
                         {"connect_without_blocking", connect_without_blocking},
                         {"names", names},
                         {"bind_errors", bind_errors},
                         {"reuse", reuse},
                         {"families", families},
                         {"flags_of_accept", flags_of_accept},
                         {"options", options},
                         {"bytes", bytes},
                         {"shutdowns", shutdowns},
                         {"resets", resets},
                         {"full_backlog", full_backlog},
                         {"listener_closes", listener_closes}};
  for (const Named& c : cases) {
    if (argc > 1 && strcmp(argv[1], c.name) != 0) continue;
    line("-- %s", c.name);
    c.run();
  }
}
