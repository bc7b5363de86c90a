// SPDX-License-Identifier: Apache-2.0
// One direction of one TCP connection as the network sees it: the segments that were submitted and
// have not been handed over, in order. A segment that arrived waits for those before it. A flow
// lives while anything of it is in flight.
#pragma once

#include <deque>

#include "harness/protocol/network.h"

namespace lab::network {

using FlowName = std::pair<ConnectionId, bool>;  // the bool: to_server

struct Segment {
  Parcel parcel;
  int losses = 0;             // in a row
  std::uint32_t attempt = 0;  // grows with each loss; an agenda entry of an older one is void
  bool arrived = false;
  bool in_transit = false;        // on the wire: a cut loses it
  std::vector<std::size_t> cuts;  // where it is fragmented, once it is being handed over
  std::size_t parts_out = 0;
};

/// Segments are numbered from `first` on: an agenda entry names (flow, position), and a position
/// before `first` is void. `generation` tells a flow from an earlier one of the same name.
struct Flow {
  std::deque<Segment> waiting;
  std::uint64_t first = 0;
  std::uint64_t generation = 0;
  bool handing_over = false;  // between two parts of a fragmented segment

  Segment* at(std::uint64_t position) {
    return position < first || position - first >= waiting.size() ? nullptr
                                                                  : &waiting[position - first];
  }
};

}  // namespace lab::network
