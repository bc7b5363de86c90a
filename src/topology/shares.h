// SPDX-License-Identifier: Apache-2.0
// How a bounded whole is shared out among sources: so much in all, and one source (source.h) has a
// fraction at most, so that one machine cannot keep everybody else out. Several can: nothing tells
// them from honest ones.
//
// This machine's own share is the whole: in a test network everybody is on it, and behind a proxy
// on it everybody seems to be. Bounds: a number per source that has something. Threads: one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "src/topology/source.h"

namespace mix::topology {

class Shares {
 public:
  /// `sources` is how many it takes at least to use up the whole.
  Shares(std::size_t whole, std::size_t sources)
      : x_whole(whole), x_share(std::max<std::size_t>(1, whole / sources)) {}

  void add(std::string_view source, std::size_t amount) {
    if (amount == 0) return;
    x_total += amount;
    x_of[neighbourhood_of(source)] += amount;
  }
  void remove(std::string_view source, std::size_t amount) {
    if (amount == 0) return;
    x_total -= amount;
    const auto at = x_of.find(neighbourhood_of(source));
    if ((at->second -= amount) == 0) x_of.erase(at);
  }
  void clear() {
    x_total = 0;
    x_of.clear();
  }

  bool whole_has(std::size_t amount) const { return x_total + amount <= x_whole; }
  bool share_has(std::string_view source, std::size_t amount) const {
    if (source == kThisMachine) return true;
    const auto at = x_of.find(neighbourhood_of(source));
    return (at == x_of.end() ? 0 : at->second) + amount <= x_share;
  }
  /// Whether `source` may have so much more.
  bool room_for(std::string_view source, std::size_t amount) const {
    return whole_has(amount) && share_has(source, amount);
  }
  std::size_t whole() const { return x_whole; }
  std::size_t share() const { return x_share; }
  std::size_t total() const { return x_total; }

 private:
  std::size_t x_whole, x_share;
  std::size_t x_total = 0;
  std::map<std::string, std::size_t> x_of;  // by neighbourhood; no number is 0
};

}  // namespace mix::topology
