// SPDX-License-Identifier: Apache-2.0
// Prints what time it is, sleeps, and prints it again. Not compared with a native run: time
// differs.
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <thread>

namespace {

void show(const char* name, clockid_t id) {
  timespec t{};
  clock_gettime(id, &t);
  printf("%s %ld.%09ld\n", name, t.tv_sec, t.tv_nsec);
}

}  // namespace

int main() {
  show("monotonic", CLOCK_MONOTONIC);
  show("realtime", CLOCK_REALTIME);
  std::this_thread::sleep_for(std::chrono::nanoseconds(1'234'567'891));
  show("monotonic", CLOCK_MONOTONIC);
  show("realtime", CLOCK_REALTIME);
  printf("pid %d\n", getpid());
}
