// SPDX-License-Identifier: Apache-2.0
// What a mix decides about packets: refuse with a reason, or hold until a time and then send to
// whom. Pure: bytes and times come in, decisions go out; nothing here waits, resolves or sends.
//
// A packet is judged twice. When it comes: is it whole, new, for a mix, and asks for something
// reasonable; a next hop known to stand in another layer is refused at once. When its delay is
// over: may its next hop be sent to now. An unknown next hop asks for a refresh of the topology in
// between, and its packet waits until the directory was asked after it came. Before the first
// topology nothing leaves.
//
// Order: packets leave by deadline, equal deadlines by arrival. Bounds: wire/limits.h (packets
// held, packets before the first topology, the longest delay, how full the queue may be for a
// delay). No allocation per packet once the queue has grown to its busiest. Threads: one.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <utility>
#include <vector>

#include "src/crypto/keys.h"
#include "src/mixnode/neighbours.h"
#include "src/prelude/instant.h"
#include "src/record/drop_reason.h"
#include "src/sphinx/address.h"
#include "src/sphinx/packet.h"
#include "src/sphinx/tag_memory.h"
#include "src/traffic/hold_queue.h"
#include "src/wire/frame.h"

namespace mix::mixnode {

/// One packet under way, with what its record needs.
struct Held {
  sphinx::Packet packet;  // as it will be sent
  sphinx::NodeAddress next;
  Instant received;
  Duration delay;              // as the header asks
  crypto::Digest16 digest_in;  // zeros unless packets are recorded
};

/// Not taken. What could be read of the header, for the record.
struct Refusal {
  record::DropReason reason;
  std::optional<sphinx::NodeAddress> next;
  std::optional<Duration> delay;
};

class Relay {
 public:
  struct Settings {
    unsigned layer = 1;
    unsigned layers = wire::kDefaultLayers;
    std::size_t tag_memory_bytes = sphinx::TagMemory::kDefaultBudget;
    std::size_t max_pending = wire::kMaxPendingPackets;
    std::size_t max_before_topology = wire::kMaxPacketsBeforeTopology;
    std::size_t max_undecided = wire::kMaxUndecidedPackets;
    bool digests = false;  // compute digest_in
  };
  Relay(const crypto::PrivateKey& key, const Settings& settings);

  /// A packet came. Taken: held until the time returned. (The queue is asked first: a flood must
  /// not cost point multiplications.)
  std::expected<Instant, Refusal> take(wire::PacketView packet, Instant now);

  /// When the first held packet is due; nothing while there is none, or no topology yet.
  std::optional<Instant> next_due() const;

  /// Hands out at most `limit` packets whose delay is over: use(Held&, nullopt) may go,
  /// use(Held&, reason) must not. `use` does not call the relay. Returns how many.
  template <class Use>
  std::size_t release(Instant now, std::size_t limit, Use use) {
    if (!x_neighbours.any()) return 0;
    release_undecided(now, use);
    return x_held.release(now, limit, [&](Held& held) {
      const auto reason = judge(held.next, now);
      if (reason == record::DropReason::next_hop_unknown && postpone(held, now)) return;
      use(held, reason);
    });
  }

  void update_topology(std::span<const Listed> topology, Instant now) {
    x_neighbours.update(topology, now);
    x_news = true;
  }
  /// The directory was asked at `asked`, and what it knew then has been told by update_topology: a
  /// packet that came before and whose next hop is still unknown waits no longer.
  void topology_is_of(Instant asked) {
    x_topology_of = asked;
    x_news = true;
  }
  const Neighbours& neighbours() const { return x_neighbours; }
  /// True once after packets with an unknown next hop came: a newer topology may know it. (How
  /// often the directory is asked is the watcher's affair.)
  bool take_refresh_wish() { return std::exchange(x_refresh_wished, false); }

  /// The program ends: hands out everything held.
  template <class Use>
  void abandon(Use use) {
    for (Undecided& one : std::exchange(x_undecided, {}))
      use(one.held);
    x_held.release(Instant::max(), x_held.size(), use);
  }

  std::size_t held() const { return x_held.size() + x_undecided.size(); }
  /// How often the older half of the tags was forgotten.
  std::uint64_t forgotten_generations() const { return x_tags.forgotten_generations(); }
  std::size_t replay_window_packets() const { return x_tags.tags_per_generation(); }

 private:
  /// A packet whose delay is over and whose next hop nobody has, so far.
  struct Undecided {
    Held held;
    Instant until;
  };

  std::optional<record::DropReason> judge(const sphinx::NodeAddress& next, Instant now) const;
  bool full() const;
  bool room_for(Duration delay) const;
  bool postpone(const Held& held, Instant now);

  template <class Use>
  void release_undecided(Instant now, Use& use) {
    if (x_undecided.empty()) return;
    if (!std::exchange(x_news, false) && now < x_undecided.front().until) return;
    std::vector<Undecided> still;
    for (Undecided& one : x_undecided) {
      const auto reason = judge(one.held.next, now);
      const bool waits = reason == record::DropReason::next_hop_unknown &&
                         x_topology_of < one.held.received && now < one.until;
      if (waits)
        still.push_back(one);
      else
        use(one.held, reason);
    }
    x_undecided = std::move(still);
  }

  Settings x_settings;
  sphinx::Peeler x_peeler;
  sphinx::TagMemory x_tags;
  Neighbours x_neighbours;
  traffic::HoldQueue<Held> x_held;
  std::vector<Undecided> x_undecided;  // in the order in which their time is over
  Instant x_topology_of = Instant::min();
  bool x_news = false;  // of the topology, since the undecided were last looked at
  sphinx::Packet x_in;  // the packet being judged
  bool x_refresh_wished = false;
};

}  // namespace mix::mixnode
