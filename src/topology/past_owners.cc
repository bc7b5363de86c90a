// SPDX-License-Identifier: Apache-2.0
#include "src/topology/past_owners.h"

namespace mix::topology {

void PastOwners::remember(const std::string& thing, const std::string& source, Instant heard,
                          Instant now) {
  while (!x_queue.empty() && x_queue.begin()->first + x_limits.memory <= now)
    erase_oldest();
  if (const auto before = x_owners.find(thing); before != x_owners.end()) {
    if (before->second.source != source) return;
    erase(before);
  }
  if (!x_shares.share_has(source, 1)) return;
  if (!x_shares.whole_has(1)) erase_oldest();
  const auto owner = x_owners.emplace(thing, Owner{source, heard}).first;
  x_queue.emplace(heard, owner->first);
  x_shares.add(source, 1);
}

void PastOwners::forget(const std::string& thing, std::string_view source) {
  const auto owner = x_owners.find(thing);
  if (owner != x_owners.end() && owner->second.source == source) erase(owner);
}

bool PastOwners::is_owner(std::string_view source, std::string_view thing, Instant now) const {
  const auto owner = x_owners.find(thing);
  return owner != x_owners.end() && owner->second.source == source &&
         now < owner->second.heard + x_limits.memory;
}

void PastOwners::erase(Owners::iterator owner) {
  x_shares.remove(owner->second.source, 1);
  x_queue.erase({owner->second.heard, owner->first});
  x_owners.erase(owner);
}

void PastOwners::erase_oldest() {
  erase(x_owners.find(x_queue.begin()->second));
}

}  // namespace mix::topology
