// SPDX-License-Identifier: Apache-2.0
#include "harness/judge/judge.h"

#include <cstdio>

#include "harness/judge/query.h"

namespace lab::judge {
namespace {

using scenario::Expectation;
using scenario::Plan;

std::int64_t end_of(const scenario::Window& window, const Plan& plan) {
  return window.end == kNever ? plan.duration.count() : ns(window.end);
}

/// "99/100 (99.0 %)"
std::string share(std::int64_t part, std::int64_t whole) {
  char percent[32];
  std::snprintf(percent, sizeof percent, "%.2f %%",
                whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole));
  return std::to_string(part) + "/" + std::to_string(whole) + " (" + percent + ")";
}

std::string layer_text(const Query& q, int column) {
  return q.is_null(column) ? "an unknown sender" : "layer " + std::to_string(q.integer(column));
}

/// A promise about single hops, packets: how many kept it and how many broke it.
Verdict by_mode(const std::string& mode, std::int64_t good, std::int64_t bad, bool enough) {
  if (mode == "never")
    return good > 0 ? Verdict::fail : enough ? Verdict::pass : Verdict::inconclusive;
  if (mode == "sometimes" || mode == "eventually")
    return good > 0 ? Verdict::pass : enough ? Verdict::fail : Verdict::inconclusive;
  return bad > 0 ? Verdict::fail : enough ? Verdict::pass : Verdict::inconclusive;
}

class Judge {
 public:
  Judge(mix::sqlite::Database& db, const Plan& plan) : x_db(db), x_plan(plan) {}

  Finding judge(const Expectation& e) {
    Finding out;
    out.that = e.that;
    out.mode = e.mode;
    if (e.that == "layer-order") layer_order(e, out);
    if (e.that == "loop-returns") loop_returns(e, out);
    if (e.that == "real-delivered") real_delivered(e, out);
    if (e.that == "conservation") conservation(e, out);
    if (e.that == "no-drop") no_drop(e, out);
    if (e.that == "constant-size") constant_size(e, out);
    if (e.that == "delay-law") delay_law(e, out);
    if (e.that == "exit") exit_status(e, out);
    return out;
  }

 private:
  void layer_order(const Expectation& e, Finding& out) {
    const std::int64_t from = ns(e.window.begin), to = end_of(e.window, x_plan);
    const std::string in_window = " WHERE coalesce(sent_ns, received_ns) BETWEEN ? AND ?";
    const std::string unjudged = "(from_layer IS NULL AND (to_layer IS NULL OR to_layer = 1))";
    Query count(x_db,
                "SELECT sum(NOT " + unjudged + "), sum(NOT " + unjudged +
                    " AND to_layer IS NOT from_layer + 1), sum(" + unjudged + ") FROM temp.j_hop" +
                    in_window,
                from, to);
    count.next();
    const std::int64_t judged = count.integer(0), bad = count.integer(1), open = count.integer(2);
    out.detail = std::to_string(judged) + " hops, " + std::to_string(bad) + " out of order";
    if (open > 0) out.detail += ", " + std::to_string(open) + " unjudged (sender unknown)";
    out.verdict = by_mode(e.mode, judged - bad, bad, judged >= kLeastHops);
    if (bad == 0) return;
    Query first(
        x_db,
        "SELECT packet, from_layer, to_layer, a.name, b.name, coalesce(sent_ns, received_ns) AS t, "
        "coalesce(from_node, to_node) FROM temp.j_hop LEFT JOIN node a ON a.id = from_node LEFT "
        "JOIN "
        "node b ON b.id = to_node" +
            in_window + " AND NOT " + unjudged +
            " AND to_layer IS NOT from_layer + 1 ORDER BY t, packet, hop LIMIT 1",
        from, to);
    if (!first.next()) return;
    out.packet = first.integer(0);
    out.expected = first.is_null(1)
                       ? "a known sender of layer " + std::to_string(first.integer(2) - 1)
                       : "a hop from layer " + std::to_string(first.integer(1)) + " to layer " +
                             std::to_string(first.integer(1) + 1);
    out.observed = "a hop from " + layer_text(first, 1) + " (" + first.text_or(3, "nobody") +
                   ") to " + layer_text(first, 2) + " (" + first.text_or(4, "nobody") + ")";
    blame(out, first.integer(5), first.integer_or_null(6));
  }

  /// Whether the ratio holds; sets verdict and detail.
  static bool judge_share(const Expectation& e, Finding& out, std::int64_t good, std::int64_t all,
                          const std::string& what) {
    out.detail = share(good, all) + " " + what + " within " + mix::to_text(e.within) + ", " +
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
  void share_of(const Expectation& e, Finding& out, const std::string& classes,
                const std::string& home, const std::string& what) {
    const std::int64_t from = ns(e.window.begin);
    const std::int64_t to =
        std::min(end_of(e.window, x_plan), (x_plan.duration - e.within).count());
    const std::string those = " FROM temp.j_packet WHERE class IN (" + classes +
                              ") AND created_ns >= ? AND created_ns <= ?";
    const std::string in_time =
        home + " IS NOT NULL AND " + home + " - created_ns <= " + std::to_string(e.within.count());
    Query count(x_db, "SELECT count(*), sum(" + in_time + ")" + those, from, to);
    count.next();
    const std::int64_t all = count.integer(0), good = count.integer(1);
    const bool holds = judge_share(e, out, good, all, what);
    if (holds || all == 0) return;
    Query first(x_db,
                "SELECT id, created_ns, origin, " + home + " - created_ns, outcome, reason" +
                    those + " AND NOT (" + in_time + ") ORDER BY created_ns, id LIMIT 1",
                from, to);
    if (!first.next()) return;
    out.packet = first.integer(0);
    out.expected = "packet " + std::to_string(first.integer(0)) + " " + what + " within " +
                   mix::to_text(e.within);
    out.observed = first.is_null(3) ? "it is " + first.text(4) +
                                          (first.is_null(5) ? "" : " (" + first.text(5) + ")")
                                    : "it took " + mix::to_text(Duration(first.integer(3)));
    blame(out, first.integer(1), first.integer_or_null(2));
  }

  void loop_returns(const Expectation& e, Finding& out) {
    share_of(e, out, e.packet_class == "any" ? "'loop', 'cover'" : "'loop'", "returned_ns",
             "came home");
  }

  /// Where the lab's speakers were at work, a message counts from "sent" to "got" in their own
  /// words; otherwise from its packet's making to its mailbox.
  void real_delivered(const Expectation& e, Finding& out) {
    if (Query::value(
            x_db, "SELECT count(*) FROM log WHERE stream = 'stdout' AND line LIKE 'sent %>%#%'") >
        0)
      heard(e, out);
    else
      share_of(e, out, "'real'", "stored_ns", "reached the mailbox");
    if (!e.exactly_once) return;
    Query twice(x_db,
                "SELECT packet, count(*), min(received_ns), max(to_node) FROM temp.j_hop WHERE "
                "verdict = 'store' AND packet "
                "IN (SELECT id FROM temp.j_packet WHERE class = 'real') GROUP BY packet HAVING "
                "count(*) > 1 ORDER BY 3 LIMIT 1");
    if (twice.next()) {
      out.packet = twice.integer(0);
      out.expected = "packet " + std::to_string(twice.integer(0)) + " stored once";
      out.observed = "it was stored " + std::to_string(twice.integer(1)) + " times";
      out.verdict = Verdict::fail;
      return blame(out, twice.integer(2), twice.integer_or_null(3));
    }
    heard_twice(out);
  }

  void heard(const Expectation& e, Finding& out) {
    const std::int64_t from = ns(e.window.begin);
    const std::int64_t to =
        std::min(end_of(e.window, x_plan), (x_plan.duration - e.within).count());
    const std::string those =
        " FROM (SELECT substr(line, 6) AS tag, min(time_ns) AS t, node FROM log WHERE stream = "
        "'stdout' AND line LIKE "
        "'sent %>%#%' GROUP BY 1) s LEFT JOIN (SELECT substr(line, 5) AS tag, min(time_ns) AS t "
        "FROM log WHERE stream = "
        "'stdout' AND line LIKE 'got %>%#%' GROUP BY 1) g ON g.tag = s.tag WHERE s.t BETWEEN ? AND "
        "?";
    const std::string in_time =
        "(g.t IS NOT NULL AND g.t - s.t <= " + std::to_string(e.within.count()) + ")";
    Query count(x_db, "SELECT count(*), sum(" + in_time + ")" + those, from, to);
    count.next();
    const std::int64_t all = count.integer(0), good = count.integer(1);
    judge_share(e, out, good, all, "messages were read");
    if (good == all) return;
    Query first(x_db,
                "SELECT s.tag, s.t, s.node, g.t - s.t" + those + " AND NOT " + in_time +
                    " ORDER BY s.t LIMIT 1",
                from, to);
    if (out.verdict == Verdict::pass || !first.next()) return;
    out.expected = "message " + first.text(0) + " read within " + mix::to_text(e.within);
    out.observed =
        first.is_null(3) ? "nobody read it" : "it took " + mix::to_text(Duration(first.integer(3)));
    blame(out, first.integer(1), first.integer_or_null(2));
  }

  /// What the users' own programs print: "got client-0>client-1#3".
  void heard_twice(Finding& out) {
    Query heard(x_db,
                "SELECT line, count(*), max(time_ns), max(node) FROM log WHERE stream = 'stdout' "
                "AND line LIKE 'got %>%#%' "
                "GROUP BY line HAVING count(*) > 1 ORDER BY 3 LIMIT 1");
    if (!heard.next()) return;
    out.verdict = Verdict::fail;
    out.expected = "each message heard once";
    out.observed =
        "'" + heard.text(0) + "' was printed " + std::to_string(heard.integer(1)) + " times";
    blame(out, heard.integer(2), heard.integer_or_null(3));
  }

  struct Leak {
    const char* what;  // of the detail
    const char* expected;
    const char* observed;  // with %s for the node's name
    std::string sql;       // id, time, node, packet or NULL
  };

  void conservation(const Expectation& e, Finding& out) {
    // Views over everything, and each is asked several times.
    if (auto made = x_db.run(
            "CREATE TEMP TABLE IF NOT EXISTS j_sending AS SELECT id, node, sent_ns, made, handled "
            "FROM sending;"
            "CREATE TEMP TABLE IF NOT EXISTS j_link AS SELECT sending, receipt, received_ns, "
            "to_node "
            "FROM link;");
        !made)
      throw QueryFailed{made.error().text};
    const std::int64_t hops = Query::value(x_db, "SELECT count(*) FROM temp.j_hop");
    const Leak leaks[] = {
        {"packets on the wire that their sender did not report",
         "every packet on the wire in its sender's record",
         "%s sent a packet that it did not report",
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
      const std::int64_t n = Query::value(x_db, "SELECT count(*) FROM (" + leak.sql + ")");
      if (n == 0) continue;
      bad += n;
      out.detail += (out.detail.empty() ? "" : "; ") + std::to_string(n) + " " + leak.what;
      Query first(x_db, "SELECT q.*, node.name FROM (" + leak.sql +
                            ") q LEFT JOIN node ON node.id = q.node ORDER BY 2, 1 LIMIT 1");
      if (!first.next() || (out.time_ns && *out.time_ns <= first.integer(1))) continue;
      char text[200];
      std::snprintf(text, sizeof text, leak.observed, first.text_or(4, "nobody").c_str());
      out.expected = leak.expected;
      out.observed = text;
      out.packet = first.integer_or_null(3);
      blame(out, first.integer(1), first.integer_or_null(2));
    }
    if (bad == 0)
      out.detail = std::to_string(hops) + " hops, all joined on both ends, none lost in silence";
    out.verdict = by_mode(e.mode, hops - bad, bad, hops >= kLeastHops);
  }

  void no_drop(const Expectation& e, Finding& out) {
    std::string allowed = "'shutting_down'";
    for (const std::string& reason : e.except)
      allowed += ", '" + reason + "'";
    const std::string those = " FROM temp.j_hop h WHERE verdict = 'drop' AND reason NOT IN (" +
                              allowed +
                              ") AND coalesce(sent_ns, received_ns) BETWEEN ? AND ? AND NOT EXISTS "
                              "(SELECT 1 FROM wire_packet w WHERE "
                              "w.digest = h.digest AND w.fate = h.reason AND w.ended_ns >= " +
                              std::to_string(x_plan.duration.count()) + ")";
    const std::int64_t from = ns(e.window.begin), to = end_of(e.window, x_plan);
    Query count(x_db, "SELECT count(*)" + those, from, to);
    count.next();
    const std::int64_t bad = count.integer(0),
                       hops = Query::value(x_db, "SELECT count(*) FROM temp.j_hop");
    out.detail = std::to_string(bad) + " drops that are not allowed";
    out.verdict = by_mode(e.mode, bad == 0 ? 1 : 0, bad, hops >= kLeastPackets);
    if (bad == 0) return;
    Query reasons(x_db,
                  "SELECT group_concat(r, ', ') FROM (SELECT reason || ' ' || count(*) AS r" +
                      those + " GROUP BY reason)",
                  from, to);
    if (reasons.next()) out.detail += ": " + reasons.text(0);
    Query first(x_db,
                "SELECT packet, reason, coalesce(received_ns, sent_ns), to_node, (SELECT name FROM "
                "node WHERE id = to_node)" +
                    those + " ORDER BY 3, packet LIMIT 1",
                from, to);
    if (!first.next()) return;
    out.packet = first.integer(0);
    out.expected = "no drop";
    out.observed = first.text_or(4, "nobody") + " dropped a packet: " + first.text(1);
    blame(out, first.integer(2), first.integer_or_null(3));
  }

  /// Every connection on these wires that carries packets carries whole packets and nothing else.
  void constant_size(const Expectation& e, Finding& out) {
    const std::string wires = "c.from_node IN (" + nodes_of(e.hosts) + ") AND c.to_node IN (" +
                              nodes_of(e.to_hosts) + ")";
    const std::string sums =
        "SELECT c.connection AS id, min(c.sent_ns) AS t, c.from_node AS node, sum(c.size) AS size, "
        "(SELECT count(*) FROM "
        "wire_packet w WHERE w.connection = c.connection AND w.delivered_ns IS NOT NULL) AS "
        "packets FROM segment c WHERE " +
        wires +
        " AND c.fate = 'delivered' AND c.connection IN (SELECT connection FROM wire_packet) GROUP "
        "BY c.connection";
    const std::int64_t packets =
        Query::value(x_db, "SELECT coalesce(sum(packets), 0) FROM (" + sums + ")");
    const std::string odd = "SELECT * FROM (" + sums + ") WHERE size % 1372 <> 0";
    const std::int64_t bad = Query::value(x_db, "SELECT count(*) FROM (" + odd + ")");
    out.detail = std::to_string(packets) + " packets on " + e.on + ", " + std::to_string(bad) +
                 " connections with anything but whole ones";
    out.verdict = by_mode(e.mode, packets, bad, packets >= kLeastPackets);
    Query first(x_db, odd + " ORDER BY t LIMIT 1");
    if (bad == 0 || !first.next()) return;
    out.expected = "a multiple of 1372 bytes on connection " + std::to_string(first.integer(0));
    out.observed = std::to_string(first.integer(3)) + " bytes with " +
                   std::to_string(first.integer(4)) + " packets";
    blame(out, first.integer(1), first.integer_or_null(2));
  }

  /// No mix sends before the delay that the header asked for is over, nor later than `within`
  /// after.
  void delay_law(const Expectation& e, Finding& out) {
    const std::int64_t from = ns(e.window.begin), to = end_of(e.window, x_plan);
    const std::string late = "(sent_ns - received_ns - delay_ns)";
    const std::string those =
        " FROM handled WHERE verdict = 'forward' AND received_ns BETWEEN ? AND ?";
    std::string wrong = "(" + late + " < 0";
    if (e.within > Duration{}) wrong += " OR " + late + " > " + std::to_string(e.within.count());
    wrong += ")";
    Query count(x_db, "SELECT count(*), coalesce(sum(" + wrong + "), 0)" + those, from, to);
    count.next();
    const std::int64_t all = count.integer(0), bad = count.integer(1);
    out.detail = std::to_string(all) + " packets held, " + std::to_string(bad) +
                 " not for as long as they asked";
    out.verdict = by_mode(e.mode, all - bad, bad, all >= kLeastPackets);
    Query first(x_db,
                "SELECT received_ns, node, (SELECT name FROM node WHERE id = handled.node), "
                "delay_ns, sent_ns - received_ns, (SELECT packet FROM temp.j_hop h WHERE h.digest "
                "= handled.digest_in AND h.to_node = handled.node LIMIT 1)" +
                    those + " AND " + wrong + " ORDER BY received_ns, id LIMIT 1",
                from, to);
    if (bad == 0 || !first.next()) return;
    out.packet = first.integer_or_null(5);
    out.expected = "held for " + mix::to_text(Duration(first.integer(3)));
    out.observed = first.text_or(2, "nobody") + " held a packet for " +
                   mix::to_text(Duration(first.integer(4))) + ", asked for " +
                   mix::to_text(Duration(first.integer(3)));
    blame(out, first.integer(0), first.integer_or_null(1));
  }

  void exit_status(const Expectation& e, Finding& out) {
    std::int64_t ended = 0, good = 0;
    for (NodeId program : e.programs) {
      const std::int64_t node = static_cast<std::int64_t>(index(program)) + 1;
      Query last(x_db,
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

  std::string nodes_of(const std::vector<HostId>& hosts) const {
    std::string out;
    for (std::size_t i = 0; i < x_plan.programs.size(); ++i)
      for (HostId host : hosts)
        if (x_plan.programs[i].host == host)
          out += (out.empty() ? "" : ", ") + std::to_string(i + 1);
    return out.empty() ? "NULL" : out;
  }

  /// The place in the chain of what `node` did at that time.
  void blame(Finding& out, std::int64_t time, std::optional<std::int64_t> node) {
    out.time_ns = time;
    Query own(x_db, "SELECT max(seq) FROM event WHERE node IS ? AND time_ns <= ?", node, time);
    if (own.next() && !own.is_null(0)) {
      out.event = own.integer(0);
      return;
    }
    Query any(x_db, "SELECT max(seq) FROM event WHERE time_ns <= ?", time);
    if (any.next() && !any.is_null(0)) out.event = any.integer(0);
  }

  mix::sqlite::Database& x_db;
  const Plan& x_plan;
};

}  // namespace

const char* to_text(Verdict verdict) {
  return verdict == Verdict::pass ? "pass" : verdict == Verdict::fail ? "fail" : "inconclusive";
}

Verdict overall(const std::vector<Finding>& findings) {
  Verdict out = Verdict::pass;
  for (const Finding& finding : findings) {
    if (finding.verdict == Verdict::fail) return Verdict::fail;
    if (finding.verdict == Verdict::inconclusive) out = Verdict::inconclusive;
  }
  return out;
}

std::expected<std::vector<Finding>, std::string> judge(mix::sqlite::Database& db,
                                                       const Plan& plan) {
  try {
    if (auto views = materialize(db); !views) return std::unexpected(views.error().text);
    std::vector<Finding> out;
    Judge court(db, plan);
    for (const Expectation& e : plan.expectations)
      out.push_back(court.judge(e));
    return out;
  } catch (const QueryFailed& failed) {
    return std::unexpected(failed.text);
  }
}

std::vector<recorder::VerdictRow> rows(const std::vector<Finding>& findings) {
  std::vector<recorder::VerdictRow> out;
  for (const Finding& f : findings)
    out.push_back({f.that, f.mode, to_text(f.verdict), f.event, f.detail});
  return out;
}

}  // namespace lab::judge
