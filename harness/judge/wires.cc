// SPDX-License-Identifier: Apache-2.0
// What goes over the wires: from which layer to which, and nothing but whole packets.
#include "harness/judge/court.h"

namespace lab::judge {
namespace {

std::string layer_text(const Query& q, int column) {
  return q.is_null(column) ? "an unknown sender" : "layer " + std::to_string(q.integer(column));
}

}  // namespace

void layer_order(Court& court, const Expectation& e, Finding& out) {
  const std::int64_t from = ns(e.window.begin), to = court.end_of(e.window);
  const std::string in_window = " WHERE coalesce(sent_ns, received_ns) BETWEEN ? AND ?";
  const std::string unjudged = "(from_layer IS NULL AND (to_layer IS NULL OR to_layer = 1))";
  Query count(court.db,
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
      court.db,
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
  court.blame(out, first.integer(5), first.integer_or_null(6));
}

/// Every connection on these wires that carries packets carries whole packets and nothing else.
void constant_size(Court& court, const Expectation& e, Finding& out) {
  const std::string wires = "c.from_node IN (" + court.nodes_of(e.hosts) + ") AND c.to_node IN (" +
                            court.nodes_of(e.to_hosts) + ")";
  const std::string sums =
      "SELECT c.connection AS id, min(c.sent_ns) AS t, c.from_node AS node, sum(c.size) AS size, "
      "(SELECT count(*) FROM "
      "wire_packet w WHERE w.connection = c.connection AND w.delivered_ns IS NOT NULL) AS "
      "packets FROM segment c WHERE " +
      wires +
      " AND c.fate = 'delivered' AND c.connection IN (SELECT connection FROM wire_packet) GROUP "
      "BY c.connection";
  const std::int64_t packets =
      Query::value(court.db, "SELECT coalesce(sum(packets), 0) FROM (" + sums + ")");
  const std::string odd = "SELECT * FROM (" + sums + ") WHERE size % 1372 <> 0";
  const std::int64_t bad = Query::value(court.db, "SELECT count(*) FROM (" + odd + ")");
  out.detail = std::to_string(packets) + " packets on " + e.on + ", " + std::to_string(bad) +
               " connections with anything but whole ones";
  out.verdict = by_mode(e.mode, packets, bad, packets >= kLeastPackets);
  Query first(court.db, odd + " ORDER BY t LIMIT 1");
  if (bad == 0 || !first.next()) return;
  out.expected = "a multiple of 1372 bytes on connection " + std::to_string(first.integer(0));
  out.observed = std::to_string(first.integer(3)) + " bytes with " +
                 std::to_string(first.integer(4)) + " packets";
  court.blame(out, first.integer(1), first.integer_or_null(2));
}

}  // namespace lab::judge
