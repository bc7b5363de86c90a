// SPDX-License-Identifier: Apache-2.0
#include "src/mixnode/neighbours.h"

#include <set>

#include "src/prelude/check.h"

namespace mix::mixnode {

using sphinx::NodeAddress;

Neighbours::Neighbours(unsigned own_layer, unsigned layers) : x_next_layer(own_layer + 1) {
  CHECK(own_layer >= 1 && own_layer <= layers && layers <= wire::kMaxLayers, own_layer, layers);
}

void Neighbours::update(std::span<const Listed> topology, Instant now) {
  retire(now);
  make_room(topology);
  for (const bool next : {true, false})
    for (const Listed& node : topology)
      if ((node.layer == x_next_layer) == next) list(node);
  forget(now);
  x_any = true;
}

/// Everybody has left, until list() says otherwise.
void Neighbours::retire(Instant now) {
  for (auto& [address, known] : x_known)
    for (Membership* membership : {&known.next, &known.other}) {
      if (membership->listed) membership->until = now + wire::kTopologyMemory;
      membership->listed = false;
    }
}

/// Whoever lists others all the time does not keep out those that are listed now.
void Neighbours::make_room(std::span<const Listed> topology) {
  std::size_t coming = 0;
  for (const Listed& node : topology)
    for (const NodeAddress& address : node.addresses)
      coming += !x_known.contains(address);
  if (x_known.size() + coming <= 2 * kMaxListed) return;
  std::set<NodeAddress> listed;
  for (const Listed& node : topology)
    listed.insert(node.addresses.begin(), node.addresses.end());
  std::erase_if(x_known, [&](const auto& entry) { return !listed.contains(entry.first); });
}

void Neighbours::list(const Listed& node) {
  if (node.addresses.empty()) return;
  std::shared_ptr<const PeerInfo> info;
  if (node.layer == x_next_layer)
    info = std::make_shared<PeerInfo>(node.keeps_connections, node.addresses);
  for (const NodeAddress& address : node.addresses) {
    if (!x_known.contains(address) && x_known.size() >= 2 * kMaxListed) return;
    Known& known = x_known[address];
    if (!info) {
      known.other.listed = true;
      continue;
    }
    // Two nodes claim one address: whichever answers there, a packet a connection is safe.
    const bool shared =
        known.next.listed && known.info->keeps_connections != info->keeps_connections;
    known.next.listed = true;
    known.info = shared ? std::make_shared<PeerInfo>(false, node.addresses) : info;
  }
}

void Neighbours::forget(Instant now) {
  std::erase_if(x_known, [&](const auto& entry) {
    return !entry.second.next.counts(now) && !entry.second.other.counts(now);
  });
}

Standing Neighbours::judge(const NodeAddress& address, Instant now) const {
  const auto found = x_known.find(address);
  if (found == x_known.end()) return Standing::unknown;
  if (found->second.next.counts(now)) return Standing::next_layer;
  return found->second.other.counts(now) ? Standing::other_layer : Standing::unknown;
}

std::shared_ptr<const PeerInfo> Neighbours::info(const NodeAddress& address) const {
  const auto found = x_known.find(address);
  return found == x_known.end() ? nullptr : found->second.info;
}

}  // namespace mix::mixnode
