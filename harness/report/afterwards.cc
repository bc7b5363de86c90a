// SPDX-License-Identifier: Apache-2.0
#include "harness/report/afterwards.h"

#include <algorithm>
#include <boost/json.hpp>

#include "harness/model/time_text.h"

namespace lab::report {
namespace {

namespace json = boost::json;
/// In order of first appearance, with what each side says.
using Rows = std::vector<std::pair<std::string, std::pair<std::string, std::string>>>;

std::string text(const json::value& value, bool duration) {
  if (value.is_null()) return "none";
  if (value.is_string()) return std::string(value.as_string());
  return duration ? exact_text(Duration(value.as_int64())) : json::serialize(value);
}

/// What a row is about: "loop packets", "hops 1 -> 2", "drops, loss".
std::string subject(const std::string& list, const json::object& row) {
  if (list == "packets") return text(row.at("class"), false) + " packets ";
  if (list == "links")
    return "hops " + text(row.at("from_layer"), false) + " -> " + text(row.at("to_layer"), false) +
           " ";
  if (list == "drops") return "drops, " + text(row.at("reason"), false) + " ";
  return text(row.at("that"), false) + " ";
}

void collect(const json::object& summary, const std::string& list, bool left, Rows& rows) {
  for (const json::value& value : summary.at(list).as_array()) {
    const json::object& row = value.as_object();
    for (const auto& [key, field] : row) {
      const std::string name(key);
      if (name == "class" || name == "from_layer" || name == "to_layer" || name == "reason" ||
          name == "that" || name == "mode" || name == "detail" || name == "first_bad_event")
        continue;
      const bool duration = name.ends_with("_ns");
      std::string what = subject(list, row) + (duration          ? "mean round trip"
                                               : name == "count" ? ""
                                                                 : name);
      while (what.ends_with(' '))
        what.pop_back();
      std::ranges::replace(what, '_', ' ');
      auto at = std::ranges::find(rows, what, &Rows::value_type::first);
      if (at == rows.end()) {
        const std::string none = duration ? "none" : "0";
        at = rows.insert(rows.end(), {what, {none, none}});
      }
      (left ? at->second.first : at->second.second) = text(field, duration);
    }
  }
}

}  // namespace

std::vector<Contrast> contrast(const json::object& a, const json::object& b) {
  Rows rows;
  for (const char* list : {"expectations", "packets", "links", "drops"}) {
    collect(a, list, true, rows);
    collect(b, list, false, rows);
  }
  std::vector<Contrast> out;
  for (const auto& [what, sides] : rows)
    if (sides.first != sides.second) out.push_back({what, sides.first, sides.second});
  return out;
}

}  // namespace lab::report
