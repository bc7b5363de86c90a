// SPDX-License-Identifier: Apache-2.0
// The wires between hosts: what the controller submits, late, damaged, held up or lost, as the
// scenario's links and faults say. Implements lab::Network (protocol/network.h), whose words are
// used. Pure: one thread, no I/O, no clock, chance only from named streams; a function of what was
// submitted, the plan and the seed.
//
// TCP is modelled per direction of a connection: what was submitted in order arrives in order,
// once. Data is cut into segments of at most kMss. A segment that is lost, refused by a full queue
// or met by a cut is sent again after a time-out (200 ms plus twice the link's mean latency,
// doubled for each further loss, at most 120 s; for connect and accept 1 s doubled, as Linux does
// for a SYN) and holds back what follows it. After 15 losses in a row (6 of a connect) it is
// reported as lost, the rest of its direction is dropped, and its sender is told with a reset (a
// refuse, for a connect). Acknowledgements and windows cost nothing and are never lost, but a cut
// holds them up. A datagram is lost, late, doubled, overtaken or damaged, once and for all.
//
// A host's traffic with itself is the business of that host's kernel and never comes here.
// Bounds: memory is what is in flight, plus one wire (300 bytes) for each pair of hosts that ever
// talked. Errors: hosts that are not in the plan: our bug (CHECK).
#pragma once

#include <memory>

#include "harness/protocol/network.h"
#include "harness/scenario/plan.h"

namespace lab::network {

inline constexpr std::size_t kMss = 1460;
/// What a segment or datagram costs the bandwidth beside its bytes.
inline constexpr std::uint32_t kTcpHeader = 40, kUdpHeader = 28;

/// A decision that is not a delivery's own fate; delivered and final losses come out of take_due.
enum class Decision : std::uint8_t {
  lost,
  queue_full,
  cut,
  duplicated,
  corrupted,
  reordered,
  gave_up
};
const char* to_text(Decision decision);

/// Is told of every decision of the network, in order: they are part of the chain.
class Witness {
 public:
  virtual ~Witness() = default;
  virtual void decided(VirtualTime when, const Parcel& parcel, Decision decision) = 0;
};

class Links final : public lab::Network {
 public:
  /// `plan` and `witness` outlive this.
  Links(const scenario::Plan& plan, std::uint64_t seed, Witness& witness);
  ~Links() override;

  void submit(Parcel&& parcel) override;
  /// A lower bound: the network may have something to settle by itself then.
  std::optional<VirtualTime> next_due() const override;
  void take_due(VirtualTime now, std::vector<Delivery>& out) override;
  /// The least latency of all links later; earlier if a segment is sent again before. `from` while
  /// anything is cut.
  VirtualTime horizon(VirtualTime from) const override;

  /// Does a partition, heal or set-link, also to what is in flight; other verbs are ignored. Call
  /// it after take_due(now).
  void apply(VirtualTime now, const scenario::Action& action);

 private:
  class Impl;
  std::unique_ptr<Impl> x_impl;
};

}  // namespace lab::network
