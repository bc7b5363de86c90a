// SPDX-License-Identifier: Apache-2.0
// Everybody who is in, at one moment, as a value. It neither ages (roster.h does) nor resolves
// names (presence/watcher.h does).
//
// Order is part of the value, so that a choice by number means the same everywhere: mixes by layer,
// then key; providers and coconut nodes by key. Threads: a value.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "src/topology/node_info.h"

namespace mix::topology {

class Topology {
 public:
  Topology() = default;
  /// Sorts. Of two entries of one kind with equal keys the first stays.
  Topology(std::vector<MixInfo> mixes, std::vector<ProviderInfo> providers,
           std::vector<CocoInfo> cocos = {});

  std::span<const MixInfo> mixes() const { return x_mixes; }
  std::span<const ProviderInfo> providers() const { return x_providers; }
  std::span<const CocoInfo> cocos() const { return x_cocos; }
  /// The mixes of one layer; empty when there are none.
  std::span<const MixInfo> layer(unsigned number) const;
  /// 0 without mixes.
  unsigned highest_layer() const;
  /// The lowest layer of 1..layers without a mix.
  std::optional<unsigned> first_empty_layer(unsigned layers) const;
  bool empty() const { return x_mixes.empty() && x_providers.empty() && x_cocos.empty(); }

  const MixInfo* find_mix(const crypto::PublicKey& key) const;
  const ProviderInfo* find_provider(const crypto::PublicKey& key) const;
  /// Without the entries whose version ours does not understand.
  Topology compatible() const;

  bool operator==(const Topology&) const = default;

 private:
  std::vector<MixInfo> x_mixes;
  std::vector<ProviderInfo> x_providers;
  std::vector<CocoInfo> x_cocos;
};

}  // namespace mix::topology
