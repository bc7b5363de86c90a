// SPDX-License-Identifier: Apache-2.0
// Finds the packets in what crosses the wire: on a connection to a mix's or provider's packet
// listener, the bytes from client to server are units of 1372, however they were written, cut or
// read. Each unit becomes one row of `wire_packet` once it arrived, or can no longer arrive. Pure.
//
// A connection's bytes come in order (the network's promise). The first of them may leave, and even
// arrive, before anybody says who listens: until then a connection is kept as if it carried
// packets.
#pragma once

#include <deque>
#include <functional>
#include <map>

#include "harness/protocol/network.h"
#include "harness/recorder/rows.h"

namespace lab::recorder {

inline constexpr std::size_t kPacketBytes = 1372;

class WireTap {
 public:
  /// A packet, but for the row's `bytes`, and its bytes.
  using Emit = std::function<void(WirePacketRow, mix::BytesView)>;
  explicit WireTap(Emit emit) : x_emit(std::move(emit)) {}

  /// Who listens is known: of packets (`takes_packets`), or somebody whose bytes are none of ours.
  void open(ConnectionId connection, NodeNumber from, NodeNumber to, bool takes_packets);
  /// Whether that has been said.
  bool is_open(ConnectionId connection) const;
  /// Bytes left the client, at `sent`.
  void sent(ConnectionId connection, std::uint64_t offset, mix::BytesView bytes, VirtualTime sent);
  /// Bytes up to `end` of the stream arrived at somebody, or at nobody (`heard` false). `alone`:
  /// they are one whole unit, as is_next() said.
  void arrived(ConnectionId connection, std::uint64_t end, VirtualTime when, bool heard,
               bool alone = false);
  /// Whether the unit that arrives next begins at `offset`, left at `sent`, and is known to be a
  /// packet.
  bool is_next(ConnectionId connection, std::uint64_t offset, VirtualTime sent) const;
  /// Nothing more arrives on this connection: what is under way never will, nor what its client
  /// still sends, which has not heard of it yet.
  void close(ConnectionId connection, VirtualTime when, const char* fate);
  /// The run is over: what is under way stays so.
  void finish();

 private:
  struct Unit {
    VirtualTime sent;
    mix::Bytes bytes;
    std::uint64_t end = 0;
  };
  struct Flow {
    enum class Kind { unknown, packets, other } kind = Kind::unknown;
    std::vector<std::pair<WirePacketRow, mix::Bytes>> early;  // done with before the kind was known
    NodeNumber from, to;
    std::uint64_t next = 0;  // offset of the next byte to leave
    mix::Bytes partial;
    std::deque<Unit> under_way;
    const char* closed = nullptr;  // the fate of all that is sent from now on
  };
  void emit(ConnectionId connection, Flow& flow, const Unit& unit,
            std::optional<VirtualTime> delivered, const char* fate,
            std::optional<VirtualTime> ended, bool alone = false);

  Emit x_emit;
  std::map<ConnectionId, Flow> x_flows;
};

}  // namespace lab::recorder
