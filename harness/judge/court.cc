// SPDX-License-Identifier: Apache-2.0
#include "harness/judge/court.h"

namespace lab::judge {

std::int64_t Court::end_of(const scenario::Window& window) const {
  return window.end == kNever ? plan.duration.count() : ns(window.end);
}

std::string Court::nodes_of(const std::vector<HostId>& hosts) const {
  std::string out;
  for (std::size_t i = 0; i < plan.programs.size(); ++i)
    for (HostId host : hosts)
      if (plan.programs[i].host == host) out += (out.empty() ? "" : ", ") + std::to_string(i + 1);
  return out.empty() ? "NULL" : out;
}

void Court::blame(Finding& out, std::int64_t time, std::optional<std::int64_t> node) {
  out.time_ns = time;
  Query own(db, "SELECT max(seq) FROM event WHERE node IS ? AND time_ns <= ?", node, time);
  if (own.next() && !own.is_null(0)) {
    out.event = own.integer(0);
    return;
  }
  Query any(db, "SELECT max(seq) FROM event WHERE time_ns <= ?", time);
  if (any.next() && !any.is_null(0)) out.event = any.integer(0);
}

Verdict by_mode(const std::string& mode, std::int64_t good, std::int64_t bad, bool enough) {
  if (mode == "never")
    return good > 0 ? Verdict::fail : enough ? Verdict::pass : Verdict::inconclusive;
  if (mode == "sometimes" || mode == "eventually")
    return good > 0 ? Verdict::pass : enough ? Verdict::fail : Verdict::inconclusive;
  return bad > 0 ? Verdict::fail : enough ? Verdict::pass : Verdict::inconclusive;
}

}  // namespace lab::judge
