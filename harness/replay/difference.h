// SPDX-License-Identifier: Apache-2.0
// Where two runs part: the first event of two recordings that is not the same, found by the
// checkpoints first (a chain that is equal there is equal before), then event by event.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "src/sqlite/database.h"

namespace lab::replay {

struct EventLine {
  std::int64_t seq = 0, time_ns = 0;
  std::string node, kind, detail;
  bool operator==(const EventLine&) const = default;
};

struct Difference {
  std::int64_t seq = 0;
  std::optional<EventLine> a, b;   // nothing: that run has ended
  std::vector<EventLine> before;   // up to ten that both have
  std::vector<EventLine> after_a;  // up to five of each
  std::vector<EventLine> after_b;
};

/// nullopt: the same events. The error says which file is no recording of the lab.
std::expected<std::optional<Difference>, std::string> first_difference(mix::sqlite::Database& a,
                                                                       mix::sqlite::Database& b);

/// Events of a recording from `seq` on, at most `count`.
mix::sqlite::Result<std::vector<EventLine>> events(mix::sqlite::Database& db, std::int64_t seq,
                                                   std::int64_t count);
/// "  1042  12.3 s  mix-2  activation  {...}", cut to `width`.
std::string to_text(const EventLine& event, std::size_t width = 120);
/// The whole story, at most 40 lines.
std::string to_text(const Difference& difference, const std::string& name_a,
                    const std::string& name_b);

}  // namespace lab::replay
