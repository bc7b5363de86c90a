// SPDX-License-Identifier: Apache-2.0
#include "harness/report/failure.h"

#include <boost/json.hpp>

#include "harness/judge/query.h"
#include "harness/replay/difference.h"
#include "harness/report/way.h"
#include "src/prelude/instant.h"

namespace lab::report {
namespace {

namespace json = boost::json;
using judge::Query;

constexpr std::int64_t kBefore = 10, kAfter = 5;

json::array events(mix::sqlite::Database& db, std::int64_t seq) {
  json::array out;
  const std::int64_t first = std::max<std::int64_t>(0, seq - kBefore);
  const auto found = replay::events(db, first, seq - first + 1 + kAfter);
  if (!found) return out;
  for (const replay::EventLine& event : *found)
    out.push_back(json::object{{"seq", event.seq},
                               {"time_ns", event.time_ns},
                               {"node", event.node},
                               {"kind", event.kind},
                               {"detail", json::parse(event.detail)},
                               {"line", replay::to_text(event, 110)}});
  return out;
}

std::string str(const json::object& o, const char* key) {
  const json::value* value = o.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : "";
}

}  // namespace

json::object failure(mix::sqlite::Database& db, const judge::Finding& finding,
                     const Context& context) {
  json::object out{{"that", finding.that},
                   {"mode", finding.mode},
                   {"verdict", to_text(finding.verdict)},
                   {"detail", finding.detail},
                   {"expected", finding.expected},
                   {"observed", finding.observed},
                   {"command", context.command},
                   {"recording", context.recording},
                   {"second_look", context.second_look}};
  out["time_ns"] = finding.time_ns ? json::value(*finding.time_ns) : json::value(nullptr);
  out["event"] = finding.event ? json::value(*finding.event) : json::value(nullptr);
  out["packet"] = finding.packet ? json::value(*finding.packet) : json::value(nullptr);
  out["events"] = finding.event ? events(db, *finding.event) : json::array();
  out["way"] = finding.packet ? way_of(db, *finding.packet) : json::array();
  return out;
}

std::string failure_text(const json::object& f) {
  std::string out = (str(f, "verdict") == "fail" ? "FAILED  " : "INCONCLUSIVE  ") + str(f, "that") +
                    " (" + str(f, "mode") + "): " + str(f, "detail") + "\n";
  out += "again     " + str(f, "command") + "\n";
  if (!str(f, "expected").empty()) {
    out += "expected  " + str(f, "expected") + "\n";
    out += "observed  " + str(f, "observed");
    if (f.at("time_ns").is_int64()) out += ", at " + time_text(f.at("time_ns"));
    if (f.at("event").is_int64()) out += ", event " + std::to_string(f.at("event").as_int64());
    out += "\n";
  }
  const json::array& events = f.at("events").as_array();
  if (!events.empty()) out += "\nevents\n";
  for (const json::value& value : events) {
    const json::object& event = value.as_object();
    out += (event.at("seq") == f.at("event") ? "> " : "  ") + str(event, "line") + "\n";
  }
  const json::array& way = f.at("way").as_array();
  if (!way.empty()) out += "\npacket " + std::to_string(f.at("packet").as_int64()) + "\n";
  for (const json::value& hop : way)
    out += hop_line(hop.as_object());
  out += "\n";
  if (!str(f, "second_look").empty()) out += "second run  " + str(f, "second_look") + "\n";
  out += "recording   " + str(f, "recording") + "\n";
  return out;
}

}  // namespace lab::report
