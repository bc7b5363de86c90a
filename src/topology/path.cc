// SPDX-License-Identifier: Apache-2.0
#include "src/topology/path.h"

#include <optional>

#include "src/prelude/check.h"

namespace mix::topology {

std::string to_text(LayerEmpty why) {
  return "no mix in layer " + std::to_string(why.layer);
}

std::size_t choose_index(std::size_t n, ports::Entropy& entropy) {
  CHECK(n > 0);
  __extension__ typedef unsigned __int128 Wide;
  return static_cast<std::size_t>(static_cast<Wide>(entropy.u64()) * n >> 64);
}

std::expected<Route, LayerEmpty> choose_route(const Topology& topology, unsigned layers,
                                              const ProviderInfo& provider,
                                              ports::Entropy& entropy) {
  Route route;
  route.provider = &provider;
  route.mixes.reserve(layers);
  std::optional<LayerEmpty> failure;
  for (unsigned number = 1; number <= layers; ++number) {
    const auto mixes = topology.layer(number);
    const std::size_t chosen = choose_index(mixes.empty() ? 1 : mixes.size(), entropy);
    if (!mixes.empty())
      route.mixes.push_back(&mixes[chosen]);
    else if (!failure)
      failure = LayerEmpty{number};
  }
  if (failure) return std::unexpected(*failure);
  return route;
}

}  // namespace mix::topology
