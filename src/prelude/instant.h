// SPDX-License-Identifier: Apache-2.0
// Time as integers: nanoseconds, never floating point. Reading a clock is the business of
// ports/clock.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace mix {

using Duration = std::chrono::duration<std::int64_t, std::nano>;
using std::chrono_literals::operator""ns;
using std::chrono_literals::operator""us;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""h;

/// The time line of CLOCK_MONOTONIC: it never jumps, its zero means nothing.
struct MonotonicLine {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  static constexpr bool is_steady = true;
};
/// The time line of CLOCK_REALTIME: zero is 1970-01-01T00:00:00Z.
struct WallLine {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  static constexpr bool is_steady = false;
};
using Instant = std::chrono::time_point<MonotonicLine, Duration>;
using WallTime = std::chrono::time_point<WallLine, Duration>;

/// Nanoseconds since 1970.
inline std::int64_t unix_ns(WallTime t) {
  return t.time_since_epoch().count();
}

/// A duration as people read it, three significant digits: "1.50 ms", "2.00 s".
std::string to_text(Duration d);
/// "20 ms", "1.5s", "500us", "2 min"; units ns us ms s min h. The error says what was expected.
/// Exact: decimal places beyond the nanosecond are refused. Never negative; at most 2^63 - 1 ns.
std::expected<Duration, std::string> parse_duration(std::string_view text);
/// "2026-01-01T00:00:00.123Z" (UTC, milliseconds).
std::string to_text(WallTime t);

}  // namespace mix
