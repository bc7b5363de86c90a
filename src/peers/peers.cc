// SPDX-License-Identifier: Apache-2.0
#include "src/peers/peers.h"

#include <algorithm>

#include "src/peers/outbox.h"

namespace mix::peers {

using record::DropReason;
using runtime::Io;
using runtime::IoError;
using runtime::Stream;
using runtime::Task;
using sphinx::NodeAddress;

struct Peers::Peer {
  NodeAddress address;
  std::shared_ptr<const PeerInfo> info;
  Outbox<Parcel> outbox;
  bool touched = false;  // in x_touched
  bool proven = false;   // took a packet, now or before, and let none wait since

  // A peer that keeps connections.
  Stream stream;
  PlacePtr place;                // the connection's
  std::uint64_t connection = 0;  // counts them, so that an old one's watcher knows it is old
  bool driven = false;           // a task connects or waits to write; it takes what is added, too
  bool carried = false;          // this connection has carried a packet
  bool lost = false;             // its place is somebody else's: nothing moved for too long
  Instant last_written;          // on this connection
  NodeAddress last_good;         // the one of its addresses that answered last

  // Any other.
  std::size_t singles = 0;  // tasks that send a packet a connection

  bool keeps_connections() const { return info && info->keeps_connections; }
  bool is_idle() const { return !driven && outbox.empty(); }
};

namespace {

/// An answer nobody asked for (originals say five bytes a packet) is read and thrown away.
constexpr std::size_t kScrapBytes = 512;

/// What of a bound is for peers that never took a packet.
std::size_t for_strangers(std::size_t most) {
  return most - most / wire::kShareOfUnproven;
}

}  // namespace

Peers::Peers(runtime::Loop& loop, Done done, const Limits& limits)
    : x_loop(loop),
      x_done(std::move(done)),
      x_limits(limits),
      x_connector(loop, {.connections = limits.connections,
                         .time = limits.connect_timeout,
                         .hurry = limits.connect_hurry}) {}

Peers::~Peers() = default;

void Peers::add(const sphinx::Packet& packet, const Parcel& parcel,
                const std::shared_ptr<const PeerInfo>& info) {
  ++x_waiting;
  auto found = x_peers.find(parcel.next);
  if (found == x_peers.end()) {
    const bool proven = x_connector.is_proven(parcel.next);
    const std::size_t most = proven ? x_limits.peers : for_strangers(x_limits.peers);
    if (x_peers.size() >= most && !x_connector.places().drop_idle())
      return finish(parcel, std::unexpected(DropReason::pending_full));
    found = x_peers.emplace(parcel.next, std::make_shared<Peer>()).first;
    found->second->address = found->second->last_good = parcel.next;
    found->second->proven = proven;
  }
  const PeerPtr& peer = found->second;
  if (!room_for_packet(*peer)) return finish(parcel, std::unexpected(DropReason::pending_full));
  if (info) peer->info = info;
  peer->outbox.add(packet, parcel);
  if (!std::exchange(peer->touched, true)) x_touched.push_back(peer);
}

/// Nobody may have more waiting than is still free: a few peers that do not read leave room for the
/// others, however few slots there are.
bool Peers::room_for_packet(const Peer& peer) const {
  const std::size_t most = peer.proven ? x_limits.packets : for_strangers(x_limits.packets);
  const std::size_t free = most - std::min(most, x_waiting - 1);
  return peer.outbox.size() < std::min(x_limits.packets_per_peer, free);
}

void Peers::flush() {
  for (const PeerPtr& peer : x_touched) {
    peer->touched = false;
    peer->keeps_connections() ? flush_kept(peer) : flush_single(peer);
  }
  x_touched.clear();
}

// ---- A peer that keeps connections ----------------------------------------------------------

/// The usual case ends here, in one system call: the connection is open and takes everything.
void Peers::flush_kept(const PeerPtr& peer) {
  if (peer->driven) return;
  if (peer->stream && write_now(*peer) && peer->outbox.empty())
    return x_connector.places().look_again();
  peer->driven = true;
  x_loop.spawn(drive(peer));
}

/// Hands over as much as the system takes now. An error is the connection's end.
Io<> Peers::write_now(Peer& peer) {
  const auto taken = still_open(peer) ? peer.stream.write_now(peer.outbox.rest())
                                      : std::unexpected(IoError{IoError::Kind::closed});
  if (taken) {
    written(peer, *taken);
    return {};
  }
  if (taken.error().kind == IoError::Kind::would_block) return {};
  close(peer);
  return std::unexpected(taken.error());
}

bool Peers::still_open(Peer& peer) {
  if (x_loop.now() - peer.last_written < x_limits.look_first) return true;
  ByteArray<kScrapBytes> scrap;
  const auto got = peer.stream.read_now(scrap);
  return got ? *got > 0 : got.error().kind == IoError::Kind::would_block;
}

void Peers::written(Peer& peer, std::size_t bytes) {
  const Instant now = peer.last_written = x_loop.now();
  bool whole = false;
  peer.outbox.take(bytes, [&](const Parcel& parcel) {
    whole = true;
    finish(parcel, now);
  });
  peer.place->progress();
  if (!whole) return;
  peer.carried = true;
  if (!peer.proven) took_a_packet(peer);
  peer.place->prove();
}

void Peers::keep(Peer& peer, Connector::Connection connection) {
  peer.stream = std::move(connection.stream);
  peer.stream.set_idle_limit(x_limits.idle_limit);
  peer.place = std::move(connection.place);
  peer.place->idle = [&peer] { return peer.is_idle(); };
  peer.place->lose = [this, &peer] { lose_kept(peer); };
  peer.carried = peer.lost = false;
  peer.last_written = x_loop.now();
}

void Peers::close(Peer& peer) {
  peer.stream = Stream();
  peer.place.reset();
  if (peer.carried && peer.proven) x_connector.took_a_packet(peer.address);
}

/// Somebody else has its place now.
void Peers::lose_kept(Peer& peer) {
  if (peer.driven) {  // it waits to write, which ends with an error
    peer.lost = true;
    peer.stream.close();
    return;
  }
  close(peer);
  forget_if_idle(peer);
}

/// Until the outbox is empty: connects when there is no connection, writes, waits for the peer to
/// read. A connection that fails before it has carried anything is not replaced: everything that
/// waits is dropped, and the next packet tries again.
Task<> Peers::drive(PeerPtr peer) {
  while (!peer->outbox.empty()) {
    if (!peer->stream) {
      peer->outbox.rewind();
      auto connection = co_await connect(peer);
      if (!connection) {
        drop_all(*peer, DropReason::peer_unreachable);
        break;
      }
      keep(*peer, std::move(*connection));
      x_loop.spawn(watch(peer, ++peer->connection));
    }
    if (co_await push(peer)) continue;
    close(*peer);
    if (!peer->carried) drop_all(*peer, DropReason::peer_unreachable);
    peer->carried = false;
    // A peer that breaks off again and again keeps nobody else waiting.
    if (!peer->outbox.empty()) co_await x_loop.yield();
  }
  peer->driven = false;
  forget_if_idle(*peer);
  x_connector.places().look_again();
}

/// Writes until the outbox is empty (true) or the connection fails. Where the system takes no more,
/// it waits with the rest of one packet only: so it is known which packets were handed over whole.
Task<bool> Peers::push(PeerPtr peer) {
  ByteArray<wire::kPacketBytes> rest;
  while (true) {
    if (!peer->stream || !write_now(*peer)) co_return false;
    if (peer->outbox.empty()) co_return true;
    const BytesView first = peer->outbox.first();
    const std::size_t bytes = first.size();
    std::ranges::copy(first, rest.begin());
    peer->stream.set_deadline(x_loop.now() + x_limits.write_timeout);
    const auto wrote = co_await peer->stream.write_all(BytesView(rest).first(bytes));
    if (!wrote) {
      // A peer that does not read would not read on another connection either.
      if (wrote.error().kind == IoError::Kind::timed_out || peer->lost) {
        peer->carried = false;
        kept_waiting(*peer);
      }
      co_return false;
    }
    peer->stream.set_deadline(std::nullopt);
    written(*peer, bytes);
  }
}

/// Learns that the peer, or the idle limit, closed the connection, before a packet is written to
/// it.
Task<> Peers::watch(PeerPtr peer, std::uint64_t connection) {
  ByteArray<kScrapBytes> scrap;
  while (peer->stream && peer->connection == connection) {
    if (!co_await peer->stream.readable()) break;
    if (!peer->stream || peer->connection != connection) co_return;
    const auto got = peer->stream.read_now(scrap);
    if (got ? *got == 0 : got.error().kind != IoError::Kind::would_block) break;
  }
  if (peer->connection != connection || !peer->stream) co_return;
  peer->stream.close();
  if (peer->driven) co_return;  // the driver's write ends with an error, and it reconnects
  close(*peer);
  forget_if_idle(*peer);
}

// ---- A peer that gets a connection for each packet ------------------------------------------

void Peers::flush_single(const PeerPtr& peer) {
  // A task takes a packet before spawn returns.
  while (!peer->outbox.empty()) {
    if (peer->singles >= (peer->proven ? x_limits.connections_per_peer : 1)) return;
    ++peer->singles;
    x_loop.spawn(send_singles(peer));
  }
}

Task<> Peers::send_singles(PeerPtr peer) {
  while (!peer->outbox.empty()) {
    co_await send_single(peer);
    // Where the system takes everything at once, others go first.
    if (!peer->outbox.empty()) co_await x_loop.yield();
  }
  --peer->singles;
  forget_if_idle(*peer);
}

Task<> Peers::send_single(PeerPtr peer) {
  ByteArray<wire::kPacketBytes> packet;
  std::ranges::copy(peer->outbox.first(), packet.begin());
  const auto flying = x_flying.emplace(x_flying.end());
  peer->outbox.take(packet.size(), [&](const Parcel& parcel) { *flying = parcel; });
  auto connection = co_await connect(peer);
  Outcome outcome = std::unexpected(DropReason::peer_unreachable);
  if (connection) {
    Stream& stream = connection->stream;
    bool lost = false;
    connection->place->lose = [&] {
      lost = true;
      stream.close();
    };
    stream.set_deadline(x_loop.now() + x_limits.write_timeout);
    const auto wrote = co_await stream.write_all(packet);
    if (wrote) outcome = x_loop.now();
    if (lost || (!wrote && wrote.error().kind == IoError::Kind::timed_out)) kept_waiting(*peer);
    connection->place->lose = {};
    stream.close();
  }
  finish(*flying, outcome);
  x_flying.erase(flying);
  if (!connection) drop_all(*peer, DropReason::peer_unreachable);  // they would fare no better
  if (!outcome) co_return;
  const bool stranger = !peer->proven;
  took_a_packet(*peer);
  if (stranger) flush_single(peer);  // it may have more connections at once now
}

// ---- Both -----------------------------------------------------------------------------------

Task<Connector::Result> Peers::connect(PeerPtr peer) {
  auto connection = co_await x_connector.connect(peer->address, addresses_of(*peer));
  if (connection)
    peer->last_good = connection->address;
  else
    peer->proven = x_connector.is_proven(peer->address);
  co_return std::move(connection);
}

/// The one that answered last, then the one the packet names, then the node's others.
std::vector<NodeAddress> Peers::addresses_of(const Peer& peer) {
  std::vector<NodeAddress> out{peer.last_good};
  const auto add = [&](const NodeAddress& address) {
    if (out.size() < wire::kMaxAddressesPerName && std::ranges::find(out, address) == out.end())
      out.push_back(address);
  };
  add(peer.address);
  if (peer.info) std::ranges::for_each(peer.info->addresses, add);
  return out;
}

void Peers::took_a_packet(Peer& peer) {
  peer.proven = true;
  x_connector.took_a_packet(peer.address);
}

void Peers::kept_waiting(Peer& peer) {
  peer.proven = false;
  x_connector.hung(peer.address);
}

void Peers::drop_all(Peer& peer, DropReason reason) {
  peer.outbox.drop_all([&](const Parcel& parcel) { finish(parcel, std::unexpected(reason)); });
}

void Peers::finish(const Parcel& parcel, Outcome outcome) {
  --x_waiting;
  x_done(parcel, outcome);
}

void Peers::forget_if_idle(Peer& peer) {
  if (peer.stream || peer.driven || peer.singles > 0 || !peer.outbox.empty()) return;
  const auto found = x_peers.find(peer.address);
  if (found != x_peers.end() && found->second.get() == &peer) x_peers.erase(found);
}

void Peers::abandon() {
  for (auto& [address, peer] : x_peers)
    drop_all(*peer, DropReason::shutting_down);
  for (const Parcel& parcel : std::exchange(x_flying, {}))
    finish(parcel, std::unexpected(DropReason::shutting_down));
}

}  // namespace mix::peers
