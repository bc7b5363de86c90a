// SPDX-License-Identifier: Apache-2.0
// peers ROLE [ADDRESS] PORT: one side of a dialogue between two programs.
#include <signal.h>

#include "harness/conformance/programs/say.h"

using namespace say;

namespace {

int joined(const char* ip, int port) {
  for (int tries = 0; tries < 500; ++tries) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect_to(fd, ipv4(ip, port)) == 0) return fd;
    if (errno != ECONNREFUSED) show("connect", -1);
    close(fd);
    usleep(10'000);
  }
  return -1;
}
std::string read_all(int fd) {
  std::string all;
  char b[4096];
  ssize_t n;
  while ((n = read(fd, b, sizeof(b))) > 0)
    all.append(b, static_cast<size_t>(n));
  return n < 0 ? all + " then " + outcome(n) : all;
}
/// Until everything that was sent, and the FIN, is acknowledged.
void wait_acknowledged(int fd) {
  int left = 1;
  while (ioctl(fd, TIOCOUTQ, &left) == 0 && left > 0)
    usleep(1000);
  printf("acknowledged\n");
}

void serve_half(int port) {
  const int l = listener("0.0.0.0", port);
  const int fd = accept(l, nullptr, nullptr);
  printf("server got '%s'\n", read_all(fd).c_str());
  (void)!write(fd, "reply", 5);
  shutdown(fd, SHUT_WR);
  wait_acknowledged(fd);
  close(fd);
}
void half(const char* ip, int port) {
  const int fd = joined(ip, port);
  (void)!write(fd, "request", 7);
  shutdown(fd, SHUT_WR);
  printf("client got '%s'\n", read_all(fd).c_str());
  close(fd);
}
void serve_reset(int port) {
  const int l = listener("0.0.0.0", port);
  const int fd = accept(l, nullptr, nullptr);
  wait_for(fd, POLLIN);
  close(fd);
}
void reset(const char* ip, int port) {
  const int fd = joined(ip, port);
  (void)!write(fd, "unread", 6);
  printf("client got '%s'\n", read_all(fd).c_str());
  show("send", send(fd, "x", 1, MSG_NOSIGNAL));
}
void serve_linger(int port) {
  const int l = listener("0.0.0.0", port);
  const int fd = accept(l, nullptr, nullptr);
  printf("server got %zu bytes\n", read_all(fd).size());
}
void linger_close(const char* ip, int port) {
  const int fd = joined(ip, port);
  const linger wait{1, 30};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &wait, sizeof(wait));
  const std::string bytes(60'000, 'l');
  show("write", write(fd, bytes.data(), bytes.size()));
  show("close", close(fd));
}
void serve_late(int port) {
  const int l = listener("0.0.0.0", port, 1);
  sleep(2);
  for (int i = 0; i < 6; ++i) {
    const int fd = accept(l, nullptr, nullptr);
    (void)!write(fd, "hi", 2);
    close(fd);
  }
  printf("six served\n");
}
void many(const char* ip, int port) {
  usleep(100'000);
  int fd[6];
  for (int& f : fd) {
    f = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    connect_to(f, ipv4(ip, port));
  }
  size_t total = 0;
  for (int f : fd) {
    wait_for(f, POLLOUT);
    if (pending_error(f) != 0) printf("failed\n");
    fcntl(f, F_SETFL, 0);
    total += read_all(f).size();
    close(f);
  }
  printf("%zu bytes\n", total);
}
void nowhere(const char* ip, int port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  show("connect", connect_to(fd, ipv4(ip, port)));
}
void wait_term() {
  signal(SIGTERM, [](int) {
    (void)!write(1, "told\n", 5);
    _exit(3);
  });
  for (;;)
    pause();
}
void datagrams(const char* ip, int port) {  // echo service and client in one, by what is given
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  char b[64] = {};
  if (ip == nullptr) {
    const sockaddr_in own = ipv4("0.0.0.0", port);
    bind(fd, reinterpret_cast<const sockaddr*>(&own), sizeof(own));
    sockaddr_in from{};
    socklen_t n = sizeof(from);
    const ssize_t got = recvfrom(fd, b, sizeof(b), 0, reinterpret_cast<sockaddr*>(&from), &n);
    show("recvfrom", got);
    sendto(fd, b, static_cast<size_t>(got), 0, reinterpret_cast<sockaddr*>(&from), n);
    return;
  }
  usleep(50'000);
  const sockaddr_in to = ipv4(ip, port);
  show("connect", connect_to(fd, to));
  show("send", send(fd, "datagram", 8, 0));
  show("recv", recv(fd, b, 4, 0));
  printf("%.4s\n", b);
  usleep(50'000);
  send(fd, "nobody", 6, 0);
  show("recv from a closed port", recv(fd, b, 4, 0));
}

}  // namespace

int main(int argc, char** argv) {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  const std::string role = argc > 1 ? argv[1] : "";
  const char* ip = argc > 3 ? argv[2] : nullptr;
  const int port = argc > 2 ? atoi(argv[argc - 1]) : 0;
  if (role == "serve-half") serve_half(port);
  if (role == "half") half(ip, port);
  if (role == "serve-reset") serve_reset(port);
  if (role == "reset") reset(ip, port);
  if (role == "serve-linger") serve_linger(port);
  if (role == "linger") linger_close(ip, port);
  if (role == "serve-late") serve_late(port);
  if (role == "many") many(ip, port);
  if (role == "nowhere") nowhere(ip, port);
  if (role == "wait-term") wait_term();
  if (role == "datagrams") datagrams(ip, port);
}
