// SPDX-License-Identifier: Apache-2.0
// eventfd: counter, semaphore, overflow, errors; threads that wake each other.
#include <sys/eventfd.h>

#include <thread>

#include "harness/conformance/programs/say.h"

namespace {

using namespace say;

void add(const char* what, int fd, uint64_t value) {
  result(what, write(fd, &value, 8));
}
void take(const char* what, int fd) {
  uint64_t value = 0;
  const ssize_t n = read(fd, &value, 8);
  if (n == 8)
    line("%s: %llu", what, static_cast<unsigned long long>(value));
  else
    result(what, n);
}

}  // namespace

int main() {
  int fd = eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC);
  ready("at first", fd);
  take("initial", fd);
  take("empty", fd);
  ready("empty", fd);
  add("add 2", fd, 2);
  add("add 5", fd, 5);
  take("sum", fd);
  add("nearly full", fd, 0xfffffffffffffffeULL);
  ready("full", fd);
  add("one too many", fd, 1);
  add("zero fits", fd, 0);
  add("all ones never", fd, ~0ULL);
  take("all at once", fd);
  add("zero", fd, 0);
  ready("zero makes it not readable", fd);
  char small[4];
  result("a read too short", read(fd, small, 4));
  result("a write too short", write(fd, small, 4));
  close(fd);
  fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
  take("semaphore", fd);
  take("semaphore", fd);
  take("semaphore", fd);
  close(fd);
  result("strange flags", eventfd(0, 4));
  fd = eventfd(0, 0);
  const int answer = eventfd(0, 0);
  std::thread other([&] {
    take("woken by the first thread", fd);
    add("answer", answer, 9);
  });
  add("wake", fd, 4);
  other.join();
  take("answered", answer);
  close(fd), close(answer);
}
