// SPDX-License-Identifier: Apache-2.0
// Which wire carries what goes from one host to another, and in what state it is: its law (the
// scenario's, or what a set-link made of it) and whether it is cut. Wires are made when first used:
// a pair that never talks costs nothing, and its streams are its own, so making it moves nothing.
#pragma once

#include <map>
#include <unordered_map>

#include "harness/network/wire.h"

namespace lab::network {

class Routes {
 public:
  Routes(const scenario::Plan& plan, std::uint64_t seed);

  Wire& wire(HostId from, HostId to);
  bool cut(HostId from, HostId to) const;
  /// Nothing arrives sooner on any wire. Zero while anything is cut.
  Duration least_latency() const { return x_least_latency; }
  /// Does a partition, heal or set-link; other verbs are not ours.
  void apply(const scenario::Action& action);

 private:
  using Pair = std::pair<HostId, HostId>;
  struct PairHash {
    std::size_t operator()(const Pair& pair) const {
      return std::hash<std::uint64_t>{}(std::uint64_t{index(pair.first)} << 32 |
                                        index(pair.second));
    }
  };
  template <class Do>
  static void for_each_pair(const scenario::Action& action, Do what);
  const scenario::LinkLaw& law_of(Pair pair) const;
  void change(const scenario::Action& action);
  void refresh();
  void find_least_latency();

  const scenario::Plan& x_plan;
  const std::uint64_t x_seed;
  std::unordered_map<Pair, Wire, PairHash> x_wires;  // looked up; its order means nothing
  std::map<Pair, int> x_cuts;                        // how many partitions hold a pair apart
  std::map<Pair, scenario::LinkLaw> x_pair_laws;
  std::map<std::string, scenario::LinkLaw> x_link_laws;
  Duration x_least_latency{};
};

}  // namespace lab::network
