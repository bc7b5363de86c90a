// SPDX-License-Identifier: Apache-2.0
// One direction between two hosts: a queue that drains at the link's bandwidth, then a latency; and
// the chances of loss, doubling, overtaking, damage and cutting, each from a stream of its own.
//
// The queue counts what waits and what is being sent; a packet that would make it exceed the law's
// queue is lost. A packet of n bytes leaves n * 8 / bandwidth after the one before it (rounded up
// to the nanosecond) and arrives one sample of the latency later; arrivals may therefore overtake
// each other, and keeping a TCP flow in order is the business of network.cc. Pure; one thread.
#pragma once

#include "harness/model/stream.h"
#include "harness/protocol/network.h"
#include "harness/scenario/plan.h"

namespace lab::network {

/// What becomes of one packet put on a wire.
struct Passage {
  Fate fate = Fate::delivered;  // delivered, lost or queue_full
  VirtualTime arrival;
};

/// What else becomes of a datagram that was delivered.
struct Mishap {
  std::optional<VirtualTime> duplicate;  // when its copy arrives
  std::optional<Duration> reordered;     // how much later it comes
  std::optional<std::uint64_t> bad_bit;  // which bit of the payload is flipped
};

class Wire {
 public:
  /// `name` is "from->to", the entity of its streams.
  Wire(std::uint64_t seed, const std::string& name, const scenario::LinkLaw& law);

  Passage pass(VirtualTime now, std::uint32_t bytes);
  /// For a datagram of so many payload bytes that passed.
  Mishap mishap(VirtualTime arrival, std::size_t payload_bytes);
  /// Where a segment of `size` bytes is cut: up to three places, ascending, inside it; each part
  /// after the first comes `gap()` after the one before.
  std::vector<std::size_t> cuts(std::size_t size);
  Duration gap();
  /// One sample; for what costs the link nothing.
  Duration latency();
  /// What a sender waits before it sends again, after `losses` losses in a row (1 or more).
  Duration time_out(int losses, bool first_of_flow) const;

  const scenario::LinkLaw& law() const { return x_law; }
  /// Holds for what is sent from now on; what is on its way keeps its time.
  void set_law(const scenario::LinkLaw& law) { x_law = law; }

 private:
  bool lose();

  scenario::LinkLaw x_law;
  VirtualTime x_busy_until = kStart;
  bool x_bad = false;  // Gilbert-Elliott
  Stream x_loss, x_state, x_latency, x_mishap, x_fragment;
};

}  // namespace lab::network
