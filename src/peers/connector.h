// SPDX-License-Identifier: Apache-2.0
// Connects to peers: a place first (outgoing.h), then the peer's addresses, one after the other,
// all of it within one time. Remembers who took packets and who let attempts hang, which is what
// decides who comes first, and says once who cannot be reached.
//
// Bounds: places; addresses tried (wire::kMaxAddressesPerName); one time for a whole connect, of
// which each address has an equal share. Threads: the loop's. Must outlive the loop's run, and its
// places.
#pragma once

#include <vector>

#include "src/peers/outgoing.h"
#include "src/peers/reputation.h"
#include "src/peers/said_once.h"
#include "src/runtime/loop.h"
#include "src/runtime/stream.h"

namespace mix::peers {

class Connector {
 public:
  struct Limits {
    std::size_t connections = 0;  // 0: the share of the descriptors
    Duration time = wire::kConnectTimeout;
    Duration hurry = wire::kConnectHurry;
  };
  struct Connection {
    runtime::Stream stream;
    sphinx::NodeAddress address;
    PlacePtr place;
  };
  using Result = runtime::Io<Connection>;

  Connector(runtime::Loop& loop, const Limits& limits)
      : x_loop(loop), x_limits(limits), x_outgoing(loop, limits.connections, limits.hurry) {}

  /// `addresses` is not empty: all of one peer, in the order in which to try.
  runtime::Task<Result> connect(sphinx::NodeAddress peer,
                                std::vector<sphinx::NodeAddress> addresses);

  bool is_proven(const sphinx::NodeAddress& peer) const { return x_reputation.of(peer).proven; }
  void took_a_packet(const sphinx::NodeAddress& peer) { x_reputation.took_a_packet(peer); }
  void hung(const sphinx::NodeAddress& peer) { x_reputation.hung(peer); }

  Outgoing& places() { return x_outgoing; }
  const Outgoing& places() const { return x_outgoing; }
  std::uint64_t made() const { return x_made; }

 private:
  runtime::Task<Result> connect_to_any(PlacePtr place, std::vector<sphinx::NodeAddress> addresses,
                                       Duration time);
  runtime::Task<runtime::Io<runtime::Stream>> attempt(Place& place, sphinx::NodeAddress to,
                                                      Duration time);

  runtime::Loop& x_loop;
  Limits x_limits;
  Outgoing x_outgoing;
  Reputation x_reputation;
  SaidOnce x_unreachable;
  std::uint64_t x_made = 0;
};

}  // namespace mix::peers
