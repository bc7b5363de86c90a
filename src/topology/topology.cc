// SPDX-License-Identifier: Apache-2.0
#include "src/topology/topology.h"

#include <algorithm>
#include <tuple>

#include "src/topology/version.h"

namespace mix::topology {
namespace {

template <class Info>
void sort_by_key(std::vector<Info>& entries) {
  std::ranges::stable_sort(entries, {}, &Info::public_key);
  const auto twice = std::ranges::unique(entries, {}, &Info::public_key);
  entries.erase(twice.begin(), twice.end());
}

template <class Info>
const Info* find(std::span<const Info> entries, const crypto::PublicKey& key) {
  const auto at = std::ranges::find(entries, key, &Info::public_key);
  return at == entries.end() ? nullptr : &*at;
}

template <class Info>
std::vector<Info> compatible_of(std::span<const Info> entries) {
  std::vector<Info> out;
  std::ranges::copy_if(entries, std::back_inserter(out),
                       [](const Info& entry) { return is_compatible(entry.version); });
  return out;
}

}  // namespace

Topology::Topology(std::vector<MixInfo> mixes, std::vector<ProviderInfo> providers,
                   std::vector<CocoInfo> cocos)
    : x_mixes(std::move(mixes)), x_providers(std::move(providers)), x_cocos(std::move(cocos)) {
  sort_by_key(x_mixes);
  std::ranges::stable_sort(x_mixes, {}, &MixInfo::layer);
  sort_by_key(x_providers);
  sort_by_key(x_cocos);
}

std::span<const MixInfo> Topology::layer(unsigned number) const {
  const auto range = std::ranges::equal_range(x_mixes, number, {}, &MixInfo::layer);
  return {range.begin(), range.end()};
}

unsigned Topology::highest_layer() const {
  return x_mixes.empty() ? 0 : x_mixes.back().layer;
}

std::optional<unsigned> Topology::first_empty_layer(unsigned layers) const {
  for (unsigned number = 1; number <= layers; ++number)
    if (layer(number).empty()) return number;
  return std::nullopt;
}

const MixInfo* Topology::find_mix(const crypto::PublicKey& key) const {
  return find(mixes(), key);
}
const ProviderInfo* Topology::find_provider(const crypto::PublicKey& key) const {
  return find(providers(), key);
}

Topology Topology::compatible() const {
  return {compatible_of(mixes()), compatible_of(providers()), compatible_of(cocos())};
}

}  // namespace mix::topology
