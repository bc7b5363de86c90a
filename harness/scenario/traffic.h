// SPDX-License-Identifier: Apache-2.0
// [[traffic]] into programs: on each sender and receiver a `mixlab-talk`, and the schedule it
// reads. All draws come from the lab's streams, one for each pair of each entry: none is the
// client's.
//
// A schedule is lines of words:
//   peer NAME FILE               the public key of a peer, in its PEM file
//   send WALL_NS PEER TEXT       at that moment of the host's wall clock (ns since 1970)
//   fetch WALL_NS                ask for what has arrived
//   end WALL_NS                  leave
// in order of time but for the peers, which come first.
#pragma once

#include "harness/scenario/document.h"
#include "harness/scenario/selector.h"

namespace lab::scenario {

struct Flow {  // one [[traffic]] entry, resolved
  std::vector<HostId> from, to;
  bool poisson = true;
  Ratio rate;
  std::size_t size = 200;
  std::optional<std::uint64_t> count;
  Window window;
};

/// Appends the talk programs. The error names what cannot be (a message too short for its name).
Read<bool> expand_traffic(const std::vector<Flow>& flows, Plan& plan);

}  // namespace lab::scenario
