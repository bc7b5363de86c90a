// SPDX-License-Identifier: Apache-2.0
// What has to arrive, by when, what share of it, and how often.
#include <algorithm>
#include <cstdio>

#include "harness/judge/court.h"
#include "harness/model/time_text.h"

namespace lab::judge {
namespace {

/// "99/100 (99.0 %)"
std::string share(std::int64_t part, std::int64_t whole) {
  char percent[32];
  std::snprintf(percent, sizeof percent, "%.2f %%",
                whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole));
  return std::to_string(part) + "/" + std::to_string(whole) + " (" + percent + ")";
}

/// Whether the ratio holds; sets verdict and detail.
bool judge_share(const Expectation& e, Finding& out, std::int64_t good, std::int64_t all,
                 const std::string& what) {
  out.detail = share(good, all) + " " + what + " within " + exact_text(e.within) + ", " +
               to_text(e.ratio) + " asked";
  const bool holds =
      at_least(static_cast<std::uint64_t>(good), static_cast<std::uint64_t>(all), e.ratio);
  if (all < kLeastPackets)
    out.verdict = Verdict::inconclusive;
  else if (e.mode == "sometimes" || e.mode == "eventually")
    out.verdict = good > 0 ? Verdict::pass : Verdict::fail;
  else
    out.verdict = holds != (e.mode == "never") ? Verdict::pass : Verdict::fail;
  return holds;
}

/// Share of packets of some classes that fulfil a condition on the view `packet`.
void share_of(Court& court, const Expectation& e, Finding& out, const std::string& classes,
              const std::string& home, const std::string& what) {
  const std::int64_t from = ns(e.window.begin);
  const std::int64_t to =
      std::min(court.end_of(e.window), (court.plan.duration - e.within).count());
  const std::string those = " FROM temp.j_packet WHERE class IN (" + classes +
                            ") AND created_ns >= ? AND created_ns <= ?";
  const std::string in_time =
      home + " IS NOT NULL AND " + home + " - created_ns <= " + std::to_string(e.within.count());
  Query count(court.db, "SELECT count(*), sum(" + in_time + ")" + those, from, to);
  count.next();
  const std::int64_t all = count.integer(0), good = count.integer(1);
  const bool holds = judge_share(e, out, good, all, what);
  if (holds || all == 0) return;
  Query first(court.db,
              "SELECT id, created_ns, origin, " + home + " - created_ns, outcome, reason" + those +
                  " AND NOT (" + in_time + ") ORDER BY created_ns, id LIMIT 1",
              from, to);
  if (!first.next()) return;
  out.packet = first.integer(0);
  out.expected =
      "packet " + std::to_string(first.integer(0)) + " " + what + " within " + exact_text(e.within);
  out.observed = first.is_null(3) ? "it is " + first.text(4) +
                                        (first.is_null(5) ? "" : " (" + first.text(5) + ")")
                                  : "it took " + exact_text(Duration(first.integer(3)));
  court.blame(out, first.integer(1), first.integer_or_null(2));
}

void heard(Court& court, const Expectation& e, Finding& out) {
  const std::int64_t from = ns(e.window.begin);
  const std::int64_t to =
      std::min(court.end_of(e.window), (court.plan.duration - e.within).count());
  const std::string those =
      " FROM (SELECT substr(line, 6) AS tag, min(time_ns) AS t, node FROM log WHERE stream = "
      "'stdout' AND line LIKE "
      "'sent %>%#%' GROUP BY 1) s LEFT JOIN (SELECT substr(line, 5) AS tag, min(time_ns) AS t "
      "FROM log WHERE stream = "
      "'stdout' AND line LIKE 'got %>%#%' GROUP BY 1) g ON g.tag = s.tag WHERE s.t BETWEEN ? AND "
      "?";
  const std::string in_time =
      "(g.t IS NOT NULL AND g.t - s.t <= " + std::to_string(e.within.count()) + ")";
  Query count(court.db, "SELECT count(*), sum(" + in_time + ")" + those, from, to);
  count.next();
  const std::int64_t all = count.integer(0), good = count.integer(1);
  judge_share(e, out, good, all, "messages were read");
  if (good == all) return;
  Query first(court.db,
              "SELECT s.tag, s.t, s.node, g.t - s.t" + those + " AND NOT " + in_time +
                  " ORDER BY s.t LIMIT 1",
              from, to);
  if (out.verdict == Verdict::pass || !first.next()) return;
  out.expected = "message " + first.text(0) + " read within " + exact_text(e.within);
  out.observed =
      first.is_null(3) ? "nobody read it" : "it took " + exact_text(Duration(first.integer(3)));
  court.blame(out, first.integer(1), first.integer_or_null(2));
}

/// What the users' own programs print: "got client-0>client-1#3".
void heard_twice(Court& court, Finding& out) {
  Query heard(court.db,
              "SELECT line, count(*), max(time_ns), max(node) FROM log WHERE stream = 'stdout' "
              "AND line LIKE 'got %>%#%' "
              "GROUP BY line HAVING count(*) > 1 ORDER BY 3 LIMIT 1");
  if (!heard.next()) return;
  out.verdict = Verdict::fail;
  out.expected = "each message heard once";
  out.observed =
      "'" + heard.text(0) + "' was printed " + std::to_string(heard.integer(1)) + " times";
  court.blame(out, heard.integer(2), heard.integer_or_null(3));
}

}  // namespace

void loop_returns(Court& court, const Expectation& e, Finding& out) {
  share_of(court, e, out, e.packet_class == "any" ? "'loop', 'cover'" : "'loop'", "returned_ns",
           "came home");
}

/// Where the lab's speakers were at work, a message counts from "sent" to "got" in their own
/// words; otherwise from its packet's making to its mailbox.
void real_delivered(Court& court, const Expectation& e, Finding& out) {
  if (Query::value(court.db,
                   "SELECT count(*) FROM log WHERE stream = 'stdout' AND line LIKE 'sent %>%#%'") >
      0)
    heard(court, e, out);
  else
    share_of(court, e, out, "'real'", "stored_ns", "reached the mailbox");
  if (!e.exactly_once) return;
  Query twice(court.db,
              "SELECT packet, count(*), min(received_ns), max(to_node) FROM temp.j_hop WHERE "
              "verdict = 'store' AND packet "
              "IN (SELECT id FROM temp.j_packet WHERE class = 'real') GROUP BY packet HAVING "
              "count(*) > 1 ORDER BY 3 LIMIT 1");
  if (twice.next()) {
    out.packet = twice.integer(0);
    out.expected = "packet " + std::to_string(twice.integer(0)) + " stored once";
    out.observed = "it was stored " + std::to_string(twice.integer(1)) + " times";
    out.verdict = Verdict::fail;
    return court.blame(out, twice.integer(2), twice.integer_or_null(3));
  }
  heard_twice(court, out);
}

}  // namespace lab::judge
