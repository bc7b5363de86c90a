// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/parse.h"

#include <algorithm>

#include "harness/scenario/resolve.h"
#include "harness/scenario/units.h"

namespace lab::scenario {

void Resolver::problem(const Section& section, const char* key, const std::string& text) {
  const Place& place = key == nullptr ? section.place : section.place_of(key);
  const std::string name = key == nullptr ? "" : " " + std::string(key);
  x_problems.push_back({place, section.heading() + name + ": " + text});
}

std::string Resolver::where(const Section& section, const char* key) {
  return to_text(Problem{section.place_of(key), section.heading() + " " + key});
}

Stream Resolver::chance(const Section& section, const char* key) const {
  return stream(
      x_plan.seed, "scenario.any",
      std::string(section.table->name) + "#" + std::to_string(section.number) + "." + key);
}

void Resolver::replace(Section& section, const char* key, std::string text) {
  section.values.find(key)->second.data = std::move(text);
}

std::optional<Selection> Resolver::selection(Section& section, const char* key) {
  Stream draws = chance(section, key);
  auto out = select(x_plan, section.get<std::string>(key), draws);
  if (!out) {
    problem(section, key, out.error());
    return std::nullopt;
  }
  if (out->random) replace(section, key, out->text);
  return *out;
}

std::optional<Wires> Resolver::wires(Section& section, const char* key) {
  Stream draws = chance(section, key);
  auto out = select_wires(x_plan, section.get<std::string>(key), draws);
  if (!out) {
    problem(section, key, out.error());
    return std::nullopt;
  }
  if (out->from.random || out->to.random)
    replace(section, key, "link(" + out->from.text + " -> " + out->to.text + ")");
  return *out;
}

bool Resolver::inside(const Section& section, const char* key, Duration time) {
  if (time < x_plan.duration) return true;
  problem(section, key, "is after the end of the run");
  return false;
}

std::expected<Plan, std::vector<Problem>> parse(const std::string& file, std::string_view text,
                                                const Words& settings) {
  std::vector<Problem> problems;
  Document document = read_document(file, text, settings, problems);
  if (!problems.empty()) return std::unexpected(std::move(problems));
  const Section& scenario = *document.find("scenario");
  Plan plan;
  plan.file = file;
  plan.name = scenario.get<std::string>("name");
  plan.about = scenario.get<std::string>("about");
  plan.duration = scenario.get<Duration>("duration");
  plan.seed = static_cast<std::uint64_t>(scenario.get<std::int64_t>("seed"));
  plan.epoch = scenario.get<std::string>("epoch");
  plan.epoch_unix_ns = *read_epoch(plan.epoch);
  plan.payload_full = document.find("record")->get<std::string>("payload") == "full";
  plan.checkpoint_every =
      static_cast<std::uint64_t>(document.find("record")->get<std::int64_t>("checkpoint_every"));
  if (plan.duration <= Duration{} || plan.duration > std::chrono::hours(24 * 365))
    problems.push_back(
        {scenario.place_of("duration"), "[scenario] duration: must be above 0 and at most a year"});
  Resolver resolver(document, plan, problems);
  resolver.hosts_and_programs();
  if (problems.empty()) resolver.links();
  if (problems.empty()) {
    resolver.actions();
    resolver.expectations();
    resolver.traffic();
  }
  if (!problems.empty()) {
    std::ranges::stable_sort(
        problems, {}, [](const Problem& p) { return std::pair(p.place.line, p.place.column); });
    return std::unexpected(std::move(problems));
  }
  plan.canonical = write_document(document);
  return plan;
}

}  // namespace lab::scenario
