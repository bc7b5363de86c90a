// SPDX-License-Identifier: Apache-2.0
// What large HTTP bodies may take together while they come. Counted is what has arrived, never what
// was announced; what a body took is given back when it is whole, refused or given up.
//
// One source may hold a quarter of what is free, not of everything: the more is taken, the less may
// one more source hold, and there is still something for it. Alone it gets a fifth of the whole.
// Who holds more than that since times were better may not grow, and has to give it back before
// long: sources that take what they can come to share alike, and sixty of them still leave a
// sixty-fourth to the next. Bounds: a row for each source that holds something. Threads: one at a
// time. Pure.
#pragma once

#include <algorithm>
#include <map>

#include "src/sphinx/address.h"

namespace mix::runtime {

class BodyBudget {
 public:
  using Source = ByteArray<16>;

  explicit BodyBudget(std::size_t all) : x_free(all) {}

  /// Who is one sender: an IPv4 address, or the network of 64 bits that an IPv6 host has to itself.
  static Source source_of(const sphinx::NodeAddress& peer) {
    Source out = peer.octets;
    if (peer.family == sphinx::NodeAddress::Family::ipv6)
      std::fill(out.begin() + 8, out.end(), std::uint8_t{0});
    return out;
  }

  /// False when the source has its share; nothing is taken then.
  bool take(const Source& source, std::size_t bytes) {
    const auto at = x_held.find(source);
    const std::size_t held = at == x_held.end() ? 0 : at->second;
    if (bytes > x_free || held + bytes > x_free / kShare) return false;
    x_held[source] = held + bytes;
    x_free -= bytes;
    return true;
  }
  /// No more than the source took.
  void give_back(const Source& source, std::size_t bytes) {
    if (bytes == 0) return;
    const auto at = x_held.find(source);
    at->second -= bytes;
    if (at->second == 0) x_held.erase(at);
    x_free += bytes;
  }
  std::size_t free() const { return x_free; }

 private:
  static constexpr std::size_t kShare = 4;
  std::map<Source, std::size_t> x_held;
  std::size_t x_free;
};

}  // namespace mix::runtime
