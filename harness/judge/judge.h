// SPDX-License-Identifier: Apache-2.0
// Whether a recording keeps a scenario's promises. Reads the views `hop`, `packet` and the lab's
// own tables, and nothing else: the same questions anybody can ask with sqlite3.
//
// Comparisons are IS NOT, never <>: an unknown sender at layer 2 or above is a violation; at layer
// 1 it is unjudged, counted and said, never a pass. Too few samples are inconclusive, never a pass:
// under 100 hops for layer-order and conservation, under 10 packets for the others.
// Threads: any; a judge belongs to one.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "harness/recorder/writer.h"
#include "harness/scenario/plan.h"
#include "src/sqlite/database.h"

namespace lab::judge {

inline constexpr std::int64_t kLeastHops = 100, kLeastPackets = 10;

enum class Verdict { pass, fail, inconclusive };
const char* to_text(Verdict verdict);

struct Finding {
  std::string that, mode;
  Verdict verdict = Verdict::pass;
  std::string detail;                   // one sentence with the numbers
  std::string expected, observed;       // of the first violation
  std::optional<std::int64_t> time_ns;  // of the first violation
  std::optional<std::int64_t> event;    // its place in the chain
  std::optional<std::int64_t> packet;   // packet.id
};

/// Exit status of `mixlab run`: a failure wins over an inconclusive finding, which wins over a
/// pass.
Verdict overall(const std::vector<Finding>& findings);

/// `db` needs to be writable by nobody else: temporary tables are made in it.
std::expected<std::vector<Finding>, std::string> judge(mix::sqlite::Database& db,
                                                       const scenario::Plan& plan);

std::vector<recorder::VerdictRow> rows(const std::vector<Finding>& findings);

}  // namespace lab::judge
