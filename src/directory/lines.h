// SPDX-License-Identifier: Apache-2.0
// The directory's lines on its console: so many of one second and no more, then how many there
// were. A line begins with its time (to_text of a WallTime), whose second is what is counted by:
// nothing here asks a clock. Threads: one at a time. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "src/wire/limits.h"

namespace mix::directory {

class Lines {
 public:
  using Write = std::function<void(const std::string&)>;

  explicit Lines(Write write, std::size_t most = wire::kMaxLinesPerSecond)
      : x_write(std::move(write)), x_most(most) {}

  void take(const std::string& line) {
    if (line.compare(0, kSecondChars, x_second) != 0) {
      finish();
      x_second = line.substr(0, kSecondChars);
      x_written = 0;
    }
    if (x_written == x_most) {
      ++x_left_out;
      return;
    }
    ++x_written;
    x_write(line);
  }
  /// Says what was left out of the last second, if anything was.
  void finish() {
    if (const std::uint64_t many = std::exchange(x_left_out, 0))
      x_write(x_second + "Z and " + std::to_string(many) + " lines more in this second");
  }

 private:
  static constexpr std::size_t kSecondChars = std::string_view("2026-01-01T00:00:00").size();

  Write x_write;
  std::size_t x_most;
  std::string x_second;
  std::size_t x_written = 0;
  std::uint64_t x_left_out = 0;
};

}  // namespace mix::directory
