// SPDX-License-Identifier: Apache-2.0
#include "harness/network/routes.h"

#include <algorithm>

#include "src/prelude/check.h"

namespace lab::network {

using scenario::Action;
using scenario::Verb;

namespace {
Duration least(const scenario::Latency& latency) {
  return latency.law == scenario::Latency::Law::constant ? latency.mean : latency.min;
}
}  // namespace

Routes::Routes(const scenario::Plan& plan, std::uint64_t seed) : x_plan(plan), x_seed(seed) {
  find_least_latency();
}

void Routes::find_least_latency() {
  x_least_latency = Duration::max();
  const auto look_at = [this](const auto& laws) {
    for (const auto& [name, law] : laws)
      x_least_latency = std::min(x_least_latency, least(law.latency));
  };
  look_at(x_plan.links);
  look_at(x_pair_laws);
  look_at(x_link_laws);
  for (const auto& [pair, cuts] : x_cuts)
    if (cuts > 0) x_least_latency = {};
}

Wire& Routes::wire(HostId from, HostId to) {
  const Pair pair{from, to};
  const auto found = x_wires.find(pair);
  if (found != x_wires.end()) return found->second;
  CHECK(index(from) < x_plan.hosts.size() && index(to) < x_plan.hosts.size(), index(from),
        index(to));
  const std::string name = x_plan.hosts[index(from)].name + "->" + x_plan.hosts[index(to)].name;
  return x_wires.emplace(pair, Wire(x_seed, name, law_of(pair))).first->second;
}

bool Routes::cut(HostId from, HostId to) const {
  const auto found = x_cuts.find({from, to});
  return found != x_cuts.end() && found->second > 0;
}

const scenario::LinkLaw& Routes::law_of(Pair pair) const {
  if (const auto own = x_pair_laws.find(pair); own != x_pair_laws.end()) return own->second;
  const std::string& link = x_plan.link_between(pair.first, pair.second);
  if (const auto changed = x_link_laws.find(link); changed != x_link_laws.end())
    return changed->second;
  return x_plan.links.at(link);
}

template <class Do>
void Routes::for_each_pair(const Action& action, Do what) {
  for (HostId from : action.from)
    for (HostId to : action.to) {
      if (from == to) continue;
      what(Pair{from, to});
      if (action.both_ways) what(Pair{to, from});
    }
}

void Routes::refresh() {
  for (auto& [pair, wire] : x_wires)
    wire.set_law(law_of(pair));
}

void Routes::apply(const Action& action) {
  change(action);
  find_least_latency();
}

void Routes::change(const Action& action) {
  switch (action.verb) {
    case Verb::partition:
      for_each_pair(action, [&](Pair pair) { ++x_cuts[pair]; });
      return;
    case Verb::heal:
      for_each_pair(action, [&](Pair pair) {
        int& cuts = x_cuts[pair];
        cuts = action.undo ? std::max(0, cuts - 1) : 0;
      });
      return;
    case Verb::set_link:
      if (!action.link.empty()) {
        if (action.law)
          x_link_laws[action.link] = *action.law;
        else
          x_link_laws.erase(action.link);
      }
      for_each_pair(action, [&](Pair pair) {
        if (action.law)
          x_pair_laws[pair] = *action.law;
        else
          x_pair_laws.erase(pair);
      });
      return refresh();
    default:
      return;
  }
}

}  // namespace lab::network
