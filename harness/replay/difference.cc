// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/difference.h"

#include <algorithm>
#include <cstdio>

namespace lab::replay {
namespace {

using mix::sqlite::Database;

constexpr std::int64_t kBefore = 10, kAfter = 5, kChunk = 1000;

/// `"name": value` of one line of JSON, cut at top-level commas.
std::vector<std::string> fields(const std::string& detail) {
  std::vector<std::string> out(1);
  bool quoted = false;
  for (std::size_t i = 0; i < detail.size(); ++i) {
    if (detail[i] == '"' && (i == 0 || detail[i - 1] != '\\')) quoted = !quoted;
    if (detail[i] == ',' && !quoted)
      out.emplace_back();
    else
      out.back() += detail[i];
  }
  return out;
}

std::string differing_fields(const std::string& a, const std::string& b) {
  const auto left = fields(a), right = fields(b);
  std::string out;
  for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
    const std::string l = i < left.size() ? left[i] : "", r = i < right.size() ? right[i] : "";
    if (l != r) out += (out.empty() ? "" : ";") + l + " against " + r;
  }
  return out.empty() ? "their node or time" : out;
}

/// The last checkpoint at which both chains are equal: everything before it is.
mix::sqlite::Result<std::int64_t> equal_until(Database& a, Database& b) {
  constexpr const char* kSql = "SELECT seq, chain FROM checkpoint ORDER BY seq";
  auto left = a.prepare(kSql), right = b.prepare(kSql);
  if (!left) return std::unexpected(left.error());
  if (!right) return std::unexpected(right.error());
  left->start();
  right->start();
  std::int64_t out = 0;
  while (true) {
    const auto l = left->next(), r = right->next();
    if (!l) return std::unexpected(l.error());
    if (!r) return std::unexpected(r.error());
    if (!*l || !*r || left->integer(0) != right->integer(0) || left->text(1) != right->text(1))
      return out;
    out = left->integer(0);
  }
}

}  // namespace

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

std::expected<std::optional<Difference>, std::string> first_difference(Database& a, Database& b) {
  const auto start = equal_until(a, b);
  if (!start) return std::unexpected(start.error().text);
  for (std::int64_t at = *start;; at += kChunk) {
    const auto left = events(a, at, kChunk), right = events(b, at, kChunk);
    if (!left) return std::unexpected(left.error().text);
    if (!right) return std::unexpected(right.error().text);
    const auto [l, r] = std::ranges::mismatch(*left, *right);
    if (l == left->end() && r == right->end()) {
      if (left->empty()) return std::nullopt;
      continue;
    }
    Difference out;
    if (l != left->end()) out.a = *l;
    if (r != right->end()) out.b = *r;
    out.seq = out.a ? out.a->seq : out.b->seq;
    const auto before =
        events(a, std::max<std::int64_t>(0, out.seq - kBefore), std::min(kBefore, out.seq));
    const auto after_a = events(a, out.seq + 1, kAfter), after_b = events(b, out.seq + 1, kAfter);
    if (before) out.before = *before;
    if (after_a) out.after_a = *after_a;
    if (after_b) out.after_b = *after_b;
    return out;
  }
}

std::string to_text(const EventLine& event, std::size_t width) {
  char head[80];
  std::snprintf(head, sizeof head, "%8lld  %14.9f s  %-14s ", static_cast<long long>(event.seq),
                static_cast<double>(event.time_ns) / 1e9, event.node.substr(0, 30).c_str());
  std::string out = head + event.kind + " " + event.detail;
  if (out.size() > width) out = out.substr(0, width - 3) + "...";
  return out;
}

std::string to_text(const Difference& difference, const std::string& name_a,
                    const std::string& name_b) {
  std::string out = "the runs part at event " + std::to_string(difference.seq) + "\n";
  for (const EventLine& event : difference.before)
    out += "  both " + to_text(event, 110) + "\n";
  const auto side = [&](const char* mark, const std::string& name,
                        const std::optional<EventLine>& event,
                        const std::vector<EventLine>& after) {
    out += std::string(mark) + " " + name + "\n";
    out += event ? "     > " + to_text(*event, 300) + "\n" : "     > the run has ended\n";
    for (const EventLine& next : after)
      out += "       " + to_text(next, 110) + "\n";
  };
  if (difference.a && difference.b && difference.a->kind == difference.b->kind)
    out += "they differ in " + differing_fields(difference.a->detail, difference.b->detail) + "\n";
  side("A", name_a, difference.a, difference.after_a);
  side("B", name_b, difference.b, difference.after_b);
  return out;
}

}  // namespace lab::replay
