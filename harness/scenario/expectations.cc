// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/keys.h"
#include "harness/scenario/resolve.h"
#include "src/record/drop_reason.h"

namespace lab::scenario {
namespace {

std::vector<std::string> reasons() {
  std::vector<std::string> out;
  for (std::string_view name : mix::record::kDropReasonNames)
    out.emplace_back(name);
  return out;
}

}  // namespace

void Resolver::expectations() {
  for (Section& section : x_document.sections)
    if (std::string_view(section.table->name) == "expect") expectation(section);
  for (std::size_t i = 0; i < x_plan.programs.size(); ++i) {
    if (!x_plan.programs[i].expect_exit) continue;
    Expectation exit;
    exit.that = "exit";
    exit.mode = "finally";
    exit.on = x_plan.programs[i].name;
    exit.programs = {NodeId(i)};
    exit.code = *x_plan.programs[i].expect_exit;
    x_plan.expectations.push_back(std::move(exit));
  }
}

void Resolver::expectation(Section& section) {
  Expectation out;
  out.that = section.get<std::string>("that");
  out.mode = section.get<std::string>("mode");
  if (section.has("window")) {
    out.window = section.get<Window>("window");
    inside(section, "window", out.window.begin - kStart);
  }
  out.ratio = section.get_or<Ratio>("ratio", {1, 1});
  out.within = section.get_or<Duration>("within", {});
  out.packet_class = section.get_or<std::string>("class", "loop");
  out.exactly_once = section.get_or<bool>("exactly_once", true);
  out.code = static_cast<int>(section.get_or<std::int64_t>("code", 0));
  if (out.within >= x_plan.duration) problem(section, "within", "is not shorter than the run");
  if (section.has("except")) {
    out.except = section.get<Words>("except");
    for (const std::string& reason : out.except)
      if (!mix::record::drop_reason_named(reason))
        problem(section, "except",
                "'" + reason + "' is no reason for a drop" + suggestion(reason, reasons()));
  }
  const bool about_packets = out.that != "exit" && out.that != "constant-size";
  if (about_packets && x_plan.layers == 0)
    problem(section, "that", "\"" + out.that + "\" needs a [mixnet]");
  if (section.has("on")) {
    const bool on_wires = out.that == "constant-size" && is_wires(section.get<std::string>("on"));
    if (out.that == "constant-size" && !on_wires) {
      problem(section, "on", "write link(from -> to), as in link(mix@layer1 -> mix@layer2)");
    } else if (on_wires) {
      if (const auto pairs = wires(section, "on")) {
        out.hosts = pairs->from.hosts;
        out.to_hosts = pairs->to.hosts;
      }
    } else if (const auto on = selection(section, "on")) {
      out.hosts = on->hosts;
      out.programs = programs_of(x_plan, *on);
    }
    out.on = section.get<std::string>("on");
  }
  x_plan.expectations.push_back(std::move(out));
}

}  // namespace lab::scenario
