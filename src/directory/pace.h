// SPDX-License-Identifier: Apache-2.0
// So many a second are told one by one, the rest as a number: whoever floods the directory chooses
// how much there is to tell.
//
// Pure: time is handed in, and whoever is told to wait asks for the number when the second is over.
// Threads: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "src/prelude/instant.h"

namespace mix::directory {

class Pace {
 public:
  static constexpr Duration kWindow = 1s;

  explicit Pace(std::size_t most) : x_most(most) {}

  /// Whether to tell this one; otherwise it is counted. A window begins with the first in it.
  bool tell(Instant now) {
    if (!x_end || now >= *x_end) {
      x_end = now + kWindow;
      x_told = 0;
    }
    if (x_told == x_most) {
      ++x_left_out;
      return false;
    }
    ++x_told;
    return true;
  }
  /// Of the window that began last.
  Instant end() const { return x_end.value_or(Instant{}); }
  std::uint64_t left_out() const { return x_left_out; }
  /// The same, and counts from zero again.
  std::uint64_t take_left_out() { return std::exchange(x_left_out, 0); }

 private:
  std::size_t x_most;
  std::size_t x_told = 0;
  std::uint64_t x_left_out = 0;
  std::optional<Instant> x_end;
};

}  // namespace mix::directory
