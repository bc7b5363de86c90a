// SPDX-License-Identifier: Apache-2.0
// What went missing: in silence, which the wire shows, or with a reason.
#include <cstdio>

#include "harness/judge/court.h"

namespace lab::judge {
namespace {

struct Leak {
  const char* what;  // of the detail
  const char* expected;
  const char* observed;  // with %s for the node's name
  std::string sql;       // id, time, node, packet or NULL
};

}  // namespace

void conservation(Court& court, const Expectation& e, Finding& out) {
  // Views over everything, and each is asked several times.
  if (auto made = court.db.run(
          "CREATE TEMP TABLE IF NOT EXISTS j_sending AS SELECT id, node, sent_ns, made, handled "
          "FROM sending;"
          "CREATE TEMP TABLE IF NOT EXISTS j_link AS SELECT sending, receipt, received_ns, "
          "to_node "
          "FROM link;");
      !made)
    throw QueryFailed{made.error().text};
  const std::int64_t hops = Query::value(court.db, "SELECT count(*) FROM temp.j_hop");
  const Leak leaks[] = {
      {"packets on the wire that their sender did not report",
       "every packet on the wire in its sender's record", "%s sent a packet that it did not report",
       "SELECT s.id AS id, s.sent_ns AS t, s.node AS node, NULL AS packet FROM temp.j_sending s "
       "WHERE "
       "s.made IS NULL AND s.handled IS NULL AND s.node IS NOT NULL"},
      {"packets reported as sent that never were on the wire",
       "every packet reported as sent on the wire", "%s reported a packet that it did not send",
       "SELECT id AS id, sent_ns AS t, node AS node, NULL AS packet FROM handled WHERE sent_ns "
       "IS NOT NULL AND id NOT IN (SELECT handled FROM temp.j_sending "
       "WHERE handled IS NOT NULL) UNION ALL SELECT id, sent_ns, node, id FROM made WHERE "
       "sent_ns IS NOT NULL AND id NOT "
       "IN (SELECT made FROM temp.j_sending WHERE made IS NOT NULL)"},
      {"packets received without a sender", "every receipt with a packet on the wire",
       "%s reported a packet that never reached it",
       "SELECT receipt AS id, received_ns AS t, to_node AS node, NULL AS packet FROM temp.j_link "
       "WHERE "
       "sending IS NULL"},
      {"packets delivered and then lost in silence",
       "every delivered packet forwarded, stored or dropped with a reason",
       "%s took a packet and never said what became of it",
       "SELECT w.id AS id, w.delivered_ns AS t, w.to_node AS node, (SELECT packet FROM "
       "temp.j_hop h WHERE h.digest = w.digest AND "
       "h.to_node = w.to_node LIMIT 1) AS packet FROM wire_packet w JOIN temp.j_link l ON "
       "l.sending = "
       "w.id WHERE l.receipt IS NULL AND "
       "w.fate IS NULL AND w.delivered_ns IS NOT NULL"},
  };
  std::int64_t bad = 0;
  for (const Leak& leak : leaks) {
    const std::int64_t n = Query::value(court.db, "SELECT count(*) FROM (" + leak.sql + ")");
    if (n == 0) continue;
    bad += n;
    out.detail += (out.detail.empty() ? "" : "; ") + std::to_string(n) + " " + leak.what;
    Query first(court.db, "SELECT q.*, node.name FROM (" + leak.sql +
                              ") q LEFT JOIN node ON node.id = q.node ORDER BY 2, 1 LIMIT 1");
    if (!first.next() || (out.time_ns && *out.time_ns <= first.integer(1))) continue;
    char text[200];
    std::snprintf(text, sizeof text, leak.observed, first.text_or(4, "nobody").c_str());
    out.expected = leak.expected;
    out.observed = text;
    out.packet = first.integer_or_null(3);
    court.blame(out, first.integer(1), first.integer_or_null(2));
  }
  if (bad == 0)
    out.detail = std::to_string(hops) + " hops, all joined on both ends, none lost in silence";
  out.verdict = by_mode(e.mode, hops - bad, bad, hops >= kLeastHops);
}

void no_drop(Court& court, const Expectation& e, Finding& out) {
  std::string allowed = "'shutting_down'";
  for (const std::string& reason : e.except)
    allowed += ", '" + reason + "'";
  const std::string those = " FROM temp.j_hop h WHERE verdict = 'drop' AND reason NOT IN (" +
                            allowed +
                            ") AND coalesce(sent_ns, received_ns) BETWEEN ? AND ? AND NOT EXISTS "
                            "(SELECT 1 FROM wire_packet w WHERE "
                            "w.digest = h.digest AND w.fate = h.reason AND w.ended_ns >= " +
                            std::to_string(court.plan.duration.count()) + ")";
  const std::int64_t from = ns(e.window.begin), to = court.end_of(e.window);
  Query count(court.db, "SELECT count(*)" + those, from, to);
  count.next();
  const std::int64_t bad = count.integer(0),
                     hops = Query::value(court.db, "SELECT count(*) FROM temp.j_hop");
  out.detail = std::to_string(bad) + " drops that are not allowed";
  out.verdict = by_mode(e.mode, bad == 0 ? 1 : 0, bad, hops >= kLeastPackets);
  if (bad == 0) return;
  Query reasons(court.db,
                "SELECT group_concat(r, ', ') FROM (SELECT reason || ' ' || count(*) AS r" + those +
                    " GROUP BY reason)",
                from, to);
  if (reasons.next()) out.detail += ": " + reasons.text(0);
  Query first(court.db,
              "SELECT packet, reason, coalesce(received_ns, sent_ns), to_node, (SELECT name FROM "
              "node WHERE id = to_node)" +
                  those + " ORDER BY 3, packet LIMIT 1",
              from, to);
  if (!first.next()) return;
  out.packet = first.integer(0);
  out.expected = "no drop";
  out.observed = first.text_or(4, "nobody") + " dropped a packet: " + first.text(1);
  court.blame(out, first.integer(2), first.integer_or_null(3));
}

}  // namespace lab::judge
