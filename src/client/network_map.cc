// SPDX-License-Identifier: Apache-2.0
#include "src/client/network_map.h"

#include <algorithm>

#include "src/crypto/agreement.h"
#include "src/prelude/check.h"
#include "src/topology/path.h"

namespace mix::client {

bool NetworkMap::key_is_usable(const crypto::PublicKey& key) {
  if (x_good_keys.contains(key)) return true;
  // Any scalar of ours is a multiple of 8 when it multiplies: a point of small order gives zero.
  static const crypto::Multiplier one(crypto::Scalar::reduce(ByteArray<1>{1}));
  ByteArray<crypto::kPointBytes> out;
  if (!one.multiply(key.bytes(), out)) return false;
  x_good_keys.insert(key);
  return true;
}

void NetworkMap::take_mixes(const topology::Topology& topology, const presence::View& view) {
  std::vector<topology::MixInfo> usable;
  x_addresses.clear();
  for (const auto& mix : topology.mixes()) {
    if (mix.layer < 1 || mix.layer > x_layers) continue;
    const auto& addresses = view.addresses_of(mix.host);
    if (addresses.empty() || !key_is_usable(mix.public_key)) {
      ++x_skipped;
      continue;
    }
    x_addresses.insert_or_assign(mix.host, addresses);
    usable.push_back(mix);
  }
  x_usable = topology::Topology(std::move(usable), {});
}

void NetworkMap::take_providers(const topology::Topology& topology, Instant now) {
  x_providers.clear();
  std::vector<crypto::PublicKey> clients;
  for (const auto& provider : topology.providers()) {
    clients.insert(clients.end(), provider.registered_clients.begin(),
                   provider.registered_clients.end());
    const bool usable = sphinx::NodeAddress::from_text(provider.mixnet_listener) &&
                        sphinx::NodeAddress::from_text(provider.client_listener) &&
                        key_is_usable(provider.public_key);
    x_skipped += usable ? 0 : 1;
    if (usable && (!x_wanted || *x_wanted == provider.public_key)) {
      x_providers.push_back(provider);
      x_providers.back().registered_clients.clear();
    }
  }
  x_clients = std::move(clients);

  if (!x_provider) {
    if (!x_providers.empty()) x_provider = x_providers.front();
    return;
  }
  const auto same =
      std::ranges::find(x_providers, x_provider->public_key, &topology::ProviderInfo::public_key);
  if (same != x_providers.end()) {
    x_provider = *same;
    x_away_since.reset();
  } else if (!x_away_since) {
    x_away_since = now;
  }
}

void NetworkMap::take(const presence::View& view, Instant now) {
  std::set<crypto::PublicKey> known = std::move(x_good_keys);
  x_good_keys.clear();
  const topology::Topology topology = view.topology.compatible();
  const auto keep = [&](const crypto::PublicKey& key) {
    if (known.contains(key)) x_good_keys.insert(key);
  };
  for (const auto& mix : topology.mixes())
    keep(mix.public_key);
  for (const auto& provider : topology.providers())
    keep(provider.public_key);
  x_skipped = view.topology.mixes().size() - topology.mixes().size() +
              view.topology.providers().size() - topology.providers().size();
  take_mixes(topology, view);
  take_providers(topology, now);
}

bool NetworkMap::reconsider(Instant now) {
  if (!x_away_since || now - *x_away_since < kProviderPatience || x_providers.empty()) return false;
  x_provider = x_providers.front();
  x_away_since.reset();
  return true;
}

const std::vector<runtime::Address>& NetworkMap::addresses_of(const topology::MixInfo& mix) const {
  const auto at = x_addresses.find(mix.host);
  CHECK(at != x_addresses.end(), mix.host);
  return at->second;
}

std::string NetworkMap::obstacle() const {
  if (!x_clients) return "no topology yet";
  if (const auto empty = x_usable.first_empty_layer(x_layers))
    return topology::to_text(topology::LayerEmpty{*empty});
  if (!x_provider) {
    if (x_wanted) return "provider " + x_wanted->to_base58() + " is not in the topology";
    return "no provider in the topology";
  }
  return {};
}

}  // namespace mix::client
