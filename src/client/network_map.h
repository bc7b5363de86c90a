// SPDX-License-Identifier: Apache-2.0
// The part of the network this client can use: mixes it can route through, and its provider.
//
// Skips, rather than fails at, entries of other versions, with unusable keys, with names that did
// not resolve, or in layers beyond the route's. Keeps one provider for registering, polling and
// sending: the one asked for, else the one with the smallest key, so that clients that see the same
// directory choose the same and reach each other. It stays the provider when it leaves the topology
// (sending goes on as before, whoever watches learns nothing); when it has been away for
// kProviderPatience and another is there, the client moves, and says so.
//
// Fetches nothing and resolves nothing (presence/watcher.h does). Pure; one thread.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "src/crypto/keys.h"
#include "src/prelude/instant.h"
#include "src/presence/watcher.h"
#include "src/topology/topology.h"

namespace mix::client {

inline constexpr Duration kProviderPatience = 60s;

class NetworkMap {
 public:
  /// Routes have `layers` mixes; `wanted` is the only provider used, if given.
  NetworkMap(unsigned layers, std::optional<crypto::PublicKey> wanted)
      : x_layers(layers), x_wanted(wanted) {}

  void take(const presence::View& view, Instant now);
  /// Moves to another provider when it is time. True when it did.
  bool reconsider(Instant now);

  /// What routes are chosen from. Valid until the next take().
  const topology::Topology& usable() const { return x_usable; }
  unsigned layers() const { return x_layers; }
  /// Null until one was seen.
  const topology::ProviderInfo* provider() const { return x_provider ? &*x_provider : nullptr; }
  /// Of one of usable()'s mixes; never empty.
  const std::vector<runtime::Address>& addresses_of(const topology::MixInfo& mix) const;

  /// Everybody registered with any provider; nothing before the first take().
  std::optional<std::vector<crypto::PublicKey>> clients() const { return x_clients; }
  /// Why no packet can be sent now, for people; empty when one can.
  std::string obstacle() const;
  /// Entries of the present view that were left out, but for other layers.
  std::size_t skipped() const { return x_skipped; }

 private:
  bool key_is_usable(const crypto::PublicKey& key);
  void take_mixes(const topology::Topology& topology, const presence::View& view);
  void take_providers(const topology::Topology& topology, Instant now);

  unsigned x_layers;
  std::optional<crypto::PublicKey> x_wanted;
  topology::Topology x_usable;
  std::map<std::string, std::vector<runtime::Address>, std::less<>> x_addresses;
  std::vector<topology::ProviderInfo> x_providers;  // of the present view, by key
  std::optional<topology::ProviderInfo> x_provider;
  std::optional<Instant> x_away_since;
  std::optional<std::vector<crypto::PublicKey>> x_clients;
  std::set<crypto::PublicKey> x_good_keys;  // of the present and the last view
  std::size_t x_skipped = 0;
};

}  // namespace mix::client
