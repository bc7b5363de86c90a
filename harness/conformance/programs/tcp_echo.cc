// SPDX-License-Identifier: Apache-2.0
// tcp_echo server PORT [connections] | tcp_echo client ADDRESS PORT ROUNDS SIZE [quiet]
// Plain blocking sockets. The client retries a refused connect, so that order of start is free.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace {

sockaddr_in address(const char* ip, int port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(static_cast<uint16_t>(port));
  inet_pton(AF_INET, ip, &a.sin_addr);
  return a;
}

int serve(int port, int connections) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const sockaddr_in a = address("0.0.0.0", port);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&a), sizeof(a)) != 0) {
    printf("bind: %s\n", strerror(errno));
    return 1;
  }
  listen(listener, 16);
  for (int i = 0; i < connections; ++i) {
    const int fd = accept(listener, nullptr, nullptr);
    long total = 0;
    char buffer[65536];
    for (ssize_t n; (n = read(fd, buffer, sizeof(buffer))) > 0;) {
      for (ssize_t done = 0; done < n;)
        done += write(fd, buffer + done, static_cast<size_t>(n - done));
      total += n;
    }
    printf("served %ld bytes\n", total);
    close(fd);
  }
  return 0;
}

int talk(const char* ip, int port, long rounds, size_t size) {
  const sockaddr_in a = address(ip, port);
  int fd = -1;
  for (int tries = 0; tries < 200; ++tries) {
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, reinterpret_cast<const sockaddr*>(&a), sizeof(a)) == 0) break;
    close(fd);
    fd = -1;
    usleep(10'000);
  }
  if (fd < 0) return 1;
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  std::vector<char> out(size, 'x'), in(size);
  long good = 0;
  for (long i = 0; i < rounds; ++i) {
    out[0] = static_cast<char>('a' + i % 26);
    if (write(fd, out.data(), size) != static_cast<ssize_t>(size)) break;
    size_t got = 0;
    while (got < size) {
      const ssize_t n = read(fd, in.data() + got, size - got);
      if (n <= 0) return 2;
      got += static_cast<size_t>(n);
    }
    good += in == out;
  }
  close(fd);
  printf("%ld of %ld rounds\n", good, rounds);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc >= 3 && std::string(argv[1]) == "server")
    return serve(atoi(argv[2]), argc > 3 ? atoi(argv[3]) : 1);
  if (argc >= 6)
    return talk(argv[2], atoi(argv[3]), atol(argv[4]), static_cast<size_t>(atol(argv[5])));
  return 64;
}
