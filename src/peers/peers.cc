// SPDX-License-Identifier: Apache-2.0
#include "src/peers/peers.h"

#include <algorithm>

#include "src/peers/outbox.h"
#include "src/prelude/log.h"

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

  // A peer that keeps connections.
  Stream stream;
  std::uint64_t connection = 0;  // counts them, so that an old one's watcher knows it is old
  bool driven = false;           // a task connects or waits to write; it takes what is added, too
  bool proved = false;           // this connection has carried a packet
  Instant last_written;          // on this connection
  NodeAddress last_good;         // the one of its addresses that answered last

  // Any other.
  std::size_t singles = 0;  // tasks that send a packet a connection

  bool keeps_connections() const { return info && info->keeps_connections; }
};

namespace {

/// An answer nobody asked for (originals say five bytes a packet) is read and thrown away.
constexpr std::size_t kScrapBytes = 512;

}  // namespace

Peers::Peers(runtime::Loop& loop, Done done, const Limits& limits)
    : x_loop(loop), x_done(std::move(done)), x_limits(limits) {}

Peers::~Peers() = default;

void Peers::add(const sphinx::Packet& packet, const Parcel& parcel,
                const std::shared_ptr<const PeerInfo>& info) {
  ++x_waiting;
  auto found = x_peers.find(parcel.next);
  if (found == x_peers.end()) {
    if (x_peers.size() >= x_limits.peers)
      return finish(parcel, std::unexpected(DropReason::pending_full));
    found = x_peers.emplace(parcel.next, std::make_shared<Peer>()).first;
    found->second->address = found->second->last_good = parcel.next;
  }
  const PeerPtr& peer = found->second;
  // Nobody may have more waiting than is still free: a few peers that do not read leave room for
  // the others, however few slots there are.
  const std::size_t free = x_limits.packets - std::min(x_limits.packets, x_waiting - 1);
  if (peer->outbox.size() >= std::min(x_limits.packets_per_peer, free))
    return finish(parcel, std::unexpected(DropReason::pending_full));
  if (info) peer->info = info;
  peer->outbox.add(packet, parcel);
  if (!std::exchange(peer->touched, true)) x_touched.push_back(peer);
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
  if (peer->stream && write_now(*peer) && peer->outbox.empty()) return;
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
  peer.stream.close();
  peer.stream = Stream();
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
  peer.outbox.take(bytes, [&](const Parcel& parcel) {
    peer.proved = true;
    finish(parcel, now);
  });
}

/// Until the outbox is empty: connects when there is no connection, writes, waits for the peer to
/// read. A connection that fails before it has carried anything is not replaced: everything that
/// waits is dropped, and the next packet tries again.
Task<> Peers::drive(PeerPtr peer) {
  while (!peer->outbox.empty()) {
    if (!peer->stream) {
      peer->outbox.rewind();
      auto stream = co_await connect(peer);
      if (!stream) {
        drop_all(*peer, DropReason::peer_unreachable);
        break;
      }
      peer->stream = std::move(*stream);
      peer->stream.set_idle_limit(x_limits.idle_limit);
      peer->proved = false;
      peer->last_written = x_loop.now();
      x_loop.spawn(watch(peer, ++peer->connection));
    }
    if (co_await push(peer)) continue;
    if (peer->stream) peer->stream.close();
    peer->stream = Stream();
    if (!peer->proved) drop_all(*peer, DropReason::peer_unreachable);
    peer->proved = false;
    // A peer that breaks off again and again keeps nobody else waiting.
    if (!peer->outbox.empty()) co_await x_loop.yield();
  }
  peer->driven = false;
  forget_if_idle(peer);
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
      if (wrote.error().kind == IoError::Kind::timed_out) peer->proved = false;
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
  peer->stream = Stream();
  forget_if_idle(peer);
}

// ---- A peer that gets a connection for each packet ------------------------------------------

void Peers::flush_single(const PeerPtr& peer) {
  // A task takes a packet before spawn returns.
  while (peer->singles < x_limits.connections_per_peer && !peer->outbox.empty()) {
    ++peer->singles;
    x_loop.spawn(send_singles(peer));
  }
}

Task<> Peers::send_singles(PeerPtr peer) {
  ByteArray<wire::kPacketBytes> packet;
  while (!peer->outbox.empty()) {
    std::ranges::copy(peer->outbox.first(), packet.begin());
    const auto flying = x_flying.emplace(x_flying.end());
    peer->outbox.take(packet.size(), [&](const Parcel& parcel) { *flying = parcel; });
    auto stream = co_await connect(peer);
    Outcome outcome = std::unexpected(DropReason::peer_unreachable);
    if (stream) {
      stream->set_deadline(x_loop.now() + x_limits.write_timeout);
      if (co_await stream->write_all(packet)) outcome = x_loop.now();
      stream->close();
    }
    finish(*flying, outcome);
    x_flying.erase(flying);
    if (!stream) drop_all(*peer, DropReason::peer_unreachable);  // they would fare no better
    // Where the system takes everything at once, others go first.
    if (!peer->outbox.empty()) co_await x_loop.yield();
  }
  --peer->singles;
  forget_if_idle(peer);
}

// ---- Both -----------------------------------------------------------------------------------

/// Tries the address that answered last, then the one the packet names, then the node's others.
Task<Io<Stream>> Peers::connect(PeerPtr peer) {
  std::vector<NodeAddress> addresses{peer->last_good, peer->address};
  if (peer->info)
    addresses.insert(addresses.end(), peer->info->addresses.begin(), peer->info->addresses.end());
  std::optional<IoError> first_error;
  std::vector<NodeAddress> tried;
  for (const NodeAddress& address : addresses) {
    if (std::ranges::find(tried, address) != tried.end()) continue;
    tried.push_back(address);
    auto stream = co_await Stream::connect(x_loop, address, x_limits.connect_timeout);
    if (stream) {
      ++x_connections_made;
      peer->last_good = address;
      x_unreachable.reached(peer->address);
      co_return std::move(*stream);
    }
    if (!first_error) first_error = stream.error();
  }
  if (x_unreachable.say(peer->address, x_loop.now()))
    log::warn("next hop ", peer->address.to_text(), " cannot be reached: ", first_error->text());
  co_return std::unexpected(*first_error);
}

void Peers::drop_all(Peer& peer, DropReason reason) {
  peer.outbox.drop_all([&](const Parcel& parcel) { finish(parcel, std::unexpected(reason)); });
}

void Peers::finish(const Parcel& parcel, Outcome outcome) {
  --x_waiting;
  x_done(parcel, outcome);
}

void Peers::forget_if_idle(const PeerPtr& peer) {
  if (peer->stream || peer->driven || peer->singles > 0 || !peer->outbox.empty()) return;
  const auto found = x_peers.find(peer->address);
  if (found != x_peers.end() && found->second == peer) x_peers.erase(found);
}

void Peers::abandon() {
  for (auto& [address, peer] : x_peers)
    drop_all(*peer, DropReason::shutting_down);
  for (const Parcel& parcel : std::exchange(x_flying, {}))
    finish(parcel, std::unexpected(DropReason::shutting_down));
}

}  // namespace mix::peers
