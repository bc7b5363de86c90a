// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "harness/scenario/parse.h"
#include "harness/scenario/units.h"

namespace lab::scenario {
namespace {

std::string count_of(std::size_t n, const std::string& what) {
  return std::to_string(n) + " " + what + (n == 1 ? "" : what.ends_with('x') ? "es" : "s");
}

std::string words(const LinkLaw& law) {
  std::string out;
  const auto text = [](Duration d) { return write_duration(d); };
  const Latency& latency = law.latency;
  switch (latency.law) {
    case Latency::Law::constant:
      out = text(latency.mean);
      break;
    case Latency::Law::uniform:
      out = "from " + text(latency.min) + " to " + text(latency.max);
      break;
    case Latency::Law::normal:
      out = "normal about " + text(latency.mean) + ", deviation " + text(latency.sd) +
            ", at least " + text(latency.min);
      break;
    case Latency::Law::exponential:
      out = "exponential with mean " + text(latency.mean) + ", at least " + text(latency.min);
      break;
  }
  if (law.loss.bursts)
    out += "; losses in bursts of " +
           write_ratio({law.loss.bad_to_good.den, law.loss.bad_to_good.num}) + " on average";
  else if (law.loss.loss_good.num > 0)
    out += "; loses " + write_ratio(law.loss.loss_good);
  if (law.bandwidth_bit_per_s > 0)
    out += "; " + write_bandwidth(law.bandwidth_bit_per_s) + " with a queue of " +
           write_size(law.queue_bytes);
  if (law.duplicate.num > 0) out += "; doubles " + write_ratio(law.duplicate) + " of the datagrams";
  if (law.corrupt.num > 0) out += "; damages " + write_ratio(law.corrupt) + " of the datagrams";
  if (law.reorder.num > 0)
    out += "; " + write_ratio(law.reorder) + " of the datagrams come " + text(law.reorder_delay) +
           " later";
  if (law.fragment) out += "; reads are cut at seeded points";
  return out;
}

std::string hosts_line(const Plan& plan) {
  std::string out;
  for (Role role : {Role::directory, Role::mix, Role::provider, Role::client, Role::other}) {
    const auto n = static_cast<std::size_t>(std::ranges::count(plan.hosts, role, &Host::role));
    if (n == 0) continue;
    std::string what = role == Role::other ? "other host" : to_text(role);
    if (role == Role::directory) {
      out += (out.empty() ? "" : ", ") + std::string("a directory");
      continue;
    }
    out += (out.empty() ? "" : ", ") + count_of(n, what);
    if (role == Role::mix) out += " in " + count_of(static_cast<std::size_t>(plan.layers), "layer");
  }
  return out;
}

std::string action_line(const Action& action) {
  std::string out = "  at " + write_duration(action.time - kStart) + ": " + to_text(action.verb) +
                    " " + action.target;
  if (action.verb == Verb::step_clock) out += " by " + write_duration(action.by);
  if (action.verb == Verb::set_link)
    out += action.law ? " to " + words(*action.law) : " back to the scenario's law";
  return out + "\n";
}

std::string expectation_line(const Expectation& e) {
  std::string out = "  " + e.that + ", " + e.mode;
  if (e.that == "loop-returns")
    out += ": " + write_ratio(e.ratio) +
           (e.packet_class == "any" ? " of loops and fillers" : " of the loop packets") +
           " are home within " + write_duration(e.within);
  if (e.that == "real-delivered")
    out += ": " + write_ratio(e.ratio) + " of the messages arrive within " +
           write_duration(e.within) + (e.exactly_once ? ", none twice" : "");
  if (e.that == "delay-law")
    out += std::string(": no mix sends early") +
           (e.within > Duration{} ? ", nor more than " + write_duration(e.within) + " late" : "");
  if (e.that == "exit") out += ": " + e.on + " ends with " + std::to_string(e.code);
  if (e.that == "constant-size") out += " on " + e.on;
  if (!e.except.empty()) {
    out += ", except";
    for (const std::string& reason : e.except)
      out += " " + reason;
  }
  if (e.window.end != kNever)
    out += " (what was created from " + write_duration(e.window.begin - kStart) + " to " +
           write_duration(e.window.end - kStart) + ")";
  return out + "\n";
}

}  // namespace

std::string explain(const Plan& plan) {
  std::string out = plan.name + ": " + write_duration(plan.duration) + " of virtual time, seed " +
                    std::to_string(plan.seed) + ", clocks start at " + plan.epoch + "\n";
  if (!plan.about.empty()) out += plan.about + "\n";
  out += "\nHosts: " + hosts_line(plan) + ".\n";
  out += "Programs: " + std::to_string(plan.programs.size()) + ".\n";
  const std::size_t talks = static_cast<std::size_t>(std::ranges::count_if(
      plan.programs, [](const Program& p) { return p.name.ends_with(".talk"); }));
  if (talks > 0)
    out += "Messages: " + count_of(talks, "client") +
           " of them speak or listen through their own websocket.\n";
  for (const Program& program : plan.programs)
    if (program.role != Role::other && !program.command.front().starts_with("nym-"))
      out += "In the place of " + program.name + ": " + program.command.front() + ".\n";
  out += "\nLinks\n";
  for (const auto& [name, law] : plan.links)
    out += "  " + name + ": " + words(law) + "\n";
  if (!plan.actions.empty()) out += "\nFaults\n";
  for (const Action& action : plan.actions)
    out += action_line(action);
  out += plan.expectations.empty() ? "\nNothing is expected: the run is only recorded.\n"
                                   : "\nExpectations\n";
  for (const Expectation& e : plan.expectations)
    out += expectation_line(e);
  return out;
}

}  // namespace lab::scenario
