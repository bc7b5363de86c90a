// SPDX-License-Identifier: Apache-2.0
// The views `hop` and `packet` against small histories written by hand.
#include <boost/test/unit_test.hpp>
#include <string>

#include "src/record/schema.h"

namespace mix::record {
namespace {

template <class T>
T good(sqlite::Result<T> result) {
  BOOST_REQUIRE_MESSAGE(result, (result ? "" : result.error().text));
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// Nodes: 1 client, 2..4 mixes of layers 1..3 at "m1".."m3", 5 the provider at "p", 6 a stranger.
struct History {
  History() : db(good(sqlite::Database::open(":memory:", sqlite::Database::Mode::read_write))) {
    good(db.run(std::string(kSchema)));
    good(
        db.run("INSERT INTO node (id, name, role, layer, address, public_key) VALUES "
               "(1, 'c', 'client', 0, '', 'C'), (2, 'm1', 'mix', 1, 'm1', ''), "
               "(3, 'm2', 'mix', 2, 'm2', ''), (4, 'm3', 'mix', 3, 'm3', ''), "
               "(5, 'p', 'provider', 4, 'p', ''), (6, 'x', 'other', NULL, 'x', '')"));
  }
  void made(int t, const std::string& digest, const std::string& to, int node = 1) {
    good(
        db.run("INSERT INTO made (node, created_ns, sent_ns, digest, class, recipient, "
               "first_address) VALUES (" +
               std::to_string(node) + ", " + std::to_string(t) + ", " + std::to_string(t) +
               ", CAST('" + digest + "' AS BLOB), 'loop', 'C', '" + to + "')"));
  }
  void forwarded(int node, int in, const std::string& a, int out, const std::string& b,
                 const std::string& to) {
    good(
        db.run("INSERT INTO handled (node, received_ns, digest_in, sent_ns, digest_out, "
               "next_address, delay_ns, verdict) VALUES (" +
               std::to_string(node) + ", " + std::to_string(in) + ", CAST('" + a + "' AS BLOB), " +
               std::to_string(out) + ", CAST('" + b + "' AS BLOB), '" + to + "', 7, 'forward')"));
  }
  void ended(int node, int in, const std::string& a, const std::string& reason = "") {
    good(db.run("INSERT INTO handled (node, received_ns, digest_in, verdict, reason) VALUES (" +
                std::to_string(node) + ", " + std::to_string(in) + ", CAST('" + a + "' AS BLOB), " +
                (reason.empty() ? "'store', NULL)" : "'drop', '" + reason + "')")));
  }
  void whole_way(int t = 10) {
    made(t, "a", "m1");
    forwarded(2, t + 1, "a", t + 8, "b", "m2");
    forwarded(3, t + 9, "b", t + 16, "c", "m3");
    forwarded(4, t + 17, "c", t + 24, "d", "p");
    ended(5, t + 25, "d");
  }
  /// All rows, columns joined by '|', rows by ' '.
  std::string ask(const std::string& sql) {
    auto query = good(db.prepare("SELECT group_concat(r, ' ') FROM (SELECT (" +
                                 sql.substr(0, sql.find(" FROM ")) + ") AS r" +
                                 sql.substr(sql.find(" FROM ")) + ")"));
    BOOST_REQUIRE(good(query.next()));
    return query.text(0);
  }
  std::string links() {
    return ask(
        "ifnull(from_layer, '-') || '>' || ifnull(to_layer, '-') FROM hop "
        "ORDER BY packet DESC, hop");
  }
  std::string packets() {
    return ask(
        "class || ':' || outcome || ':' || ifnull(reason, '-') FROM packet ORDER BY id DESC");
  }
  sqlite::Database db;
};

BOOST_AUTO_TEST_CASE(a_loop_goes_through_every_layer_and_home) {
  History h;
  h.whole_way();
  good(
      h.db.run("INSERT INTO fetched (node, time_ns, digest, class) "
               "VALUES (1, 90, CAST('a' AS BLOB), 'loop')"));
  BOOST_TEST(h.links() == "0>1 1>2 2>3 3>4");
  BOOST_TEST(h.ask("packet || '|' || hop || '|' || from_node || '|' || to_node || '|' || sent_ns "
                   "|| '|' || received_ns || '|' || ifnull(delay_ns, '-') || '|' || verdict "
                   "FROM hop ORDER BY hop") ==
             "1|0|1|2|10|11|7|forward 1|1|2|3|18|19|7|forward 1|2|3|4|26|27|7|forward "
             "1|3|4|5|34|35|-|store");
  BOOST_TEST(h.ask("id || '|' || class || '|' || origin || '|' || recipient || '|' || created_ns "
                   "|| '|' || stored_ns || '|' || returned_ns || '|' || outcome FROM packet") ==
             "1|loop|1|C|10|35|90|delivered");
}

BOOST_AUTO_TEST_CASE(a_sender_that_skips_a_layer_is_seen_by_what_it_sent) {
  History h;
  h.made(10, "a", "m2");
  h.ended(3, 11, "a", "mac");
  BOOST_TEST(h.links() == "0>2");
  BOOST_TEST(h.packets() == "loop:dropped:mac");
}

BOOST_AUTO_TEST_CASE(a_sender_that_does_not_record_is_nobody_and_no_layer) {
  History h;
  h.forwarded(3, 11, "a", 12, "b", "m3");
  h.ended(4, 13, "b", "next_hop_unknown");
  BOOST_TEST(h.links() == "->2 2>3");
  BOOST_TEST(h.ask("hop || '' FROM hop WHERE from_node IS NULL") == "0");
  BOOST_TEST(h.packets() == "injected:dropped:next_hop_unknown");
}

BOOST_AUTO_TEST_CASE(a_sender_that_belongs_to_no_layer_has_none) {
  History h;
  h.made(10, "a", "m2", 6);
  h.ended(3, 11, "a", "replay");
  BOOST_TEST(h.links() == "->2");
  BOOST_TEST(h.ask("from_node FROM hop") == "6");
}

BOOST_AUTO_TEST_CASE(what_never_came_is_in_flight_towards_its_address) {
  History h;
  h.made(10, "a", "m1");
  h.forwarded(2, 11, "a", 18, "b", "m2");
  BOOST_TEST(h.links() == "0>1 1>2");
  BOOST_TEST(h.ask("to_node || '|' || ifnull(received_ns, '-') || '|' || ifnull(verdict, '-') "
                   "FROM hop WHERE hop = 1") == "3|-|-");
  BOOST_TEST(h.packets() == "loop:in_flight:-");
}

BOOST_AUTO_TEST_CASE(a_resent_packet_is_matched_in_order_of_time_and_multiplies_nothing) {
  History h;
  h.whole_way();
  h.made(50, "a", "m1", 6);  // resent by somebody who records
  h.ended(2, 51, "a", "replay");
  h.ended(2, 61, "a", "replay");  // and by somebody who does not
  BOOST_TEST(h.ask("count(*) FROM hop") == "6");
  BOOST_TEST(h.ask("ifnull(from_node, '-') || '|' || ifnull(sent_ns, '-') || '|' || received_ns "
                   "|| '|' || verdict FROM hop WHERE to_node = 2 ORDER BY received_ns") ==
             "1|10|11|forward 6|50|51|drop -|-|61|drop");
  BOOST_TEST(h.packets() == "loop:dropped:replay loop:delivered:- injected:dropped:replay");
}

BOOST_AUTO_TEST_CASE(the_order_of_writing_does_not_matter) {
  History h;  // programs commit their batches when they like
  h.ended(2, 51, "a", "replay");
  h.ended(5, 35, "d");
  h.forwarded(4, 27, "c", 34, "d", "p");
  h.made(50, "a", "m1", 6);
  h.forwarded(2, 11, "a", 18, "b", "m2");
  h.made(10, "a", "m1");
  h.forwarded(3, 19, "b", 26, "c", "m3");
  BOOST_TEST(h.links() == "0>1 1>2 2>3 3>4 ->1");
  BOOST_TEST(h.packets() == "loop:delivered:- loop:dropped:replay");
}

BOOST_AUTO_TEST_CASE(a_mix_that_forwards_what_it_was_given_unchanged_ends_every_query) {
  History h;
  h.forwarded(2, 11, "a", 18, "a", "m2");
  h.ended(3, 19, "a", "mac");
  BOOST_TEST(h.ask("count(*) FROM hop") == "3");  // each sending and each receipt, once
  History lost;                                   // and when nobody got it
  lost.forwarded(2, 11, "a", 18, "a", "m2");
  BOOST_TEST(lost.links() == "->1 1>2");
}

BOOST_AUTO_TEST_CASE(a_packet_that_could_not_be_sent_is_dropped_with_its_reason) {
  History h;
  good(
      h.db.run("INSERT INTO made (node, created_ns, digest, class, recipient, first_address, "
               "reason) VALUES (1, 5, x'00', 'real', 'D', 'm1', 'peer_unreachable')"));
  BOOST_TEST(h.ask("count(*) FROM hop") == "0");
  BOOST_TEST(h.packets() == "real:dropped:peer_unreachable");
}

BOOST_AUTO_TEST_CASE(a_receipt_whose_sending_may_still_be_written_is_not_shown_yet) {
  // The run began 10 s ago; one packet came 5 s ago, another just now (an hour ahead, so that the
  // test may take its time), and nobody says who sent them.
  History h;
  good(
      h.db.run("INSERT INTO run (id, clock, epoch, origin_ns, tool_version) VALUES "
               "(1, 'wall', strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-10 seconds'), 0, '')"));
  good(
      h.db.run("INSERT INTO handled (node, received_ns, digest_in, verdict, reason) VALUES "
               "(3, 3600000000000, x'0a', 'drop', 'mac'), (4, 5000000000, x'0b', 'drop', 'mac')"));
  BOOST_TEST(h.links() == "->3");
  good(h.db.run("UPDATE run SET verdict = 'finished'"));
  BOOST_TEST(h.links() == "->2 ->3");
  good(h.db.run("UPDATE run SET verdict = NULL, clock = 'virtual'"));
  BOOST_TEST(h.links() == "->2 ->3");
}

BOOST_AUTO_TEST_CASE(the_lab_puts_its_wire_under_the_same_views) {
  History h;
  h.whole_way();
  h.made(50, "e", "m1");
  // The wire says who sent, where to, and what became of it.
  good(h.db.run(
      "CREATE TABLE w (id INTEGER PRIMARY KEY, node INTEGER, digest BLOB, sent_ns INTEGER, "
      "to_node INTEGER, fate TEXT, made INTEGER, handled INTEGER);"
      "INSERT INTO w (node, digest, sent_ns, to_node, made, handled) SELECT node, digest, sent_ns, "
      "2, made, handled FROM sending;"
      "UPDATE w SET fate = 'segment_cut' WHERE digest = CAST('e' AS BLOB);"
      "DROP VIEW sending;"
      "CREATE VIEW sending AS SELECT id, node, digest, sent_ns, CAST(NULL AS TEXT) AS address, "
      "to_node, fate, made, handled FROM w"));
  BOOST_TEST(h.links() == "0>1 0>1 1>2 2>3 3>4");
  BOOST_TEST(h.packets() == "loop:dropped:segment_cut loop:delivered:-");
}

}  // namespace
}  // namespace mix::record
