// SPDX-License-Identifier: Apache-2.0
#include "harness/report/way.h"

#include <boost/json.hpp>

#include "harness/judge/query.h"
#include "harness/model/time_text.h"

namespace lab::report {

namespace json = boost::json;
using judge::Query;

namespace {

std::string str(const json::object& o, const char* key) {
  const json::value* value = o.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : "";
}

}  // namespace

json::array way_of(mix::sqlite::Database& db, std::int64_t packet) {
  Query query(db,
              "SELECT hop, a.name, b.name, sent_ns, received_ns, delay_ns, verdict, reason FROM "
              "temp.j_hop LEFT JOIN node a ON "
              "a.id = from_node LEFT JOIN node b ON b.id = to_node WHERE packet = ? ORDER BY hop, "
              "coalesce(sent_ns, received_ns) "
              "LIMIT 12",
              packet);
  json::array out;
  const auto number = [&](int column) {
    return query.is_null(column) ? json::value(nullptr) : json::value(query.integer(column));
  };
  while (query.next())
    out.push_back(json::object{{"hop", number(0)},
                               {"from", query.text_or(1, "?")},
                               {"to", query.text_or(2, "?")},
                               {"sent_ns", number(3)},
                               {"received_ns", number(4)},
                               {"delay_ns", number(5)},
                               {"verdict", query.text_or(6, "")},
                               {"reason", query.text_or(7, "")}});
  return out;
}

std::string time_text(const json::value& value) {
  if (!value.is_int64()) return "never";
  return exact_text(at_ns(value.as_int64()));
}

std::string hop_line(const json::object& hop) {
  std::string out = "  hop " +
                    (hop.at("hop").is_int64() ? std::to_string(hop.at("hop").as_int64()) : "?") +
                    "  " + str(hop, "from") + " -> " + str(hop, "to") + "  sent " +
                    time_text(hop.at("sent_ns")) + ", received " + time_text(hop.at("received_ns"));
  if (hop.at("delay_ns").is_int64())
    out += ", asked to hold it " + exact_text(Duration(hop.at("delay_ns").as_int64()));
  if (!str(hop, "verdict").empty()) out += ", " + str(hop, "verdict");
  if (!str(hop, "reason").empty()) out += " (" + str(hop, "reason") + ")";
  return out + "\n";
}

std::optional<std::string> trace(mix::sqlite::Database& db, std::int64_t packet) {
  if (auto made = judge::materialize(db); !made) throw judge::QueryFailed{made.error().text};
  Query row(db,
            "SELECT class, coalesce(name, 'nobody'), created_ns, outcome, coalesce(reason, ''), "
            "stored_ns, returned_ns FROM "
            "temp.j_packet p LEFT JOIN node ON node.id = p.origin WHERE p.id = ?",
            packet);
  if (!row.next()) return std::nullopt;
  const auto when = [&](int column) {
    return row.is_null(column) ? std::string("never") : exact_text(at_ns(row.integer(column)));
  };
  std::string out = "packet " + std::to_string(packet) + ", " + row.text(0) + ", made by " +
                    row.text(1) + " at " + when(2) + ": " + row.text(3) +
                    (row.text(4).empty() ? "" : " (" + row.text(4) + ")") + "\n";
  for (const json::value& hop : way_of(db, packet))
    out += hop_line(hop.as_object());
  return out + "  stored " + when(5) + ", home " + when(6) + "\n";
}

}  // namespace lab::report
