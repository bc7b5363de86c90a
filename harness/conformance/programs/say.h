// SPDX-License-Identifier: Apache-2.0
// How conformance programs speak: one line a fact, numbers of errors by name, bits by name, nothing
// that may differ between two honest runs (no address, descriptor, port or time). Lines are flushed
// at once, so that a program that dies has said what came before.
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

namespace say {

[[gnu::format(printf, 1, 2)]] inline void line(const char* format, ...) {
  va_list list;
  va_start(list, format);
  vprintf(format, list);
  va_end(list);
  putchar('\n');
  fflush(stdout);
}

/// "what: 7" or "what: -1 EAGAIN"; returns the result.
inline long result(const char* what, long value) {
  const int error = errno;
  if (value < 0)
    line("%s: %ld %s", what, value, strerrorname_np(error));
  else
    line("%s: %ld", what, value);
  errno = error;
  return value;
}

/// "3", or "EAGAIN" for -1 with errno.
inline std::string outcome(long value) {
  return value >= 0 ? std::to_string(value) : std::string(strerrorname_np(errno));
}
/// "what: 3" or "what: EAGAIN".
inline void show(const char* what, long value) {
  line("%s: %s", what, outcome(value).c_str());
}
inline const char* error_name(int error) {
  return error == 0 ? "0" : strerrorname_np(error);
}

/// For calls whose good result is a descriptor: "what: ok".
inline int descriptor(const char* what, int fd) {
  if (fd < 0)
    result(what, fd);
  else
    line("%s: ok", what);
  return fd;
}

inline std::string events(unsigned bits) {
  struct Named {
    unsigned bit;
    const char* name;
  };
  static constexpr Named names[] = {{POLLIN, "IN"},       {POLLPRI, "PRI"}, {POLLOUT, "OUT"},
                                    {POLLERR, "ERR"},     {POLLHUP, "HUP"}, {POLLNVAL, "NVAL"},
                                    {EPOLLRDHUP, "RDHUP"}};
  std::string text;
  for (const Named& n : names)
    if ((bits & n.bit) != 0) text += (text.empty() ? "" : "|") + std::string(n.name);
  return text.empty() ? "none" : text;
}

/// What poll(2) says of one descriptor now.
inline void ready(const char* what, int fd, short wanted = POLLIN | POLLOUT | POLLRDHUP,
                  int ms = 0) {
  pollfd p{fd, wanted, 0};
  const int n = poll(&p, 1, ms);
  line("%s: %d %s", what, n, events(static_cast<unsigned short>(p.revents)).c_str());
}

/// The events themselves.
inline unsigned readiness(int fd, int ms = 0, short wanted = POLLIN | POLLOUT | POLLRDHUP) {
  pollfd p{fd, wanted, 0};
  poll(&p, 1, ms);
  return static_cast<unsigned short>(p.revents);
}
/// Waits until one of these is there (any time: only that it comes is a fact).
inline void wait_for(int fd, unsigned wanted) {
  while ((readiness(fd, 50, static_cast<short>(wanted)) & wanted) == 0) {
  }
}
/// Waits (without a limit that could be met on a slow machine) for one of these events.
inline void await(int fd, short wanted) {
  pollfd p{fd, wanted, 0};
  poll(&p, 1, 60'000);
}

inline int number_option(int fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof(value);
  if (getsockopt(fd, level, name, &value, &size) != 0) return -errno;
  return value;
}

inline void so_error(const char* what, int fd) {
  const int e = number_option(fd, SOL_SOCKET, SO_ERROR);
  line("%s: SO_ERROR %s", what, e == 0 ? "0" : strerrorname_np(e));
}

inline sockaddr_in ipv4(const char* ip, int port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(static_cast<uint16_t>(port));
  inet_pton(AF_INET, ip, &a.sin_addr);
  return a;
}

inline sockaddr_in6 ipv6(const char* ip, int port) {
  sockaddr_in6 a{};
  a.sin6_family = AF_INET6;
  a.sin6_port = htons(static_cast<uint16_t>(port));
  inet_pton(AF_INET6, ip, &a.sin6_addr);
  return a;
}

template <typename Address>
int bind_to(int fd, const Address& a) {
  return bind(fd, reinterpret_cast<const sockaddr*>(&a), sizeof(a));
}
template <typename Address>
int connect_to(int fd, const Address& a) {
  return connect(fd, reinterpret_cast<const sockaddr*>(&a), sizeof(a));
}

inline int port_of(int fd) {
  sockaddr_storage a{};
  socklen_t size = sizeof(a);
  getsockname(fd, reinterpret_cast<sockaddr*>(&a), &size);
  return ntohs(reinterpret_cast<sockaddr_in*>(&a)->sin_port);  // the same place in both families
}

/// A listener on a free loopback port.
inline int listener(int backlog = 16) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (bind_to(fd, ipv4("127.0.0.1", 0)) != 0 || listen(fd, backlog) != 0) abort();
  return fd;
}

inline int listener(const char* ip, int port, int backlog = 16) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (bind_to(fd, ipv4(ip, port)) != 0) show("bind", -1);
  if (listen(fd, backlog) != 0) show("listen", -1);
  return fd;
}
inline int pending_error(int fd) {
  int error = 0;
  socklen_t size = sizeof(error);
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

/// Two ends of one connection over the loopback: near dialled, far was accepted.
struct Connection {
  int listener, near, far;
};
inline Connection connection() {
  Connection c{say::listener(), socket(AF_INET, SOCK_STREAM, 0), -1};
  if (connect_to(c.near, ipv4("127.0.0.1", port_of(c.listener))) != 0) abort();
  c.far = accept(c.listener, nullptr, nullptr);
  if (c.far < 0) abort();
  return c;
}

inline void nonblocking(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/// Reads once and says how much came and what.
inline long read_text(const char* what, int fd, size_t most = 64) {
  char buffer[256];
  const ssize_t n = read(fd, buffer, most < sizeof(buffer) ? most : sizeof(buffer));
  if (n > 0)
    line("%s: %zd \"%.*s\"", what, n, static_cast<int>(n), buffer);
  else
    result(what, n);
  return n;
}

}  // namespace say
