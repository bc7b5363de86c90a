// SPDX-License-Identifier: Apache-2.0
// The one time line of a run: integer nanoseconds since its start. No clock is read here, and no
// host's own clock (offset, drift, steps) is applied: that is the business of who shows the time
// to a program.
#pragma once

#include "src/prelude/instant.h"

namespace lab {

using mix::Duration;

struct RunLine {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  static constexpr bool is_steady = true;
};
using VirtualTime = std::chrono::time_point<RunLine, Duration>;

inline constexpr VirtualTime kStart{};
inline constexpr VirtualTime kNever = VirtualTime::max();

/// Nanoseconds since the start of the run, the `_ns` of every table.
constexpr std::int64_t ns(VirtualTime t) {
  return t.time_since_epoch().count();
}
constexpr VirtualTime at_ns(std::int64_t t) {
  return VirtualTime(Duration(t));
}
/// `t + d`, or kNever where that would overflow. `d` is not negative.
constexpr VirtualTime saturating_add(VirtualTime t, Duration d) {
  return kNever - t < d ? kNever : t + d;
}

}  // namespace lab
