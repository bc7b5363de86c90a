// SPDX-License-Identifier: Apache-2.0
// Both ends of TCP connections in one process: refused, reset, half-closed, peeked, full, gone.
#include <signal.h>
#include <sys/uio.h>

#include <vector>

#include "harness/conformance/programs/say.h"

using namespace say;

namespace {

struct Pair {
  int client = -1, server = -1;
};

Pair joined() {
  const int l = listener("127.0.0.1", 0);
  Pair p;
  p.client = socket(AF_INET, SOCK_STREAM, 0);
  connect_to(p.client, ipv4("127.0.0.1", port_of(l)));
  p.server = accept(l, nullptr, nullptr);
  close(l);
  return p;
}

void drop(const Pair& p) {
  close(p.client);
  close(p.server);
}

void fresh_socket() {
  printf("# a fresh socket\n");
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  char c;
  printf("poll %s\n", events(readiness(fd)).c_str());
  show("read", read(fd, &c, 1));
  show("send", send(fd, "x", 1, MSG_NOSIGNAL));
  show("shutdown", shutdown(fd, SHUT_WR));
  sockaddr_in a{};
  socklen_t n = sizeof(a);
  show("getpeername", getpeername(fd, reinterpret_cast<sockaddr*>(&a), &n));
  show("accept", accept(fd, nullptr, nullptr));
  close(fd);
  show("read after close", read(fd, &c, 1));
}

void refused() {
  printf("# refused\n");
  const int l = listener("127.0.0.1", 0);
  const sockaddr_in nobody = ipv4("127.0.0.1", port_of(l));
  close(l);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  show("connect", connect_to(fd, nobody));
  close(fd);
  fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  show("connect, non-blocking", connect_to(fd, nobody));
  wait_for(fd, POLLOUT);
  printf("poll %s\n", events(readiness(fd)).c_str());
  printf("SO_ERROR %s\n", error_name(pending_error(fd)));
  printf("SO_ERROR %s\n", error_name(pending_error(fd)));
  close(fd);
}

void connecting() {
  printf("# connecting\n");
  const int l = listener("127.0.0.1", 0);
  const sockaddr_in a = ipv4("127.0.0.1", port_of(l));
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  show("connect, non-blocking", connect_to(fd, a));
  wait_for(fd, POLLOUT);
  printf("poll %s\n", events(readiness(fd)).c_str());
  printf("SO_ERROR %s\n", error_name(pending_error(fd)));
  show("connect again", connect_to(fd, a));
  show("and again", connect_to(fd, a));
  wait_for(l, POLLIN);
  sockaddr_in peer{}, own{};
  socklen_t n = sizeof(peer);
  const int s = accept(l, reinterpret_cast<sockaddr*>(&peer), &n);
  n = sizeof(own);
  getsockname(fd, reinterpret_cast<sockaddr*>(&own), &n);
  printf("accept names the client: %d\n", peer.sin_port == own.sin_port);
  printf("client address %s\n", inet_ntoa(own.sin_addr));
  nonblocking(l);
  show("accept, empty", accept(l, nullptr, nullptr));
  show("listen on a connected socket", listen(fd, 5));
  close(s);
  close(fd);
  close(l);
}

void bytes() {
  printf("# bytes\n");
  const Pair p = joined();
  char b[64] = {};
  printf("poll %s\n", events(readiness(p.server)).c_str());
  show("recv, nothing there", recv(p.server, b, 10, MSG_DONTWAIT));
  show("write", write(p.client, "hello world", 11));
  wait_for(p.server, POLLIN);
  printf("poll %s\n", events(readiness(p.server)).c_str());
  int n = 0;
  ioctl(p.server, FIONREAD, &n);
  printf("FIONREAD %d\n", n);
  show("peek", recv(p.server, b, 5, MSG_PEEK));
  show("peek", recv(p.server, b, 64, MSG_PEEK));
  show("read", read(p.server, b, 4));
  printf("%.4s\n", b);
  show("read", read(p.server, b, 64));
  printf("%.7s\n", b);
  iovec out[3] = {
      {const_cast<char*>("ab"), 2}, {const_cast<char*>("cde"), 3}, {const_cast<char*>("f"), 1}};
  show("writev", writev(p.client, out, 3));
  wait_for(p.server, POLLIN);
  char x[2], y[10];
  iovec in[2] = {{x, 2}, {y, 10}};
  show("readv", readv(p.server, in, 2));
  printf("%.2s %.4s\n", x, y);
  msghdr m{};
  m.msg_iov = in;
  m.msg_iovlen = 2;
  show("sendmsg", sendmsg(p.client, &m, 0));
  wait_for(p.server, POLLIN);
  show("recvmsg", recvmsg(p.server, &m, 0));
  show("recv of nothing", recv(p.server, b, 0, MSG_DONTWAIT));
  show("write of nothing", write(p.client, b, 0));
  drop(p);
}

void half_closed() {
  printf("# half-closed\n");
  const Pair p = joined();
  char b[64];
  write(p.client, "last", 4);
  show("shutdown", shutdown(p.client, SHUT_WR));
  wait_for(p.server, POLLRDHUP);
  printf("poll server %s\n", events(readiness(p.server)).c_str());
  printf("poll client %s\n", events(readiness(p.client)).c_str());
  show("send after shutdown", send(p.client, "x", 1, MSG_NOSIGNAL));
  show("read", read(p.server, b, 64));
  show("read", read(p.server, b, 64));
  show("server still writes", write(p.server, "reply", 5));
  wait_for(p.client, POLLIN);
  show("client still reads", read(p.client, b, 64));
  shutdown(p.server, SHUT_WR);
  wait_for(p.client, POLLHUP);
  printf("poll client %s\n", events(readiness(p.client)).c_str());
  printf("poll server %s\n", events(readiness(p.server)).c_str());
  show("shutdown of a closed connection", shutdown(p.client, SHUT_RDWR));
  drop(p);
}

void reading_shut() {
  printf("# SHUT_RD\n");
  const Pair p = joined();
  char b[8];
  show("shutdown", shutdown(p.client, SHUT_RD));
  printf("poll %s\n", events(readiness(p.client)).c_str());
  show("read", read(p.client, b, 8));
  show("write", write(p.client, "ok", 2));
  drop(p);
}

void reset() {
  printf("# reset by closing with unread bytes\n");
  Pair p = joined();
  char b[8];
  write(p.client, "unread", 6);
  wait_for(p.server, POLLIN);
  close(p.server);
  wait_for(p.client, POLLHUP);
  printf("poll %s\n", events(readiness(p.client)).c_str());
  show("read", read(p.client, b, 8));
  show("read", read(p.client, b, 8));
  show("send", send(p.client, "x", 1, MSG_NOSIGNAL));
  close(p.client);
  printf("# reset by linger 0\n");
  p = joined();
  const linger now{1, 0};
  setsockopt(p.server, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  close(p.server);
  wait_for(p.client, POLLHUP);
  show("send", send(p.client, "x", 1, MSG_NOSIGNAL));
  show("send", send(p.client, "x", 1, MSG_NOSIGNAL));
  show("read", read(p.client, b, 8));
  close(p.client);
  printf("# bytes to a closed peer\n");
  p = joined();
  close(p.server);
  wait_for(p.client, POLLRDHUP);
  show("read", read(p.client, b, 8));
  show("first send", send(p.client, "x", 1, MSG_NOSIGNAL));
  wait_for(p.client, POLLHUP);
  show("second send", send(p.client, "x", 1, MSG_NOSIGNAL));
  close(p.client);
  printf("# reset of a listener's queue\n");
  const int l = listener("127.0.0.1", 0);
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  connect_to(fd, ipv4("127.0.0.1", port_of(l)));
  close(l);
  wait_for(fd, POLLHUP);
  show("read", read(fd, b, 8));
  close(fd);
}

void back_pressure() {
  printf("# back-pressure\n");
  const Pair p = joined();
  nonblocking(p.client);
  std::vector<char> block(40'000, 'b');
  long written = 0;
  for (;;) {
    const ssize_t n = write(p.client, block.data(), block.size());
    if (n < 0) break;
    written += n;
  }
  show("write when full", write(p.client, block.data(), 1));
  printf("poll %s\n", events(readiness(p.client)).c_str());
  long got = 0;
  while (got < written) {
    const ssize_t n = read(p.server, block.data(), block.size());
    if (n <= 0) break;
    got += n;
  }
  printf("all bytes came: %d\n", got == written);
  wait_for(p.client, POLLOUT);
  printf("poll %s\n", events(readiness(p.client)).c_str());
  show("write when empty", write(p.client, block.data(), 100));
  drop(p);
}

void pipe_signal() {
  printf("# SIGPIPE\n");
  static volatile sig_atomic_t seen;
  seen = 0;
  signal(SIGPIPE, [](int) { seen = seen + 1; });
  const Pair p = joined();
  shutdown(p.client, SHUT_WR);
  show("write", write(p.client, "x", 1));
  printf("handler ran %d\n", static_cast<int>(seen));
  signal(SIGPIPE, SIG_IGN);
  show("write", write(p.client, "x", 1));
  printf("handler ran %d\n", static_cast<int>(seen));
  drop(p);
}

void options() {
  printf("# options\n");
  const Pair p = joined();
  const auto flag = [&](const char* name, int level, int option, int value) {
    show(name, setsockopt(p.client, level, option, &value, sizeof(value)));
    int back = -1;
    socklen_t n = sizeof(back);
    getsockopt(p.client, level, option, &back, &n);
    printf("%s is %d\n", name, back);
  };
  flag("TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, 1);
  flag("SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, 1);
  flag("TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE, 30);
  flag("TCP_KEEPINTVL", IPPROTO_TCP, TCP_KEEPINTVL, 5);
  flag("TCP_KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT, 3);
  flag("SO_REUSEADDR", SOL_SOCKET, SO_REUSEADDR, 1);
  int type = 0;
  socklen_t n = sizeof(type);
  getsockopt(p.client, SOL_SOCKET, SO_TYPE, &type, &n);
  printf("SO_TYPE %d\n", type == SOCK_STREAM);
  getsockopt(p.client, SOL_SOCKET, SO_ACCEPTCONN, &type, &n);
  printf("SO_ACCEPTCONN %d\n", type);
  timeval tv{0, 20'000};
  show("SO_RCVTIMEO", setsockopt(p.client, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
  char c;
  show("read with time-out", read(p.client, &c, 1));
  int out = -1;
  ioctl(p.client, TIOCOUTQ, &out);
  printf("SIOCOUTQ %d\n", out);
  drop(p);
}

void binding() {
  printf("# binding\n");
  const int l = listener("127.0.0.1", 0);
  const sockaddr_in same = ipv4("127.0.0.1", port_of(l));
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  show("bind to a taken port", bind(fd, reinterpret_cast<const sockaddr*>(&same), sizeof(same)));
  const sockaddr_in foreign = ipv4("203.0.113.9", 0);
  show("bind to a foreign address",
       bind(fd, reinterpret_cast<const sockaddr*>(&foreign), sizeof(foreign)));
  const sockaddr_in any = ipv4("0.0.0.0", 0);
  show("bind", bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof(any)));
  show("bind again", bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof(any)));
  printf("a port was chosen: %d\n", port_of(fd) > 1024);
  close(fd);
  close(l);
  fd = socket(AF_INET6, SOCK_STREAM, 0);
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  show("bind ::", bind(fd, reinterpret_cast<sockaddr*>(&six), sizeof(six)));
  show("listen ::", listen(fd, 5));
  socklen_t n = sizeof(six);
  getsockname(fd, reinterpret_cast<sockaddr*>(&six), &n);
  const int c = socket(AF_INET, SOCK_STREAM, 0);
  show("connect from IPv4", connect_to(c, ipv4("127.0.0.1", ntohs(six.sin6_port))));
  n = sizeof(six);
  const int s = accept(fd, reinterpret_cast<sockaddr*>(&six), &n);
  char text[64];
  inet_ntop(AF_INET6, &six.sin6_addr, text, sizeof(text));
  printf("peer %s\n", text);
  close(s);
  close(c);
  close(fd);
}

}  // namespace

int main() {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  fresh_socket();
  refused();
  connecting();
  bytes();
  half_closed();
  reading_shut();
  reset();
  back_pressure();
  pipe_signal();
  options();
  binding();
}
