// SPDX-License-Identifier: Apache-2.0
// What programs do: how long a mix holds a packet, how a program exits.
#include "harness/judge/court.h"
#include "harness/model/time_text.h"

namespace lab::judge {

/// No mix sends before the delay that the header asked for is over, nor later than `within`
/// after.
void delay_law(Court& court, const Expectation& e, Finding& out) {
  const std::int64_t from = ns(e.window.begin), to = court.end_of(e.window);
  const std::string late = "(sent_ns - received_ns - delay_ns)";
  const std::string those =
      " FROM handled WHERE verdict = 'forward' AND received_ns BETWEEN ? AND ?";
  std::string wrong = "(" + late + " < 0";
  if (e.within > Duration{}) wrong += " OR " + late + " > " + std::to_string(e.within.count());
  wrong += ")";
  Query count(court.db, "SELECT count(*), coalesce(sum(" + wrong + "), 0)" + those, from, to);
  count.next();
  const std::int64_t all = count.integer(0), bad = count.integer(1);
  out.detail = std::to_string(all) + " packets held, " + std::to_string(bad) +
               " not for as long as they asked";
  out.verdict = by_mode(e.mode, all - bad, bad, all >= kLeastPackets);
  Query first(court.db,
              "SELECT received_ns, node, (SELECT name FROM node WHERE id = handled.node), "
              "delay_ns, sent_ns - received_ns, (SELECT packet FROM temp.j_hop h WHERE h.digest "
              "= handled.digest_in AND h.to_node = handled.node LIMIT 1)" +
                  those + " AND " + wrong + " ORDER BY received_ns, id LIMIT 1",
              from, to);
  if (bad == 0 || !first.next()) return;
  out.packet = first.integer_or_null(5);
  out.expected = "held for " + exact_text(Duration(first.integer(3)));
  out.observed = first.text_or(2, "nobody") + " held a packet for " +
                 exact_text(Duration(first.integer(4))) + ", asked for " +
                 exact_text(Duration(first.integer(3)));
  court.blame(out, first.integer(0), first.integer_or_null(1));
}

void exit_status(Court& court, const Expectation& e, Finding& out) {
  std::int64_t ended = 0, good = 0;
  for (NodeId program : e.programs) {
    const std::int64_t node = static_cast<std::int64_t>(index(program)) + 1;
    Query last(court.db,
               "SELECT json_extract(detail, '$.wait_status'), time_ns, seq, name FROM event JOIN "
               "node ON node.id = event.node "
               "WHERE kind = 'exit' AND event.node = ? ORDER BY seq DESC LIMIT 1",
               node);
    if (!last.next()) continue;
    ++ended;
    const std::int64_t status = last.integer(0);
    if ((status & 0x7f) == 0 && status >> 8 == e.code) {
      ++good;
    } else if (!out.time_ns) {
      out.time_ns = last.integer(1);
      out.event = last.integer(2);
      out.expected = last.text(3) + " exits with " + std::to_string(e.code);
      out.observed = (status & 0x7f) != 0
                         ? "it was killed by signal " + std::to_string(status & 0x7f)
                         : "it exited with " + std::to_string(status >> 8);
    }
  }
  out.detail = std::to_string(good) + " of " + std::to_string(ended) + " programs ended with " +
               std::to_string(e.code);
  out.verdict = by_mode(e.mode, good, ended - good, ended > 0);
}

}  // namespace lab::judge
