// SPDX-License-Identifier: Apache-2.0
// Choosing a route: one mix of each layer, uniformly, then the provider. The sender decides nothing
// else here (delays and times are in traffic/).
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "src/ports/entropy.h"
#include "src/topology/topology.h"

namespace mix::topology {

struct Route {
  std::vector<const MixInfo*> mixes;  // into the topology it was chosen from
  const ProviderInfo* provider = nullptr;
};

/// Why there is no route now. Nothing is sent then: a shorter route would be a weaker one.
struct LayerEmpty {
  unsigned layer = 0;
};
std::string to_text(LayerEmpty why);

/// A number below n, from exactly one draw of eight bytes. Its bias is below n / 2^64, which nobody
/// can measure; drawing again instead would make the number of draws depend on chance.
std::size_t choose_index(std::size_t n, ports::Entropy& entropy);

/// A route of exactly `layers` mixes. Draws exactly `layers` times eight bytes whatever comes out,
/// so that who watches the generator's later output learns nothing from a failure.
std::expected<Route, LayerEmpty> choose_route(const Topology& topology, unsigned layers,
                                              const ProviderInfo& provider,
                                              ports::Entropy& entropy);

}  // namespace mix::topology
