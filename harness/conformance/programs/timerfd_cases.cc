// SPDX-License-Identifier: Apache-2.0
// timerfd: relative, absolute, interval, overruns, disarming, errors.
#include <sys/timerfd.h>
#include <time.h>

#include "harness/conformance/programs/say.h"

namespace {

using namespace say;

long long now_ns(clockid_t id = CLOCK_MONOTONIC) {
  timespec t{};
  clock_gettime(id, &t);
  return t.tv_sec * 1'000'000'000LL + t.tv_nsec;
}
timespec at(long long ns) {
  return {ns / 1'000'000'000, ns % 1'000'000'000};
}
int arm(int fd, long long value, long long interval, int flags = 0) {
  const itimerspec s{at(interval), at(value)};
  return timerfd_settime(fd, flags, &s, nullptr);
}
void expirations(const char* what, int fd) {
  uint64_t n = 0;
  const ssize_t r = read(fd, &n, sizeof(n));
  if (r == 8)
    line("%s: %llu", what, static_cast<unsigned long long>(n));
  else
    result(what, r);
}
constexpr long long kMs = 1'000'000;

void relative() {
  const int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  expirations("not armed", fd);
  ready("not armed", fd);
  const long long start = now_ns();
  result("arm", arm(fd, 30 * kMs, 0));
  expirations("armed", fd);
  itimerspec left{};
  result("gettime", timerfd_gettime(fd, &left));
  line("something is left: %d, no interval: %d",
       left.it_value.tv_nsec > 0 && left.it_value.tv_nsec <= 30 * kMs,
       left.it_interval.tv_nsec == 0);
  await(fd, POLLIN);
  line("not early: %d", now_ns() - start >= 30 * kMs);
  ready("expired", fd);
  expirations("once", fd);
  expirations("only once", fd);
  timerfd_gettime(fd, &left);
  line("nothing is left: %d", left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 0);
  close(fd);
}

void absolute() {
  for (const clockid_t clock : {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME}) {
    const int fd = timerfd_create(clock, 0);
    const long long when = now_ns(clock) + 20 * kMs;
    result("arm at a time", arm(fd, when, 0, TFD_TIMER_ABSTIME));
    expirations("blocking read", fd);
    line("not early: %d", now_ns(clock) >= when);
    result("arm in the past", arm(fd, 1, 0, TFD_TIMER_ABSTIME));
    expirations("at once", fd);
    close(fd);
  }
}

void intervals() {
  const int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  const long long start = now_ns();
  arm(fd, 10 * kMs, 10 * kMs);
  uint64_t total = 0;
  while (total < 5) {
    await(fd, POLLIN);
    uint64_t n = 0;
    read(fd, &n, 8);
    total += n;
  }
  line("five took their time: %d", now_ns() - start >= 50 * kMs);
  // Overruns: as many as fitted.
  const long long again = now_ns();
  arm(fd, 10 * kMs, 10 * kMs);
  usleep(45'000);
  uint64_t n = 0;
  read(fd, &n, 8);
  const long long most = (now_ns() - again) / (10 * kMs);
  line("overruns counted: %d", n >= 4 && static_cast<long long>(n) <= most);
  itimerspec old{}, off{};
  result("disarm", timerfd_settime(fd, 0, &off, &old));
  line("the old interval is told: %ld", old.it_interval.tv_nsec);
  usleep(15'000);
  expirations("disarmed", fd);
  // Re-arming forgets what was not read.
  arm(fd, 1 * kMs, 0);
  await(fd, POLLIN);
  arm(fd, 3600'000 * kMs, 0);
  expirations("re-armed before it was read", fd);
  ready("re-armed", fd);
  close(fd);
}

void errors() {
  result("a strange clock", timerfd_create(77, 0));
  result("strange flags", timerfd_create(CLOCK_MONOTONIC, 1));
  const int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  const itimerspec bad{{0, 0}, {0, 1'000'000'000}};
  result("too many nanoseconds", timerfd_settime(fd, 0, &bad, nullptr));
  result("negative", arm(fd, -5, 0));
  result("settime of what is no timer", arm(0, 1, 0));
  result("settime of a closed one", arm(999, 1, 0));
  result("strange flags", arm(fd, 1, 0, 64));
  char small[4];
  arm(fd, 1, 0);
  await(fd, POLLIN);
  result("a read too short", read(fd, small, sizeof(small)));
  result("a write", write(fd, small, sizeof(small)));
  const int copy = dup(fd);
  expirations("through a copy", copy);
  expirations("gone for the other", fd);
  close(copy), close(fd);
}

}  // namespace

int main() {
  line("-- relative");
  relative();
  line("-- absolute");
  absolute();
  line("-- intervals");
  intervals();
  line("-- errors");
  errors();
}
