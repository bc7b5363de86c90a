// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "harness/scenario/keys.h"
#include "harness/scenario/mixnet.h"
#include "harness/scenario/resolve.h"

namespace lab::scenario {
namespace {

HostId find_host(const Plan& plan, std::string_view name) {
  const auto found = std::ranges::find(plan.hosts, name, &Host::name);
  return found == plan.hosts.end() ? kNoHost : HostId(found - plan.hosts.begin());
}

std::vector<std::string> names(const std::vector<Program>& programs) {
  std::vector<std::string> out;
  for (const Program& program : programs)
    out.push_back(program.name);
  return out;
}

}  // namespace

void Resolver::hosts_and_programs() {
  if (const Section* mixnet = x_document.find("mixnet")) {
    expand_mixnet(*mixnet, x_plan);
    if (mixnet->has("instead")) instead(*mixnet);
  }
  for (const Section* section : x_document.all("program"))
    host_of(*section);
  for (const Section* section : x_document.all("program"))
    program(*section);
  if (x_plan.programs.empty())
    problem(*x_document.find("scenario"), nullptr,
            "there is nothing to run: add [mixnet] or [[program]]");
  const auto sections = x_document.all("program");
  const std::size_t first = x_plan.programs.size() - sections.size();
  for (std::size_t i = 0; i < sections.size(); ++i)
    after(*sections[i], x_plan.programs[first + i]);
  clocks();
  addresses();
}

/// The words before a program's first flag say which program it is; its flags stay.
void Resolver::instead(const Section& mixnet) {
  for (const auto& [name, words] : mixnet.get<Commands>("instead")) {
    const auto found = std::ranges::find(x_plan.programs, name, &Program::name);
    if (found == x_plan.programs.end()) {
      problem(mixnet, "instead",
              "[mixnet] starts no program called '" + name + "'" +
                  suggestion(name, names(x_plan.programs)));
      continue;
    }
    auto& command = found->command;
    const auto flags = std::ranges::find_if(
        command, [](const std::string& word) { return word.starts_with("--"); });
    command.erase(command.begin(), flags);
    command.insert(command.begin(), words.begin(), words.end());
    found->command_place = where(mixnet, "instead");
  }
}

void Resolver::host_of(const Section& section) {
  const auto& name = section.get<std::string>("host");
  if (find_host(x_plan, name) != kNoHost) return;
  const auto own =
      static_cast<std::size_t>(std::ranges::count(x_plan.hosts, Role::other, &Host::role));
  Host host;
  host.name = name;
  host.address = address_of(4, own);
  x_plan.hosts.push_back(std::move(host));
}

void Resolver::program(const Section& section) {
  Program out;
  out.host = find_host(x_plan, section.get<std::string>("host"));
  out.name = section.get<std::string>("name");
  out.command = section.get<Words>("command");
  out.command_place = where(section, "command");
  out.start = section.get<Duration>("start");
  if (section.has("stop")) {
    out.stop = section.get<Duration>("stop");
    if (*out.stop <= out.start) problem(section, "stop", "is not after 'start'");
  }
  inside(section, "start", out.start);
  if (section.has("files")) {
    out.files = section.get<Files>("files");
    out.files_place = where(section, "files");
  }
  if (section.has("expect_exit"))
    out.expect_exit = static_cast<int>(section.get<std::int64_t>("expect_exit"));
  if (std::ranges::find(x_plan.programs, out.name, &Program::name) != x_plan.programs.end())
    problem(section, "name", "another program is called '" + out.name + "'");
  const Host& host = x_plan.hosts[index(out.host)];
  if (find_host(x_plan, out.name) != kNoHost && out.name != host.name)
    problem(section, "name", "a host is called '" + out.name + "', and this program is not on it");
  x_plan.programs.push_back(std::move(out));
}

void Resolver::after(const Section& section, Program& program) {
  if (!section.has("after")) return;
  const auto& name = section.get<std::string>("after");
  const auto found = std::ranges::find(x_plan.programs, name, &Program::name);
  if (found == x_plan.programs.end())
    return problem(
        section, "after",
        "no program is called '" + name + "'" + suggestion(name, names(x_plan.programs)));
  program.after = NodeId(found - x_plan.programs.begin());
  std::set<NodeId> seen;
  for (const Program* at = &program; at->after; at = &x_plan.programs[index(*at->after)])
    if (!seen.insert(*at->after).second || &x_plan.programs[index(*at->after)] == &program)
      return problem(section, "after", "'" + program.name + "' would wait for itself");
}

void Resolver::clocks() {
  for (const Section* section : x_document.all("host")) {
    const HostId id = find_host(x_plan, section->name);
    if (id == kNoHost) {
      std::vector<std::string> hosts;
      for (const Host& host : x_plan.hosts)
        hosts.push_back(host.name);
      problem(*section, nullptr,
              "no program runs on a host of that name" + suggestion(section->name, hosts));
      continue;
    }
    Host& host = x_plan.hosts[index(id)];
    host.clock_offset = section->get<Duration>("clock_offset");
    host.clock_drift_ppm = section->get<std::int64_t>("clock_drift_ppm");
    host.cpu_cost_per_activation = section->get<Duration>("cpu_cost_per_activation");
    if (!section->has("address")) continue;
    if (host.role != Role::other)
      problem(*section, "address", "the addresses of [mixnet]'s hosts are the lab's");
    host.address = section->get<std::string>("address");
  }
}

void Resolver::addresses() {
  std::map<std::string, const Host*> taken;
  for (const Host& host : x_plan.hosts) {
    const auto [at, fresh] = taken.emplace(host.address, &host);
    if (fresh) continue;
    const Section* section = x_document.find("host", host.name);
    if (section == nullptr || !section->has("address"))
      section = x_document.find("host", at->second->name);
    if (section != nullptr)
      problem(*section, "address",
              host.address + " is the address of '" + at->second->name + "' and of '" + host.name +
                  "'");
  }
}

std::vector<NodeId> programs_of(const Plan& plan, const Selection& selection) {
  std::vector<NodeId> out = selection.programs;
  for (std::size_t i = 0; i < plan.programs.size(); ++i)
    if (std::ranges::find(selection.hosts, plan.programs[i].host) != selection.hosts.end())
      out.push_back(NodeId(i));
  std::ranges::sort(out);
  out.erase(std::ranges::unique(out).begin(), out.end());
  return out;
}

}  // namespace lab::scenario
