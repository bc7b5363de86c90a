// SPDX-License-Identifier: Apache-2.0
// Slots at a fixed distance from each other, whatever happens in them: when a client asks its
// provider must tell nothing about what came or who read it. Slots missed by a stall are left out,
// not made up for. Pure; one thread.
#pragma once

#include "src/prelude/check.h"
#include "src/prelude/instant.h"

namespace mix::client {

class Timetable {
 public:
  Timetable(Instant first, Duration interval) : x_next(first), x_interval(interval) {
    CHECK(interval > 0ns, interval.count());
  }

  Instant next() const { return x_next; }
  /// True when a slot is due. The next lies a whole number of intervals later, after `now`.
  bool take(Instant now) {
    if (now < x_next) return false;
    x_next += ((now - x_next) / x_interval + 1) * x_interval;
    return true;
  }

 private:
  Instant x_next;
  Duration x_interval;
};

}  // namespace mix::client
