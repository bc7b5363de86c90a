// SPDX-License-Identifier: Apache-2.0
// The sending side: takes packets whose time has come to their next hops, and says of each how it
// ended. Does not decide who may be sent to (mixnode/relay.h and client/composer.h do).
//
// To a peer that keeps connections (one of our programs) one connection stays open, and everything
// due to it at one instant goes in one write. Any other peer gets a connection for each packet,
// as the original programs expect. A write that fails on a connection that worked before is tried
// once more on a fresh one; our side gives up an idle connection well before its peer would, so
// that the peer's closing does not cross a packet on its way.
//
// Who is listed as a next hop, and whether he answers, a stranger decides. So there is a bound on
// all connections, and peers that never took a packet have a small part of it, of the peers and of
// the packets that may wait, and one connection each (outgoing.h says who comes first). When there
// is no place, the connection that was idle longest goes, and a packet waits for one for as long as
// it may take to connect. What became of it then is `peer_unreachable`.
//
// Bounds (wire/limits.h): packets per peer and in all, connections per peer and in all, peers, time
// to connect (to all addresses of a peer together) and to write. Cost: a packet to an open
// connection takes no task, no timer and no wake-up of its own. Order: peers are written to in the
// order in which their first packet was added, each peer's packets in the order added. Threads: the
// loop's.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <vector>

#include "src/crypto/cipher.h"
#include "src/peers/connector.h"
#include "src/peers/peer_info.h"
#include "src/record/drop_reason.h"
#include "src/runtime/loop.h"
#include "src/runtime/stream.h"
#include "src/sphinx/address.h"
#include "src/sphinx/packet.h"
#include "src/wire/limits.h"

namespace mix::peers {

/// What there will be to say of a packet when its bytes are gone: the sender's own, but for `next`.
struct Parcel {
  sphinx::NodeAddress next;
  Instant received;
  Duration delay{};
  crypto::Digest16 digest_in{};  // zeros unless packets are recorded
  crypto::Digest16 digest_out{};
  std::uint64_t ticket = 0;
};

/// When the system took the packet's last byte, or why it never did.
using Outcome = std::expected<Instant, record::DropReason>;

class Peers {
 public:
  struct Limits {
    std::size_t packets_per_peer = wire::kMaxPacketsPerPeer;
    std::size_t packets = wire::kMaxQueuedToPeers;
    std::size_t connections_per_peer = wire::kMaxConnectionsPerPeer;
    std::size_t peers = wire::kMaxPeers;
    std::size_t connections = 0;  // 0: the share of the descriptors
    Duration connect_timeout = wire::kConnectTimeout;
    /// How long one may keep others waiting for its place.
    Duration connect_hurry = wire::kConnectHurry;
    Duration write_timeout = wire::kWriteTimeout;
    Duration idle_limit = wire::kIdleTimeout / 2;
    /// A connection silent for this long is looked at before it is written to: the system takes a
    /// write to one whose peer has closed, and the packet would be gone.
    Duration look_first = 1s;
  };
  using Done = std::function<void(const Parcel&, Outcome)>;

  /// `done` is called once for each packet added, perhaps within add() or flush(); it must not call
  /// back. `loop` and this object outlive the loop's run.
  Peers(runtime::Loop& loop, Done done) : Peers(loop, std::move(done), Limits()) {}
  Peers(runtime::Loop& loop, Done done, const Limits& limits);
  ~Peers();
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;

  /// Nothing is sent before flush(). Without `info` the peer gets a connection for each packet.
  void add(const sphinx::Packet& packet, const Parcel& parcel,
           const std::shared_ptr<const PeerInfo>& info);
  void flush();
  /// After the loop's run: whatever was not handed over is `shutting_down`.
  void abandon();

  /// Packets added and not done.
  std::size_t waiting() const { return x_waiting; }
  /// Those of them that are on a connection of their own.
  std::size_t flying() const { return x_flying.size(); }
  std::size_t peers() const { return x_peers.size(); }
  std::uint64_t connections_made() const { return x_connector.made(); }
  /// Open, or being made.
  std::size_t connections() const { return x_connector.places().taken(); }

 private:
  struct Peer;
  using PeerPtr = std::shared_ptr<Peer>;

  bool room_for_packet(const Peer& peer) const;
  void flush_kept(const PeerPtr& peer);
  void flush_single(const PeerPtr& peer);
  runtime::Task<> drive(PeerPtr peer);
  runtime::Task<bool> push(PeerPtr peer);
  runtime::Task<> watch(PeerPtr peer, std::uint64_t connection);
  runtime::Task<> send_singles(PeerPtr peer);
  runtime::Task<> send_single(PeerPtr peer);
  runtime::Task<Connector::Result> connect(PeerPtr peer);
  static std::vector<sphinx::NodeAddress> addresses_of(const Peer& peer);
  bool still_open(Peer& peer);
  runtime::Io<> write_now(Peer& peer);
  void written(Peer& peer, std::size_t bytes);
  void took_a_packet(Peer& peer);
  void kept_waiting(Peer& peer);
  void keep(Peer& peer, Connector::Connection connection);
  void close(Peer& peer);
  void lose_kept(Peer& peer);
  void drop_all(Peer& peer, record::DropReason reason);
  void finish(const Parcel& parcel, Outcome outcome);
  void forget_if_idle(Peer& peer);

  runtime::Loop& x_loop;
  Done x_done;
  Limits x_limits;
  Connector x_connector;  // outlives the peers, which have places
  std::map<sphinx::NodeAddress, PeerPtr> x_peers;
  std::vector<PeerPtr> x_touched;  // since the last flush, each once
  std::list<Parcel> x_flying;      // each on a connection of its own
  std::size_t x_waiting = 0;
};

}  // namespace mix::peers
