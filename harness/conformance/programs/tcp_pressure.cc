// SPDX-License-Identifier: Apache-2.0
// A slow reader: the writer fills the window, meets EAGAIN, is told when there is room again.
//   tcp_pressure listen PORT | tcp_pressure dial ADDRESS PORT
// Two connections: bytes flow on the first; on the second the writer says that it is stuck, so that
// the reader begins only then. How much fits is a kernel's own; that all arrives is not.
#include "harness/conformance/programs/say.h"

#include <vector>

namespace {

using namespace say;

unsigned char byte_at(size_t i) {
  return static_cast<unsigned char>(i * 31 + i / 251);
}

int slow_reader(int port) {
  const int l = socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (bind_to(l, ipv4("0.0.0.0", port)) != 0 || listen(l, 8) != 0) abort();
  const int data = accept(l, nullptr, nullptr), control = accept(l, nullptr, nullptr);
  char go;
  result("told that the writer is stuck", read(control, &go, 1));
  size_t total = 0, wrong = 0;
  std::vector<unsigned char> buffer(3000);
  for (ssize_t n; (n = read(data, buffer.data(), buffer.size())) > 0;)
    for (ssize_t i = 0; i < n; ++i)
      wrong += buffer[static_cast<size_t>(i)] != byte_at(total++);
  result("told how many", read(control, &total, 0) == 0 ? 0 : -1);
  size_t expected = 0;
  recv(control, &expected, sizeof(expected), MSG_WAITALL);
  line("all arrived: %d, wrong bytes: %zu", total == expected, wrong);
  return 0;
}

int dial(const char* ip, int port) {
  for (int tries = 0; tries < 3000; ++tries) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect_to(fd, ipv4(ip, port)) == 0) return fd;
    close(fd);
    usleep(10'000);
  }
  abort();
}

int fast_writer(const char* ip, int port) {
  const int data = dial(ip, port), control = dial(ip, port);
  nonblocking(data);
  const int events = epoll_create1(0);
  epoll_event e{};
  e.events = EPOLLOUT | EPOLLET;
  epoll_ctl(events, EPOLL_CTL_ADD, data, &e);
  line("writable at first: %d", epoll_wait(events, &e, 1, 0));
  std::vector<unsigned char> buffer(10'000);
  size_t total = 0;
  int stuck = 0, partial = 0;
  const auto fill = [&](size_t limit) {
    while (total < limit) {
      const size_t want = std::min(buffer.size(), limit - total);
      for (size_t i = 0; i < want; ++i)
        buffer[i] = byte_at(total + i);
      const ssize_t n = send(data, buffer.data(), want, MSG_NOSIGNAL);
      if (n < 0) return errno;
      partial += n < static_cast<ssize_t>(want);
      total += static_cast<size_t>(n);
    }
    return 0;
  };
  // Nobody reads. Segments under way may make a little room for a while: until it is quiet.
  for (;;) {
    const int error = fill(size_t{1} << 40);
    if (error != EAGAIN) return 1;
    ++stuck;
    if (epoll_wait(events, &e, 1, 300) == 0) break;
  }
  line("EAGAIN with nobody reading: %d, more than 16 KiB fitted: %d", stuck > 0, total > 16'384);
  int waiting = 0;
  ioctl(data, SIOCOUTQ, &waiting);
  line("something waits to be sent: %d", waiting > 0);
  ready("stuck", data);
  write(control, "g", 1);
  const size_t goal = total + 2'000'000;
  while (total < goal) {
    if (epoll_wait(events, &e, 1, 60'000) != 1) break;
    if (total == 0) break;
    const int error = fill(goal);
    if (error != 0 && error != EAGAIN) break;
  }
  line("the rest went after EPOLLOUT: %d", total == goal);
  close(data);
  write(control, &total, sizeof(total));
  char end;
  result("the reader's end", read(control, &end, 1));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && strcmp(argv[1], "listen") == 0) return slow_reader(atoi(argv[2]));
  if (argc == 4 && strcmp(argv[1], "dial") == 0) return fast_writer(argv[2], atoi(argv[3]));
  return 64;
}
