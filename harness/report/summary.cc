// SPDX-License-Identifier: Apache-2.0
#include "harness/report/summary.h"

#include <boost/json.hpp>
#include <cstdio>

#include "harness/judge/query.h"
#include "harness/model/time_text.h"

namespace lab::report {
namespace {

namespace json = boost::json;
using judge::Query;

/// Rows as objects, keyed by the given words.
json::array rows(mix::sqlite::Database& db, const std::string& sql,
                 std::initializer_list<const char*> columns) {
  Query query(db, sql);
  json::array out;
  while (query.next()) {
    json::object row;
    int at = 0;
    for (const char* column : columns) {
      const bool text = column[0] == '$';
      const char* name = text ? column + 1 : column;
      row[name] = query.is_null(at) ? json::value(nullptr)
                  : text            ? json::value(query.text(at))
                                    : json::value(query.integer(at));
      ++at;
    }
    out.push_back(std::move(row));
  }
  return out;
}

std::int64_t number(const json::object& row, const char* key) {
  const json::value& value = row.at(key);
  return value.is_int64() ? value.as_int64() : 0;
}
std::string text(const json::object& row, const char* key) {
  const json::value& value = row.at(key);
  return value.is_string() ? std::string(value.as_string()) : "";
}
std::string line(const char* format, auto... values) {
  char out[400];
  std::snprintf(out, sizeof out, format, values...);
  return out;
}
std::string duration(std::int64_t ns) {
  return exact_text(Duration(ns));
}

/// What was recorded: a run of the lab with its verdict, or a devnet, which has none.
std::string headline(const json::object& run) {
  const std::string length = duration(number(run, "duration_ns"));
  if (text(run, "clock") == "wall")
    return run.at("duration_ns").is_null() ? "a devnet that has not ended\n"
                                           : "a devnet, " + length + " of real time\n";
  return line("verdict %s, seed %lld, %s of virtual time\n",
              run.at("verdict").is_null() ? "none" : text(run, "verdict").c_str(),
              static_cast<long long>(number(run, "seed")), length.c_str());
}

}  // namespace

json::object summary(mix::sqlite::Database& db) {
  if (auto made = judge::materialize(db); !made) throw judge::QueryFailed{made.error().text};
  json::object out;
  out["run"] = rows(db, "SELECT seed, clock, epoch, duration_ns, chain, verdict FROM run",
                    {"seed", "$clock", "$epoch", "duration_ns", "$chain", "$verdict"})
                   .at(0);
  const bool lab =
      Query::value(db, "SELECT count(*) FROM sqlite_master WHERE name = 'expectation'") > 0;
  out["expectations"] =
      lab ? rows(db,
                 "SELECT that, mode, verdict, detail, first_bad_event FROM expectation ORDER BY id",
                 {"$that", "$mode", "$verdict", "$detail", "first_bad_event"})
          : json::array();
  out["links"] = rows(db,
                      "SELECT from_layer, to_layer, count(*), sum(received_ns IS NOT NULL) FROM "
                      "temp.j_hop GROUP BY 1, 2 ORDER BY 1, 2",
                      {"from_layer", "to_layer", "sent", "received"});
  out["packets"] = rows(
      db,
      "SELECT class, count(*), sum(outcome = 'delivered'), sum(returned_ns IS NOT NULL), "
      "sum(outcome = "
      "'dropped'), sum(outcome = 'in_flight'), cast(avg(returned_ns - created_ns) AS INTEGER) FROM "
      "temp.j_packet GROUP BY class ORDER BY class",
      {"$class", "made", "delivered", "home", "dropped", "in_flight", "mean_round_trip_ns"});
  out["drops"] = rows(db,
                      "SELECT reason, count(*) FROM temp.j_hop WHERE verdict = 'drop' GROUP BY "
                      "reason ORDER BY 2 DESC, 1",
                      {"$reason", "count"});
  out["faults"] = lab ? rows(db, "SELECT time_ns, verb, target FROM fault ORDER BY id",
                             {"time_ns", "$verb", "$target"})
                      : json::array();
  return out;
}

std::string to_text(const json::object& s) {
  const json::object& run = s.at("run").as_object();
  std::string out = headline(run);
  for (const json::value& value : s.at("expectations").as_array()) {
    const json::object& e = value.as_object();
    out += line("  %-12s  %s (%s): %s\n", text(e, "verdict").c_str(), text(e, "that").c_str(),
                text(e, "mode").c_str(), text(e, "detail").c_str());
  }
  out += "\nlinks\n";
  for (const json::value& value : s.at("links").as_array()) {
    const json::object& l = value.as_object();
    const auto layer = [&](const char* key) {
      return l.at(key).is_null() ? std::string("?") : std::to_string(number(l, key));
    };
    out += line("  %s -> %s  %8lld sent  %8lld received\n", layer("from_layer").c_str(),
                layer("to_layer").c_str(), static_cast<long long>(number(l, "sent")),
                static_cast<long long>(number(l, "received")));
  }
  out += "\npackets\n";
  for (const json::value& value : s.at("packets").as_array()) {
    const json::object& p = value.as_object();
    out += line("  %-8s %7lld made  %7lld delivered  %7lld home  %5lld dropped  %5lld in flight",
                text(p, "class").c_str(), static_cast<long long>(number(p, "made")),
                static_cast<long long>(number(p, "delivered")),
                static_cast<long long>(number(p, "home")),
                static_cast<long long>(number(p, "dropped")),
                static_cast<long long>(number(p, "in_flight")));
    if (!p.at("mean_round_trip_ns").is_null())
      out += "  round trip " + duration(number(p, "mean_round_trip_ns"));
    out += "\n";
  }
  const json::array& drops = s.at("drops").as_array();
  out += drops.empty() ? "\nno drops\n" : "\ndrops\n";
  for (const json::value& value : drops)
    out += line("  %-26s %7lld\n", text(value.as_object(), "reason").c_str(),
                static_cast<long long>(number(value.as_object(), "count")));
  const json::array& faults = s.at("faults").as_array();
  if (faults.size() > 1) out += "\nfaults\n";
  for (std::size_t i = 0; i < faults.size() && faults.size() > 1; ++i) {
    if (i == 20) {
      out += "  ...\n";
      break;
    }
    const json::object& f = faults[i].as_object();
    out += line("  %10s  %s %s\n", exact_text(at_ns(number(f, "time_ns"))).c_str(),
                text(f, "verb").c_str(), text(f, "target").c_str());
  }
  if (!run.at("chain").is_null()) out += "\nchain " + text(run, "chain") + "\n";
  return out;
}

}  // namespace lab::report
