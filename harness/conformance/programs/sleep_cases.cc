// SPDX-License-Identifier: Apache-2.0
// Clocks and sleeps: resolutions, errors, that sleeps are never short and absolute ones end on
// time.
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>

#include <chrono>
#include <thread>

#include "harness/conformance/programs/say.h"

namespace {

using namespace say;

long long now_ns(clockid_t id) {
  timespec t{};
  clock_gettime(id, &t);
  return t.tv_sec * 1'000'000'000LL + t.tv_nsec;
}

void clocks() {
  for (const clockid_t id : {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_MONOTONIC_RAW,
                             CLOCK_TAI, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID}) {
    timespec t{};
    const int r = clock_getres(id, &t);
    line("clock %d: getres %d %ld.%09ld", static_cast<int>(id), r, t.tv_sec, t.tv_nsec);
    const long long first = now_ns(id);
    line("  does not go back: %d", now_ns(id) >= first);
  }
  timespec t{};
  result("an unknown clock", clock_gettime(99, &t));
  timeval tv{};
  result("gettimeofday", gettimeofday(&tv, nullptr));
  const long long wall = now_ns(CLOCK_REALTIME);
  const long long micro = tv.tv_sec * 1'000'000'000LL + tv.tv_usec * 1000;
  line("within a minute of the realtime clock: %d",
       wall - micro >= 0 && wall - micro < 60'000'000'000);
  const long long second = time(nullptr);
  line("time(): %d", second >= tv.tv_sec && second <= now_ns(CLOCK_REALTIME) / 1'000'000'000);
  line("after 2020: %d", second > 1'577'836'800);
  tms used{};
  line("times: %d", times(&used) >= 0);
}

template <typename F>
void at_least(const char* what, long long ns, F&& sleep) {
  const long long start = now_ns(CLOCK_MONOTONIC);
  sleep();
  line("%s is not short: %d", what, now_ns(CLOCK_MONOTONIC) - start >= ns);
}

void sleeps() {
  at_least("nanosleep", 5'000'000, [] {
    const timespec t{0, 5'000'000};
    result("nanosleep", nanosleep(&t, nullptr));
  });
  at_least("usleep", 3'000'000, [] { result("usleep", usleep(3'000)); });
  at_least("sleep_for", 2'000'000,
           [] { std::this_thread::sleep_for(std::chrono::milliseconds(2)); });
  at_least("clock_nanosleep", 4'000'000, [] {
    const timespec t{0, 4'000'000};
    line("clock_nanosleep: %d", clock_nanosleep(CLOCK_REALTIME, 0, &t, nullptr));
  });
  const long long when = now_ns(CLOCK_MONOTONIC) + 7'000'000;
  const timespec t{when / 1'000'000'000, when % 1'000'000'000};
  line("absolute: %d", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, nullptr));
  line("not early: %d", now_ns(CLOCK_MONOTONIC) >= when);
  line("in the past: %d", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, nullptr));
  const timespec bad{0, 1'000'000'000}, negative{-1, 0}, none{0, 0};
  result("too many nanoseconds", nanosleep(&bad, nullptr));
  result("negative", nanosleep(&negative, nullptr));
  result("no time at all", nanosleep(&none, nullptr));
  line("a clock that cannot sleep: %s",
       strerrorname_np(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &none, nullptr)));
}

}  // namespace

int main() {
  line("-- clocks");
  clocks();
  line("-- sleeps");
  sleeps();
}
