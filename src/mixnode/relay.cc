// SPDX-License-Identifier: Apache-2.0
#include "src/mixnode/relay.h"

#include <algorithm>

#include "src/peers/peel_reason.h"

namespace mix::mixnode {
namespace {

using peers::reason_of;
using record::DropReason;
using sphinx::NodeAddress;

static_assert(wire::kPacketBytes == sphinx::kPacketBytes);

std::unexpected<Refusal> refused(DropReason reason, std::optional<NodeAddress> next = {},
                                 std::optional<Duration> delay = {}) {
  return std::unexpected(Refusal{reason, next, delay});
}

}  // namespace

Relay::Relay(const crypto::PrivateKey& key, const Settings& settings)
    : x_settings(settings),
      x_peeler(key),
      x_tags(settings.tag_memory_bytes),
      x_neighbours(settings.layer, settings.layers),
      x_held(settings.max_pending) {}

bool Relay::full() const {
  return x_held.full() || (!x_neighbours.any() && x_held.size() >= x_settings.max_before_topology);
}

/// See wire::kDelayForHalfTheQueue.
bool Relay::room_for(Duration delay) const {
  const auto half = static_cast<std::size_t>(wire::kDelayForHalfTheQueue.count());
  const auto asked = static_cast<std::size_t>(delay.count());
  // held < most * half / (half + asked), in whole numbers that do not overflow: an hour is 3.6e12
  // ns, the queue 64 Ki.
  return x_held.size() * (half + asked) < x_settings.max_pending * half;
}

/// A node that starts, or one that joined after the last look at the topology: asking the directory
/// again is the answer, and a bounded number of packets waits for it.
bool Relay::postpone(const Held& held, Instant now) {
  if (x_topology_of >= held.received || x_undecided.size() >= x_settings.max_undecided)
    return false;
  x_undecided.push_back({held, now + wire::kNextHopPatience});
  x_refresh_wished = true;
  return true;
}

std::expected<Instant, Refusal> Relay::take(wire::PacketView packet, Instant now) {
  if (full()) return refused(DropReason::pending_full);
  std::ranges::copy(packet, x_in.begin());
  const auto header = x_peeler.open_header(x_in);
  if (!header) return refused(reason_of(header.error()));
  const auto delay = header->is_final() ? std::nullopt : std::optional(header->delay());
  // A tag is remembered for every packet whose MAC held, whatever becomes of it, and nobody's
  // payload is decrypted twice.
  if (!x_tags.remember(header->tag())) return refused(DropReason::replay, {}, delay);
  if (header->is_final()) return refused(DropReason::final_at_mix);
  const auto next = NodeAddress::decode(header->address());
  if (!next) return refused(DropReason::bad_next_address, {}, delay);
  if (*delay > wire::kMaxDelay) return refused(DropReason::delay_too_long, next, delay);
  if (!room_for(*delay)) return refused(DropReason::pending_full, next, delay);
  if (x_neighbours.any()) {
    const Standing standing = x_neighbours.judge(*next, now);
    if (standing == Standing::other_layer)
      return refused(DropReason::next_hop_not_next_layer, next, delay);
    if (standing == Standing::unknown) x_refresh_wished = true;
  }

  const auto peeled = header->finish(x_in);
  if (!peeled) return refused(reason_of(peeled.error()), next, delay);
  const Instant due = now + *delay;
  Held* held = x_held.hold(due);
  held->packet = std::get<sphinx::Forward>(*peeled).packet;
  held->next = *next;
  held->received = now;
  held->delay = *delay;
  if (x_settings.digests) held->digest_in = crypto::digest16(x_in);
  return due;
}

std::optional<Instant> Relay::next_due() const {
  if (!x_neighbours.any()) return std::nullopt;
  const auto due = x_held.next_due();
  if (x_undecided.empty()) return due;
  const Instant until = x_undecided.front().until;
  return due ? std::min(*due, until) : until;
}

std::optional<DropReason> Relay::judge(const NodeAddress& next, Instant now) const {
  switch (x_neighbours.judge(next, now)) {
    case Standing::next_layer:
      return std::nullopt;
    case Standing::other_layer:
      return DropReason::next_hop_not_next_layer;
    case Standing::unknown:
      break;
  }
  return DropReason::next_hop_unknown;
}

}  // namespace mix::mixnode
