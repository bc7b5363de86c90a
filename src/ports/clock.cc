// SPDX-License-Identifier: Apache-2.0
#include "src/ports/clock.h"

#include <time.h>

namespace mix::ports {
namespace {

Duration read_clock(clockid_t id) {
  timespec t{};
  ::clock_gettime(id, &t);
  return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

}  // namespace

Instant SystemClock::now() const {
  return Instant(read_clock(CLOCK_MONOTONIC));
}
WallTime SystemClock::wall_now() const {
  return WallTime(read_clock(CLOCK_REALTIME));
}

}  // namespace mix::ports
