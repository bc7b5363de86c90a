// SPDX-License-Identifier: Apache-2.0
// Which addresses were lately said to be unreachable, so that a line is not printed for each packet
// to them: whoever makes packets chooses how many there are, and where they go.
//
// Bounds: kMost addresses, each for kQuiet; while there are that many, others are not said at all.
// Threads: one at a time. Pure.
#pragma once

#include <map>

#include "src/prelude/instant.h"
#include "src/sphinx/address.h"

namespace mix::peers {

class SaidOnce {
 public:
  static constexpr std::size_t kMost = 256;
  static constexpr Duration kQuiet = 60s;

  /// Whether to say it now; then it is quiet for a while.
  bool say(const sphinx::NodeAddress& address, Instant now) {
    std::erase_if(x_said, [&](const auto& one) { return now - one.second >= kQuiet; });
    return x_said.size() < kMost && x_said.emplace(address, now).second;
  }
  /// It was reached: the next failure is news.
  void reached(const sphinx::NodeAddress& address) { x_said.erase(address); }

 private:
  std::map<sphinx::NodeAddress, Instant> x_said;
};

}  // namespace mix::peers
