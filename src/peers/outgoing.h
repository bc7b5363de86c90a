// SPDX-License-Identifier: Apache-2.0
// Who may connect now, and who waits for it: the places (places.h) with a queue before them.
//
// Peers that took packets before come first, then those that let the fewest attempts hang, then
// first come, first served. Whoever has waited for a while (wire::kConnectHurry) may take the place
// of a connection on which nothing moved meanwhile.
//
// Bounds: the places, wire::kShareOfDescriptors of the program's descriptors unless told otherwise
// (asked when the first one is taken), of which 1 in wire::kShareOfUnproven is for peers that never
// took a packet. Threads: the loop's.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <tuple>

#include "src/peers/places.h"
#include "src/runtime/event.h"
#include "src/runtime/loop.h"
#include "src/wire/limits.h"

namespace mix::peers {

class Outgoing {
 public:
  /// At most so many connections; 0 for the share of the descriptors.
  Outgoing(runtime::Loop& loop, std::size_t most, Duration hurry)
      : x_loop(loop), x_most(most), x_hurry(hurry) {}
  Outgoing(const Outgoing&) = delete;
  Outgoing& operator=(const Outgoing&) = delete;

  /// A place at once, or null.
  PlacePtr take(const Claim& claim);
  /// For who got none: a place, or null when `deadline` has come. Where null, it is counted.
  runtime::Task<PlacePtr> wait(Claim claim, Instant deadline);
  /// A connection may have become idle: somebody who waits may have its place.
  void look_again() {
    if (!x_waiters.empty()) hand_out();
  }
  /// The system has no descriptor left: ends an idle connection; false when there is none.
  bool drop_idle();

  std::size_t taken() const { return x_places ? x_places->taken() : 0; }
  std::size_t waiting() const { return x_waiters.size(); }

 private:
  using Rank = std::tuple<bool, unsigned, std::uint64_t>;
  struct Waiter {
    explicit Waiter(runtime::Loop& loop) : changed(loop) {}
    runtime::Event changed;
    Claim claim;
    PlacePtr place;
  };
  struct InLine;

  Places& places();
  void hand_out();
  void count_lost();

  runtime::Loop& x_loop;
  std::size_t x_most;
  Duration x_hurry;
  std::optional<Places> x_places;
  std::map<Rank, Waiter*> x_waiters;  // who comes next first
  std::uint64_t x_numbers = 0;
  std::uint64_t x_counted = 0;  // of the places lost
};

}  // namespace mix::peers
