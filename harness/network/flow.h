// SPDX-License-Identifier: Apache-2.0
// One direction of one TCP connection as the network sees it: the segments that were sent and have
// not been handed over, in order. A segment that arrived waits for those before it.
#pragma once

#include <deque>

#include "harness/network/network.h"

namespace lab::network {

struct Segment {
  Shipment parcel;
  std::uint64_t number = 0;
  VirtualTime sent;
  int losses = 0;             // in a row
  std::uint32_t attempt = 0;  // grows with each try; an agenda entry of an older one is void
  bool arrived = false;
  bool in_transit = false;        // on the wire: a cut loses it
  std::vector<std::size_t> cuts;  // where it is fragmented, once it is being handed over
  std::size_t parts_out = 0;
};

/// Segments are numbered by `first` onwards: an agenda entry names (flow, position), and a position
/// before `first` is void.
struct Flow {
  std::deque<Segment> waiting;
  std::uint64_t first = 0;       // position of waiting.front()
  bool any_arrived = false;      // the first segment's time-out is a SYN's
  bool handing_over = false;     // between two parts of a fragmented segment
  std::uint32_t generation = 0;  // grows when the flow is forgotten

  Segment* at(std::uint64_t position) {
    return position < first || position - first >= waiting.size() ? nullptr
                                                                  : &waiting[position - first];
  }
};

}  // namespace lab::network
