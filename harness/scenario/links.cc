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

std::vector<HostId> Resolver::senders_over(const std::string& link) const {
  std::vector<HostId> out;
  const auto uses_it = [&](HostId from) {
    for (std::size_t to = 0; to < x_plan.hosts.size(); ++to)
      if (HostId(to) != from && x_plan.link_between(from, HostId(to)) == link) return true;
    return false;
  };
  for (std::size_t from = 0; from < x_plan.hosts.size(); ++from)
    if (uses_it(HostId(from))) out.push_back(HostId(from));
  return out;
}

/// The mixnet speaks TCP, which hides what these keys do to a datagram: they would do nothing.
void Resolver::datagrams(const Section& section, const std::vector<HostId>& senders) {
  if (senders.empty()) return;  // one host: there is no wire at all
  const auto asked = [&](const char* key) {
    if (!section.has(key)) return false;
    if (key == std::string_view("reorder")) return section.get<Reorder>(key).ratio.num > 0;
    return section.get<Ratio>(key).num > 0;
  };
  const auto may_send = [&](const Program& program) {
    return !is_own(program) && std::ranges::find(senders, program.host) != senders.end();
  };
  for (const char* key : {"duplicate", "corrupt", "reorder"})
    if (asked(key) && std::ranges::none_of(x_plan.programs, may_send))
      problem(section, key,
              "has no effect: it is about datagrams, and whoever sends here speaks TCP only, as "
              "[mixnet]'s programs do (latency, loss, bandwidth and fragment act on TCP)");
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
    else
      datagrams(*section, senders_over(section->name));
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
