// SPDX-License-Identifier: Apache-2.0
// Pipes and socket pairs: capacity, ends, SIGPIPE, flags, partial writes, duplicates.
#include <signal.h>
#include <sys/uio.h>

#include <string>
#include <thread>
#include <vector>

#include "harness/conformance/programs/say.h"

namespace {

using namespace say;

volatile sig_atomic_t broken = 0;

void capacity() {
  int ends[2];
  result("pipe2", pipe2(ends, O_NONBLOCK | O_CLOEXEC));
  line("nonblock %d cloexec %d", (fcntl(ends[0], F_GETFL) & O_NONBLOCK) != 0,
       fcntl(ends[1], F_GETFD));
  line("modes %d %d", fcntl(ends[0], F_GETFL) & O_ACCMODE, fcntl(ends[1], F_GETFL) & O_ACCMODE);
  result("read of nothing", read(ends[0], ends, 1));
  const std::vector<char> block(4096, 'p');
  long total = 0;
  for (ssize_t n; (n = write(ends[1], block.data(), block.size())) > 0;)
    total += n;
  line("holds %ld, then %s", total, strerrorname_np(errno));
  ready("full", ends[1]);
  std::vector<char> sink(4096);
  result("read", read(ends[0], sink.data(), sink.size()));
  ready("a page is free", ends[1]);
  result("write a page", write(ends[1], block.data(), block.size()));
  result("the wrong way round: read", read(ends[1], sink.data(), 1));
  result("the wrong way round: write", write(ends[0], sink.data(), 1));
  int waiting = 0;
  ioctl(ends[0], FIONREAD, &waiting);
  line("FIONREAD %d", waiting);
  result("seek", lseek(ends[0], 0, SEEK_CUR));
  result("F_GETPIPE_SZ", fcntl(ends[0], F_GETPIPE_SZ));
  close(ends[0]), close(ends[1]);
  result("strange flags", pipe2(ends, 1));
}

void ends_close() {
  int ends[2];
  pipe(ends);
  write(ends[1], "left", 4);
  close(ends[1]);
  ready("writer gone, bytes left", ends[0]);
  read_text("read", ends[0]);
  read_text("read", ends[0]);
  ready("writer gone, nothing left", ends[0]);
  close(ends[0]);
  pipe(ends);
  close(ends[0]);
  struct sigaction a{};
  a.sa_handler = [](int) { broken = broken + 1; };
  sigaction(SIGPIPE, &a, nullptr);
  result("write without a reader", write(ends[1], "x", 1));
  line("SIGPIPE came: %d", static_cast<int>(broken));
  signal(SIGPIPE, SIG_IGN);
  result("write without a reader, ignored", write(ends[1], "x", 1));
  close(ends[1]);
  pipe(ends);
  const int copy = dup(ends[1]);
  close(ends[1]);
  ready("a copy keeps it open", ends[0]);
  close(copy);
  ready("now it is closed", ends[0]);
  close(ends[0]);
}

void blocking() {
  int ends[2];
  pipe(ends);
  const std::string much(200'000, 'b');
  std::thread writer([&] {
    const ssize_t n = write(ends[1], much.data(), much.size());
    close(ends[1]);
    line("a blocking write moves all: %zd", n);
  });
  size_t total = 0;
  std::vector<char> buffer(7'001);
  for (ssize_t n; (n = read(ends[0], buffer.data(), buffer.size())) > 0;)
    total += static_cast<size_t>(n);
  writer.join();
  line("read %zu", total);
  close(ends[0]);
  pipe(ends);
  iovec out[2] = {{const_cast<char*>("ab"), 2}, {const_cast<char*>("cde"), 3}};
  result("writev", writev(ends[1], out, 2));
  read_text("read", ends[0], 3);
  read_text("read", ends[0], 9);
  close(ends[0]), close(ends[1]);
}

void pairs() {
  int two[2];
  result("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, two));
  result("write", write(two[0], "hello", 5));
  read_text("read", two[1]);
  result("write back", send(two[1], "you", 3, MSG_NOSIGNAL));
  read_text("read", two[0]);
  ready("one end", two[0]);
  shutdown(two[0], SHUT_WR);
  ready("after the other's SHUT_WR", two[1]);
  read_text("read", two[1]);
  result("write after SHUT_WR", send(two[0], "x", 1, MSG_NOSIGNAL));
  result("the other way is open", send(two[1], "still", 5, MSG_NOSIGNAL));
  read_text("read", two[0]);
  close(two[1]);
  ready("other end closed", two[0]);
  result("write", send(two[0], "x", 1, MSG_NOSIGNAL));
  read_text("read", two[0]);
  close(two[0]);
  result("not for TCP", socketpair(AF_INET, SOCK_STREAM, 0, two));
}

void duplicates() {
  int ends[2];
  pipe(ends);
  const int high = fcntl(ends[0], F_DUPFD_CLOEXEC, 200);
  line("F_DUPFD at or above: %d, cloexec %d", high >= 200, fcntl(high, F_GETFD));
  result("dup2 to itself", dup2(high, high) == high ? 0 : -1);
  result("dup3 to itself", dup3(high, high, 0));
  result("dup2 of a closed one", dup2(999, 5));
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  line("flags are shared: %d", (fcntl(high, F_GETFL) & O_NONBLOCK) != 0);
  const int lowest = dup(ends[0]);
  close(ends[0]);
  const int again = dup(lowest);
  line("the lowest free number is taken: %d", again == ends[0]);
  result("close twice", (close(again), close(again)));
  close(high), close(lowest), close(ends[1]);
}

}  // namespace

int main() {
  line("-- capacity");
  capacity();
  line("-- ends");
  ends_close();
  line("-- blocking");
  blocking();
  line("-- pairs");
  pairs();
  line("-- duplicates");
  duplicates();
}
