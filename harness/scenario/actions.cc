// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "harness/scenario/resolve.h"

namespace lab::scenario {
namespace {

Verb verb_of(std::string_view word) {
  for (Verb verb : {Verb::crash, Verb::restart, Verb::stop, Verb::pause, Verb::resume,
                    Verb::partition, Verb::heal, Verb::set_link, Verb::step_clock})
    if (word == to_text(verb)) return verb;
  return Verb::crash;  // the key table admits no other word
}

std::vector<HostId> hosts_of(const Plan& plan, const Selection& selection) {
  std::vector<HostId> out = selection.hosts;
  for (NodeId program : selection.programs)
    out.push_back(plan.programs[index(program)].host);
  std::ranges::sort(out);
  out.erase(std::ranges::unique(out).begin(), out.end());
  return out;
}

}  // namespace

void Resolver::actions() {
  for (Section& section : x_document.sections)
    if (std::string_view(section.table->name) == "at") action(section);
  std::ranges::stable_sort(x_plan.actions, {}, &Action::time);
}

void Resolver::action(Section& section) {
  Action action;
  action.verb = verb_of(section.get<std::string>("do"));
  action.time = kStart + section.get<Duration>("t");
  if (!inside(section, "t", section.get<Duration>("t"))) return;
  switch (action.verb) {
    case Verb::partition:
    case Verb::heal:
      return cut(section, std::move(action));
    case Verb::set_link:
      return act_on_wires(section, std::move(action));
    default:
      return act_on_programs(section, std::move(action));
  }
}

/// The action, and where it has a `for` its end.
void Resolver::push(const Section& section, Action action, Verb end) {
  if (section.has("for")) {
    Action later = action;
    later.time = saturating_add(action.time, section.get<Duration>("for"));
    later.verb = end;
    later.undo = true;
    later.law.reset();
    if (later.time < kStart + x_plan.duration) x_plan.actions.push_back(std::move(later));
  }
  x_plan.actions.push_back(std::move(action));
}

void Resolver::act_on_programs(Section& section, Action action) {
  const auto on = selection(section, "on");
  if (!on) return;
  action.hosts = hosts_of(x_plan, *on);
  action.target = on->text;
  if (action.verb == Verb::step_clock) {
    action.by = section.get<Duration>("by");
    if (!on->programs.empty()) problem(section, "on", "a clock is a host's, not a program's");
  } else {
    action.programs = programs_of(x_plan, *on);
  }
  push(section, action, action.verb == Verb::pause ? Verb::resume : Verb::restart);
}

void Resolver::cut(Section& section, Action action) {
  auto& between = std::get<Words>(section.values.find("between")->second.data);
  if (between.size() != 2) return problem(section, "between", "two selectors are needed");
  Stream draws = chance(section, "between");
  std::vector<HostId>* const sides[] = {&action.from, &action.to};
  for (std::size_t i = 0; i < 2; ++i) {
    const auto side = select(x_plan, between[i], draws);
    if (!side) return problem(section, "between", side.error());
    if (!side->programs.empty())
      return problem(section, "between", "a cut is between hosts, not programs");
    *sides[i] = side->hosts;
    if (side->random) between[i] = side->text;
  }
  action.both_ways = !section.get<bool>("directed");
  action.target = between[0] + (action.both_ways ? " | " : " -> ") + between[1];
  push(section, std::move(action), Verb::heal);
}

void Resolver::act_on_wires(Section& section, Action action) {
  const std::string on = section.get<std::string>("on");
  action.target = on;
  bool any = false;
  for (const char* key :
       {"latency", "loss", "bandwidth", "queue", "duplicate", "corrupt", "reorder", "fragment"})
    any |= section.has(key);
  if (!any)
    return problem(section, nullptr,
                   "set-link changes nothing: give a latency, loss or other link key");
  if (!is_wires(on)) {
    const auto link = x_plan.links.find(on);
    if (link == x_plan.links.end())
      return problem(section, "on", "there is no [link." + on + "]; wires are link(from -> to)");
    action.link = on;
    action.law = law_of(section, link->second);
    datagrams(section, senders_over(on));
    return push(section, std::move(action), Verb::set_link);
  }
  const auto pairs = wires(section, "on");
  if (!pairs) return;
  action.target = section.get<std::string>("on");
  datagrams(section, hosts_of(x_plan, pairs->from));
  // Wires of different links keep their other keys: one action for each link.
  std::map<std::pair<HostId, std::string>, std::vector<HostId>> groups;
  for (HostId from : hosts_of(x_plan, pairs->from))
    for (HostId to : hosts_of(x_plan, pairs->to))
      if (from != to) groups[{from, x_plan.link_between(from, to)}].push_back(to);
  for (auto& [key, to] : groups) {
    Action part = action;
    part.from = {key.first};
    part.to = to;
    part.law = law_of(section, x_plan.links.at(key.second));
    push(section, std::move(part), Verb::set_link);
  }
}

}  // namespace lab::scenario
