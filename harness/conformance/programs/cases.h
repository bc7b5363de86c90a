// SPDX-License-Identifier: Apache-2.0
// What the conformance programs print with. Each prints facts that Linux fixes, natively and in the
// lab alike: results, errnos, readiness, order; never times or numbers that a machine chooses.
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

namespace cases {

/// "3", or "EAGAIN" for -1 with errno.
inline std::string outcome(long result) {
  return result >= 0 ? std::to_string(result) : std::string(strerrorname_np(errno));
}
inline void show(const char* what, long result) {
  printf("%s: %s\n", what, outcome(result).c_str());
}
inline std::string mask(unsigned events) {
  std::string out;
  const auto add = [&](unsigned bit, const char* name) {
    if ((events & bit) != 0) out += (out.empty() ? "" : "|") + std::string(name);
  };
  add(POLLIN, "IN");
  add(POLLPRI, "PRI");
  add(POLLOUT, "OUT");
  add(POLLERR, "ERR");
  add(POLLHUP, "HUP");
  add(POLLNVAL, "NVAL");
  add(0x2000, "RDHUP");
  return out.empty() ? "-" : out;
}
inline unsigned ready(int fd, int timeout_ms = 0, short events = POLLIN | POLLOUT | POLLRDHUP) {
  pollfd p{fd, events, 0};
  poll(&p, 1, timeout_ms);
  return static_cast<unsigned short>(p.revents);
}
/// Waits until all of these are there (any time: only that it comes is a fact).
inline void wait_for(int fd, unsigned events) {
  while ((ready(fd, 50, static_cast<short>(events)) & events) == 0) {
  }
}
inline sockaddr_in address(const char* ip, int port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(static_cast<uint16_t>(port));
  inet_pton(AF_INET, ip, &a.sin_addr);
  return a;
}
inline int connect_to(int fd, const sockaddr_in& a) {
  return connect(fd, reinterpret_cast<const sockaddr*>(&a), sizeof(a));
}
inline int listener(const char* ip, int port, int backlog = 16) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const sockaddr_in a = address(ip, port);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&a), sizeof(a)) != 0) show("bind", -1);
  if (listen(fd, backlog) != 0) show("listen", -1);
  return fd;
}
inline int port_of(int fd) {
  sockaddr_in a{};
  socklen_t n = sizeof(a);
  getsockname(fd, reinterpret_cast<sockaddr*>(&a), &n);
  return ntohs(a.sin_port);
}
inline void nonblocking(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}
inline int pending_error(int fd) {
  int error = 0;
  socklen_t n = sizeof(error);
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n);
  return error;
}
inline const char* error_name(int error) {
  return error == 0 ? "0" : strerrorname_np(error);
}

}  // namespace cases
