// SPDX-License-Identifier: Apache-2.0
// How connections between two programs end, at any latency.
//   tcp_ends listen CASE PORT | tcp_ends dial CASE ADDRESS PORT
// One case a run. Both sides print; where one must wait for the other it waits for an event of the
// connection, never for time.
#include <signal.h>
#include <sys/resource.h>

#include <vector>

#include "harness/conformance/programs/say.h"

namespace {

using namespace say;

int open_port(int port, int backlog) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (bind_to(fd, ipv4("0.0.0.0", port)) != 0 || listen(fd, backlog) != 0) abort();
  return fd;
}

/// Retries while refused: the order of start is free.
int dial(const char* ip, int port) {
  for (int tries = 0; tries < 3000; ++tries) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect_to(fd, ipv4(ip, port)) == 0) return fd;
    close(fd);
    usleep(10'000);
  }
  abort();
}

void read_all(const char* what, int fd) {
  std::string all;
  char buffer[4096];
  ssize_t n;
  while ((n = read(fd, buffer, sizeof(buffer))) > 0)
    all.append(buffer, static_cast<size_t>(n));
  const int error = errno;
  line("%s: %zu bytes, then %s", what, all.size(), n == 0 ? "the end" : strerrorname_np(error));
}

void put(int fd, const char* text) {
  result(text, send(fd, text, strlen(text), MSG_NOSIGNAL));
}

struct Case {
  const char* name;
  void (*accepted)(int fd);
  void (*dialled)(int fd);
};

// ---- half-closes -------------------------------------------------------------------------------

void answer_after_the_end(int fd) {
  read_all("request", fd);
  ready("after their end", fd);
  put(fd, "answer one");
  put(fd, "answer two");
  close(fd);
}
void ask_then_shut(int fd) {
  put(fd, "question");
  result("shutdown", shutdown(fd, SHUT_WR));
  result("shutdown is not close: write", send(fd, "x", 1, MSG_NOSIGNAL));
  read_all("answer", fd);
  ready("in the end", fd);
  close(fd);
}

void shut_at_once(int fd) {
  result("shutdown", shutdown(fd, SHUT_WR));
  read_all("still coming", fd);
  ready("in the end", fd);
  close(fd);
}
void talk_on(int fd) {
  read_all("their side", fd);
  ready("after their end", fd);
  for (int i = 0; i < 3; ++i)
    put(fd, "more");
  close(fd);
}

void shut_and_read(int fd) {
  put(fd, "last words");
  shutdown(fd, SHUT_WR);
  read_all("theirs", fd);
  ready("in the end", fd);
  so_error("in the end", fd);
  close(fd);
}

// ---- closes ------------------------------------------------------------------------------------

void close_at_once(int fd) {
  close(fd);
}
void see_the_end_then_write(int fd) {
  await(fd, POLLRDHUP);
  ready("after their close", fd);
  read_text("read", fd);
  put(fd, "to nobody");
  await(fd, POLLHUP);
  ready("after the write", fd);
  put(fd, "again");
  read_text("read", fd);
  close(fd);
}

void close_with_data_under_way(int fd) {
  const std::string much(50'000, 'm');
  put(fd, "head");
  line("much: %zd", send(fd, much.data(), much.size(), MSG_NOSIGNAL));
  close(fd);  // everything still arrives
}
void count_all(int fd) {
  read_all("all of it", fd);
  close(fd);
}

// ---- resets ------------------------------------------------------------------------------------

void leave_unread(int fd) {
  await(fd, POLLIN);
  close(fd);
}
void be_reset(int fd) {
  put(fd, "unread");
  await(fd, POLLHUP);
  ready("after their close", fd);
  so_error("first", fd);
  read_text("read", fd);
  put(fd, "write");
  close(fd);
}
void linger_zero(int fd) {
  char go;
  read(fd, &go, 1);
  const linger l{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
  close(fd);
}
void be_lingered(int fd) {
  put(fd, "g");
  await(fd, POLLHUP);
  ready("after it", fd);
  read_text("read", fd);
  read_text("read again", fd);
  close(fd);
}
void linger_two(int fd) {
  const linger l{1, 30};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
  put(fd, "to be acknowledged");
  result("close", close(fd));
}

// ---- programs that end -------------------------------------------------------------------------

void exit_open(int fd) {
  put(fd, "before the exit");
  exit(7);
}
void exit_unread(int fd) {
  await(fd, POLLIN);
  exit(0);
}
void abort_open(int fd) {
  put(fd, "before the abort");
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  abort();
}
void killed_open(int fd) {
  put(fd, "before the signal");
  raise(SIGKILL);
}
void pipe_signal(int fd) {
  await(fd, POLLRDHUP);
  write(fd, "x", 1);
  await(fd, POLLHUP);
  line("the next write kills");
  write(fd, "x", 1);
  line("never printed");
}

const Case cases[] = {
    {"half_close_dialer", answer_after_the_end, ask_then_shut},
    {"half_close_listener", shut_at_once, talk_on},
    {"both_shut", shut_and_read, shut_and_read},
    {"close_then_write", close_at_once, see_the_end_then_write},
    {"close_with_data", close_with_data_under_way, count_all},
    {"dialer_closes_with_data", count_all, close_with_data_under_way},
    {"reset_by_unread", leave_unread, be_reset},
    {"reset_by_linger", linger_zero, be_lingered},
    {"linger_waits", count_all, linger_two},
    {"exit_open", exit_open, count_all},
    {"exit_unread", exit_unread, be_reset},
    {"abort_open", abort_open, count_all},
    {"killed_open", killed_open, count_all},
    {"pipe_signal", close_at_once, pipe_signal},
};

void refused(const char* ip, int port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  result("connect to nobody", connect_to(fd, ipv4(ip, port)));
  ready("after it", fd);
  result("and again", connect_to(fd, ipv4(ip, port)));
  close(fd);
  const int quiet = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  connect_to(quiet, ipv4(ip, port));
  await(quiet, POLLOUT);
  ready("without blocking", quiet);
  so_error("without blocking", quiet);
  close(quiet);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 64;
  const std::string side = argv[1], name = argv[2];
  if (name == "refused") {
    refused(argv[3], atoi(argv[4]));
    return 0;
  }
  for (const Case& c : cases) {
    if (name != c.name) continue;
    if (side == "listen") {
      const int l = open_port(atoi(argv[3]), 8);
      const int fd = accept(l, nullptr, nullptr);
      close(l);
      c.accepted(fd);
    } else {
      c.dialled(dial(argv[3], atoi(argv[4])));
    }
    return 0;
  }
  return 64;
}
