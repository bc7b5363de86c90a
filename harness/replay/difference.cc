// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/difference.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <deque>

#include "harness/protocol/syscalls.h"
#include "src/prelude/bytes.h"

namespace lab::replay {
namespace {

namespace json = boost::json;
using mix::sqlite::Database;
using Wrong = std::unexpected<std::string>;

constexpr std::size_t kBefore = 10, kAfter = 10;
constexpr std::int64_t kChunk = 256;

struct Failed {
  std::string text;
};

/// Statements whose rows are counted; errors end the search.
class Counted {
 public:
  Counted(Database& db, std::uint64_t& rows) : x_db(db), x_rows(rows) {}

  std::int64_t number(std::string_view sql) {
    ++x_rows;
    const auto value = x_db.integer(sql);
    if (!value) throw Failed{value.error().text};
    return *value;
  }
  /// The n-th checkpoint.
  std::optional<std::pair<std::int64_t, std::string>> checkpoint(std::int64_t n) {
    return one("SELECT seq, chain FROM checkpoint ORDER BY seq LIMIT 1 OFFSET ?", n);
  }
  std::optional<std::pair<std::int64_t, std::string>> checkpoint_at(std::int64_t seq) {
    return one("SELECT seq, chain FROM checkpoint WHERE seq = ?", seq);
  }
  std::vector<EventLine> read(std::int64_t seq, std::int64_t count) {
    auto out = events(x_db, seq, count);
    if (!out) throw Failed{out.error().text};
    x_rows += out->size();
    return std::move(*out);
  }

 private:
  std::optional<std::pair<std::int64_t, std::string>> one(std::string_view sql,
                                                          std::int64_t value) {
    auto statement = x_db.prepare(sql);
    if (!statement) throw Failed{statement.error().text};
    statement->start(value);
    const auto row = statement->next();
    if (!row) throw Failed{row.error().text};
    if (!*row) return std::nullopt;
    ++x_rows;
    return std::pair{statement->integer(0), statement->text(1)};
  }
  Database& x_db;
  std::uint64_t& x_rows;
};

/// Events up to here are equal: the last checkpoint that both have with one chain.
std::int64_t equal_until(Counted& a, Counted& b) {
  std::int64_t equal = 0, low = 0, high = a.number("SELECT count(*) FROM checkpoint");
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    const auto left = a.checkpoint(middle);
    if (!left) break;
    const auto right = b.checkpoint_at(left->first);
    if (right && right->second == left->second) {
      equal = left->first;
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return equal;
}

/// The events of one recording that a filter takes, from a place on.
class Stream {
 public:
  Stream(Counted& from, const Filter& filter, std::int64_t seq)
      : x_from(from), x_filter(filter), x_next(seq) {}
  std::optional<EventLine> next() {
    while (true) {
      if (x_at == x_chunk.size()) {
        if (x_ended) return std::nullopt;
        x_chunk = x_from.read(x_next, kChunk);
        x_at = 0;
        x_ended = x_chunk.size() < static_cast<std::size_t>(kChunk);
        if (x_chunk.empty()) return std::nullopt;
        x_next = x_chunk.back().seq + 1;
      }
      EventLine& event = x_chunk[x_at++];
      if (x_filter.takes(event)) return std::move(event);
    }
  }
  std::vector<EventLine> some(std::size_t count) {
    std::vector<EventLine> out;
    while (out.size() < count) {
      auto event = next();
      if (!event) break;
      out.push_back(std::move(*event));
    }
    return out;
  }

 private:
  Counted& x_from;
  const Filter& x_filter;
  std::int64_t x_next;
  std::vector<EventLine> x_chunk;
  std::size_t x_at = 0;
  bool x_ended = false;
};

/// The last events before `seq` that the filter takes, of those that are near.
std::vector<EventLine> before(Counted& from, const Filter& filter, std::int64_t seq) {
  const std::int64_t start = std::max<std::int64_t>(0, seq - kChunk);
  std::vector<EventLine> out;
  for (EventLine& event : from.read(start, seq - start))
    if (filter.takes(event)) out.push_back(std::move(event));
  if (out.size() > kBefore) out.erase(out.begin(), out.end() - kBefore);
  return out;
}

bool has(const std::vector<std::string>& list, const std::string& word) {
  return std::ranges::find(list, word) != list.end();
}

/// Pairs of u16 number and u32 count, in hexadecimal, as "epoll_wait 3, read 1".
std::string calls_text(const std::string& hex) {
  std::string out;
  for (std::size_t at = 0; at + 12 <= hex.size(); at += 12) {
    char* end = nullptr;
    const auto number = std::strtol(hex.substr(at, 4).c_str(), &end, 16);
    const auto count = std::strtoull(hex.substr(at + 4, 8).c_str(), &end, 16);
    out += (out.empty() ? "" : ", ") + std::string(call_name(number)) + " " + std::to_string(count);
  }
  return out;
}

std::string value_text(std::string_view key, const json::value& value) {
  if (!value.is_string()) return json::serialize(value);
  const std::string text(value.as_string());
  return key == "calls" ? calls_text(text) : text;
}

std::string seconds(std::int64_t ns) {
  if (ns < 0) return "none";
  char out[40];
  std::snprintf(out, sizeof out, "%.6f s", static_cast<double>(ns) / 1e9);
  return out;
}

/// The fields for people: digests by their first digits, calls by name.
std::string brief(const std::string& detail) {
  boost::system::error_code error;
  const json::value parsed = json::parse(detail, error);
  if (error || !parsed.is_object()) return detail;
  std::string out;
  for (const auto& [key, value] : parsed.as_object()) {
    std::string text = value_text(key, value);
    if (key == "deadline" && value.is_int64()) text = seconds(value.as_int64());
    if (text.size() >= 32 && key != "calls" &&
        text.find_first_not_of("0123456789abcdef") == std::string::npos)
      text = text.substr(0, 8);
    if (!text.empty()) out += (out.empty() ? "" : ", ") + std::string(key) + " " + text;
  }
  return out;
}

}  // namespace

bool Filter::takes(const EventLine& event) const {
  return (node.empty() || event.node == node) && (kinds.empty() || has(kinds, event.kind)) &&
         !has(ignored, event.kind);
}

EventLine Filter::reduced(EventLine event) const {
  if (all()) return event;
  event.seq = 0;
  if (ignored.empty()) return event;
  if (has(ignored, "time")) event.time_ns = 0;
  boost::system::error_code error;
  json::value detail = json::parse(event.detail, error);
  if (error || !detail.is_object()) return event;
  for (const std::string& field : ignored)
    detail.as_object().erase(field);
  event.detail = json::serialize(detail);
  return event;
}

mix::sqlite::Result<std::vector<EventLine>> events(Database& db, std::int64_t seq,
                                                   std::int64_t count) {
  auto rows = db.prepare(
      "SELECT seq, time_ns, coalesce(name, ''), kind, detail FROM event LEFT JOIN node ON node.id "
      "= event.node "
      "WHERE seq >= ? ORDER BY seq LIMIT ?");
  if (!rows) return std::unexpected(rows.error());
  rows->start(seq, count);
  std::vector<EventLine> out;
  while (true) {
    const auto row = rows->next();
    if (!row) return std::unexpected(row.error());
    if (!*row) return out;
    out.push_back(
        {rows->integer(0), rows->integer(1), rows->text(2), rows->text(3), rows->text(4)});
  }
}

std::expected<std::optional<Difference>, std::string> first_difference(Database& a, Database& b,
                                                                       const Filter& filter,
                                                                       std::uint64_t* rows) {
  std::uint64_t count = 0;
  try {
    Counted left(a, count), right(b, count);
    const std::int64_t start = equal_until(left, right);
    Stream in_a(left, filter, start), in_b(right, filter, start);
    while (true) {
      Difference out;
      out.a = in_a.next();
      out.b = in_b.next();
      if (!out.a && !out.b) break;
      if (out.a && out.b && filter.reduced(*out.a) == filter.reduced(*out.b)) continue;
      out.seq = out.a ? out.a->seq : out.b->seq;
      out.before = before(out.a ? left : right, filter, out.seq);
      out.after_a = in_a.some(kAfter);
      out.after_b = in_b.some(kAfter);
      if (rows != nullptr) *rows = count;
      return out;
    }
    if (rows != nullptr) *rows = count;
    return std::nullopt;
  } catch (const Failed& failed) {
    return Wrong(failed.text);
  }
}

std::vector<FieldDifference> fields_that_differ(const EventLine& a, const EventLine& b) {
  std::vector<FieldDifference> out;
  const auto compare = [&](const char* field, const std::string& left, const std::string& right) {
    if (left != right) out.push_back({field, left, right});
  };
  compare("time", std::to_string(a.time_ns) + " ns", std::to_string(b.time_ns) + " ns");
  compare("node", a.node, b.node);
  compare("kind", a.kind, b.kind);
  if (a.kind != b.kind) return out;  // their fields have nothing in common
  boost::system::error_code error_a, error_b;
  const json::value left = json::parse(a.detail, error_a), right = json::parse(b.detail, error_b);
  if (error_a || error_b || !left.is_object() || !right.is_object()) {
    compare("detail", a.detail, b.detail);
    return out;
  }
  for (const auto& [key, value] : left.as_object()) {
    const json::value* other = right.as_object().if_contains(key);
    if (other == nullptr || *other != value)
      out.push_back({std::string(key), value_text(key, value),
                     other != nullptr ? value_text(key, *other) : ""});
  }
  for (const auto& [key, value] : right.as_object())
    if (!left.as_object().contains(key))
      out.push_back({std::string(key), "", value_text(key, value)});
  // Equal as JSON, and yet not the same text.
  if (out.empty()) compare("detail", a.detail, b.detail);
  return out;
}

std::string to_text(const EventLine& event, std::size_t width) {
  char head[80];
  std::snprintf(head, sizeof head, "%8lld  %14.9f s  %-14s ", static_cast<long long>(event.seq),
                static_cast<double>(event.time_ns) / 1e9, event.node.substr(0, 30).c_str());
  std::string out = head + event.kind + "  " + brief(event.detail);
  if (out.size() > width) out = out.substr(0, width - 3) + "...";
  return out;
}

std::string to_text(const Difference& difference, const std::string& name_a,
                    const std::string& name_b) {
  std::string out = "the runs part at event " + std::to_string(difference.seq) + "\n";
  for (const EventLine& event : difference.before)
    out += "  both " + to_text(event, 110) + "\n";
  const auto side = [&](const std::string& name, const std::optional<EventLine>& event,
                        const std::vector<EventLine>& after) {
    out += name + "\n";
    out += event ? "     > " + to_text(*event, 110) + "\n" : "     > the run has ended\n";
    for (const EventLine& next : after)
      out += "       " + to_text(next, 110) + "\n";
  };
  side(name_a, difference.a, difference.after_a);
  side(name_b, difference.b, difference.after_b);
  if (!difference.a || !difference.b) return out;
  out += "what differs there\n";
  for (const FieldDifference& field : fields_that_differ(*difference.a, *difference.b))
    out += "  " + field.field + "\n    " + name_a + ": " + field.a + "\n    " + name_b + ": " +
           field.b + "\n";
  return out;
}

}  // namespace lab::replay
