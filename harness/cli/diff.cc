// SPDX-License-Identifier: Apache-2.0
// `mixlab diff A B`: the first event where two recordings part, the packet it is about on its way
// through both, and how they differ as wholes.
#include <boost/json.hpp>
#include <iostream>

#include "harness/cli/commands.h"
#include "harness/cli/files.h"
#include "harness/judge/query.h"
#include "harness/replay/difference.h"
#include "harness/report/afterwards.h"
#include "harness/report/summary.h"
#include "harness/report/way.h"

namespace lab::cli {
namespace {

namespace json = boost::json;
using judge::Query;
using mix::sqlite::Database;
using replay::EventLine;

int refuse(const std::string& why) {
  std::cerr << "mixlab: " << why << "\n";
  return kUsage;
}

/// The packet of the data that the network decided about.
std::optional<std::int64_t> packet_on_wire(Database& db, const EventLine& event) {
  boost::system::error_code error;
  const json::value detail = json::parse(event.detail, error);
  if (error || !detail.is_object()) return std::nullopt;
  const auto number = [&](const char* key) -> std::int64_t {
    const json::value* value = detail.as_object().if_contains(key);
    return value != nullptr && value->is_int64() ? value->as_int64() : -1;
  };
  if (number("connection") <= 0 || number("offset") < 0) return std::nullopt;
  Query row(db,
            "SELECT packet FROM temp.j_hop WHERE digest = (SELECT digest FROM wire_packet WHERE "
            "connection = ? ORDER BY id LIMIT 1 OFFSET ?) LIMIT 1",
            number("connection"), number("offset") / 1372);
  return row.next() ? row.integer_or_null(0) : std::nullopt;
}

/// The packet that this event received or sent; nothing: none, or no program says so.
std::optional<std::int64_t> packet_of(Database& db, const EventLine& event) {
  if (event.kind == "network") return packet_on_wire(db, event);
  Query row(db,
            "SELECT packet FROM temp.j_hop JOIN node ON node.name = ?1 WHERE (to_node = node.id "
            "AND received_ns = ?2) OR (from_node = node.id AND sent_ns = ?2) ORDER BY received_ns "
            "IS NOT ?2, packet LIMIT 1",
            event.node, event.time_ns);
  return row.next() ? row.integer_or_null(0) : std::nullopt;
}

struct Side {
  std::string name;
  Database db;
  std::string doubt;  // empty: the file is whole
  std::optional<std::int64_t> packet;
  std::int64_t packet_event = 0;

  /// Of the event, else of the next that is about one.
  void find_packet(const std::optional<EventLine>& event, const std::vector<EventLine>& after) {
    std::vector<EventLine> all = after;
    if (event) all.insert(all.begin(), *event);
    for (std::size_t i = 0; i < all.size() && !packet; ++i) {
      packet = packet_of(db, all[i]);
      packet_event = all[i].seq;
    }
  }
};

json::value to_json(const std::optional<EventLine>& event) {
  if (!event) return nullptr;
  boost::system::error_code error;
  json::value detail = json::parse(event->detail, error);
  return json::object{{"seq", event->seq},
                      {"time_ns", event->time_ns},
                      {"node", event->node},
                      {"kind", event->kind},
                      {"detail", error ? json::value(event->detail) : detail}};
}

json::array to_json(const std::vector<EventLine>& events) {
  json::array out;
  for (const EventLine& event : events)
    out.push_back(to_json(std::optional(event)));
  return out;
}

json::array to_json(const std::vector<report::Contrast>& all) {
  json::array out;
  for (const report::Contrast& one : all)
    out.push_back(json::object{{"what", one.what}, {"a", one.a}, {"b", one.b}});
  return out;
}

json::array doubts(const Side& a, const Side& b) {
  json::array out;
  for (const Side* side : {&a, &b})
    if (!side->doubt.empty()) out.push_back(json::value(side->doubt));
  return out;
}

json::object to_json(const replay::Difference& found, Side& a, Side& b) {
  json::array fields;
  if (found.a && found.b)
    for (const replay::FieldDifference& field : replay::fields_that_differ(*found.a, *found.b))
      fields.push_back(json::object{{"field", field.field}, {"a", field.a}, {"b", field.b}});
  json::object out{{"equal", false},
                   {"event", found.seq},
                   {"a", to_json(found.a)},
                   {"b", to_json(found.b)},
                   {"fields", fields},
                   {"before", to_json(found.before)},
                   {"after_a", to_json(found.after_a)},
                   {"after_b", to_json(found.after_b)},
                   {"doubts", doubts(a, b)}};
  for (auto& [key, side] : {std::pair<const char*, Side&>{"packet_a", a}, {"packet_b", b}})
    out[key] = side.packet
                   ? json::value(json::object{{"id", *side.packet},
                                              {"event", side.packet_event},
                                              {"way", report::way_of(side.db, *side.packet)}})
                   : json::value(nullptr);
  return out;
}

void print_packet(Side& side) {
  if (!side.packet) return;
  if (const auto way = report::trace(side.db, *side.packet))
    std::cout << side.name << ", event " << side.packet_event << "\n  " << *way;
}

void print_contrast(const std::vector<report::Contrast>& all) {
  if (all.empty()) {
    std::cout << "as wholes they are alike: delivery, delays, drops\n";
    return;
  }
  std::cout << "as wholes they differ in\n";
  for (const report::Contrast& one : all)
    std::printf("  %-36s %14s %14s\n", one.what.c_str(), one.a.c_str(), one.b.c_str());
  std::fflush(stdout);
}

int explain(const replay::Difference& found, const DiffFlags& flags, Side& a, Side& b) {
  if (!flags.json)  // before anything that takes long
    std::cout << replay::to_text(found, a.name, b.name) << std::flush;
  if (flags.first) {
    if (flags.json) std::cout << json::serialize(to_json(found, a, b)) << "\n";
    return kFailed;
  }
  const json::object left = report::summary(a.db), right = report::summary(b.db);
  const auto contrast = report::contrast(left, right);
  a.find_packet(found.a, found.after_a);
  b.find_packet(found.b, found.after_b);
  if (flags.json) {
    json::object out = to_json(found, a, b);
    out["as_wholes"] = to_json(contrast);
    std::cout << json::serialize(out) << "\n";
    return kFailed;
  }
  if (a.packet || b.packet) std::cout << "the packet of that event, or of the next about one\n";
  print_packet(a);
  print_packet(b);
  print_contrast(contrast);
  return kFailed;
}

bool has(Database& db, const char* query, const std::string& name) {
  Query row(db, query, name);
  return row.next();
}

/// A misspelt name would compare nothing, and nothing is equal.
std::string unknown_name(const DiffFlags& flags, Database& a, Database& b) {
  const auto in_neither = [&](const char* query, const std::string& name) {
    return !has(a, query, name) && !has(b, query, name);
  };
  if (!flags.node.empty() && in_neither("SELECT 1 FROM node WHERE name = ?", flags.node))
    return "--node: neither recording has a program '" + flags.node + "'";
  for (const std::string& kind : flags.kinds)
    if (in_neither("SELECT 1 FROM event WHERE kind = ? LIMIT 1", kind))
      return "--kind: neither recording has an event of kind '" + kind + "'";
  return {};
}

}  // namespace

int diff(const DiffFlags& flags) {
  auto left = look_at(flags.a), right = look_at(flags.b);
  if (!left || !right) return kUsage;
  Side a{flags.a, std::move(left->db), left->doubt, {}};
  Side b{flags.b, std::move(right->db), right->doubt, {}};
  try {
    if (const std::string wrong = unknown_name(flags, a.db, b.db); !wrong.empty())
      return refuse(wrong);
  } catch (const judge::QueryFailed& failed) {
    return refuse("not a recording of the lab: " + failed.text);
  }
  const auto found = replay::first_difference(a.db, b.db, {flags.node, flags.kinds, flags.ignored});
  if (!found) return refuse("not a recording of the lab: " + found.error());
  try {
    if (*found) return explain(**found, flags, a, b);
    if (flags.json)
      std::cout << json::serialize(json::object{{"equal", true}, {"doubts", doubts(a, b)}}) << "\n";
    else
      std::cout << "the same events in the same order\n";
    return kHolds;
  } catch (const judge::QueryFailed& failed) {
    return refuse("a recording cannot be read: " + failed.text);
  }
}

}  // namespace lab::cli
