// SPDX-License-Identifier: Apache-2.0
// Where two runs part: the first event of two recordings that is not the same. The last checkpoint
// with one chain is found by halving (what is equal there is equal before); only the events behind
// it are read.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "src/sqlite/database.h"

namespace lab::replay {

struct EventLine {
  std::int64_t seq = 0, time_ns = 0;
  std::string node, kind, detail;  // detail: JSON
  bool operator==(const EventLine&) const = default;
};

struct Difference {
  std::int64_t seq = 0;            // of a, or of b when a has ended
  std::optional<EventLine> a, b;   // nothing: that run has ended
  std::vector<EventLine> before;   // up to ten that both have
  std::vector<EventLine> after_a;  // up to ten of each; five while a run is watched
  std::vector<EventLine> after_b;
};

/// What is compared; everything by default.
struct Filter {
  std::string node;                  // only this one's events
  std::vector<std::string> kinds;    // only these; empty: all
  std::vector<std::string> ignored;  // kinds; fields of `detail`; "time"
  bool all() const { return node.empty() && kinds.empty() && ignored.empty(); }
  bool takes(const EventLine& event) const;
  /// The event without what is ignored and, unless everything is compared, without its number.
  EventLine reduced(EventLine event) const;
};

/// nullopt: the same events. The error says that one file is no recording of the lab. `rows`: how
/// many rows were read, of both.
std::expected<std::optional<Difference>, std::string> first_difference(mix::sqlite::Database& a,
                                                                       mix::sqlite::Database& b,
                                                                       const Filter& filter = {},
                                                                       std::uint64_t* rows = {});

struct FieldDifference {
  std::string field, a, b;  // empty: it has no such field
};
/// "time", "node", "kind", then fields of `detail`; calls are spelt by name.
std::vector<FieldDifference> fields_that_differ(const EventLine& a, const EventLine& b);

/// Events of a recording from `seq` on, at most `count`.
mix::sqlite::Result<std::vector<EventLine>> events(mix::sqlite::Database& db, std::int64_t seq,
                                                   std::int64_t count);
/// "  1042  12.3 s  mix-2  activation  inbox 05a0fc96, ..., calls epoll_wait 3", cut to `width`.
std::string to_text(const EventLine& event, std::size_t width = 120);
/// The whole story, at most 50 lines.
std::string to_text(const Difference& difference, const std::string& name_a,
                    const std::string& name_b);

}  // namespace lab::replay
