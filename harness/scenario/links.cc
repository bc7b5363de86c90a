// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "harness/scenario/keys.h"
#include "harness/scenario/resolve.h"
#include "harness/scenario/traffic.h"

namespace lab::scenario {

using namespace std::chrono_literals;

LinkLaw law_of(const Section& section, LinkLaw law) {
  if (section.has("latency")) law.latency = section.get<Latency>("latency");
  if (section.has("loss")) law.loss = section.get<Loss>("loss");
  if (section.has("bandwidth")) law.bandwidth_bit_per_s = section.get<std::uint64_t>("bandwidth");
  if (section.has("queue")) law.queue_bytes = section.get<std::uint64_t>("queue");
  if (section.has("duplicate")) law.duplicate = section.get<Ratio>("duplicate");
  if (section.has("corrupt")) law.corrupt = section.get<Ratio>("corrupt");
  if (section.has("reorder")) {
    law.reorder = section.get<Reorder>("reorder").ratio;
    law.reorder_delay = section.get<Reorder>("reorder").delay;
  }
  if (section.has("fragment")) law.fragment = section.get<std::string>("fragment") == "seeded";
  return law;
}

void Resolver::links() {
  std::vector<std::string> names;
  for (const Section* section : x_document.all("link")) {
    x_plan.links[section->name] = law_of(*section);
    names.push_back(section->name);
  }
  std::set<std::string> used{"default"};
  for (Section& section : x_document.sections) {
    if (std::string_view(section.table->name) != "connect") continue;
    Connect connect;
    connect.link = section.get<std::string>("link");
    connect.directed = section.get<bool>("directed");
    used.insert(connect.link);
    if (!x_plan.links.contains(connect.link))
      problem(section, "link",
              "there is no [link." + connect.link + "]" + suggestion(connect.link, names));
    const auto from = selection(section, "from"), to = selection(section, "to");
    if (!from || !to) continue;
    connect.from = from->hosts;
    connect.to = to->hosts;
    for (const char* key : {"from", "to"})
      if (!(key == std::string_view("from") ? from : to)->programs.empty())
        problem(section, key, "a wire joins hosts, not programs");
    x_plan.connects.push_back(std::move(connect));
  }
  for (const Section* section : x_document.all("link"))
    if (!used.contains(section->name))
      problem(*section, nullptr, "has no effect: no [[connect]] uses it");
}

void Resolver::traffic() {
  std::vector<Flow> flows;
  const Section* last = nullptr;
  for (Section& section : x_document.sections) {
    if (std::string_view(section.table->name) != "traffic") continue;
    last = &section;
    const auto from = selection(section, "from"), to = selection(section, "to");
    if (!from || !to) continue;
    Flow flow;
    flow.from = from->hosts;
    flow.to = to->hosts;
    const auto all_clients = [&](const Selection& s) {
      return s.programs.empty() && std::ranges::all_of(s.hosts, [&](HostId id) {
               return x_plan.hosts[index(id)].role == Role::client;
             });
    };
    if (!all_clients(*from)) problem(section, "from", "only clients send messages");
    if (!all_clients(*to)) problem(section, "to", "only clients receive messages");
    if (flow.from == flow.to && flow.from.size() == 1)
      problem(section, "to", "is the sender itself");
    flow.poisson = section.get<std::string>("process") == "poisson";
    flow.rate = section.get<Ratio>("rate");
    flow.size = static_cast<std::size_t>(section.get<std::int64_t>("size"));
    if (section.has("count"))
      flow.count = static_cast<std::uint64_t>(section.get<std::int64_t>("count"));
    flow.window = section.get_or<Window>("window", {kStart + 5s, kStart + x_plan.duration - 5s});
    if (flow.window.begin >= flow.window.end)
      problem(section, nullptr, "the run is shorter than 10 s: give a 'window'");
    if (section.has("window")) inside(section, "window", flow.window.begin - kStart);
    flows.push_back(std::move(flow));
  }
  if (!x_problems.empty()) return;
  if (const auto done = expand_traffic(flows, x_plan); !done && last != nullptr)
    problem(*last, "size", done.error());
}

}  // namespace lab::scenario
