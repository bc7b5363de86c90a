// SPDX-License-Identifier: Apache-2.0
// What the compact tables hold must read as what happened: the views beside what was told.
#include "harness/recorder/recorder.h"

#include <boost/test/unit_test.hpp>

#include "harness/protocol/contract.h"
#include "harness/recorder/settle.h"
#include "harness/recorder/test_recording.h"

using namespace lab;
using namespace lab::recorder;
using namespace std::chrono_literals;
namespace rec = mix::record;

namespace {

constexpr const char* kScenario = R"toml(
[scenario]
name = "told"
duration = "30 s"
[record]
payload = "full"
checkpoint_every = 2
[[expect]]
that = "layer-order"
[mixnet]
)toml";

struct Told : TestRecording {
  Told() : TestRecording(kScenario) {
    now = at_ns(2'000'000);
    rec::NodeRow row;
    row.role = rec::Role::mix;
    row.layer = 1;
    row.address = "10.1.0.1:1789";
    record(mix0, row);
    parcel.kind = ParcelKind::data;
    parcel.connection = ConnectionId{7};
    parcel.to_server = true;
    parcel.bytes.assign(recorder::kPacketBytes, 0x5a);
  }

  void connect() {
    recorder->connection_opened(at_ns(1), {ConnectionId{7}, NodeId(client), NodeId(mix0),
                                           "10.9.0.1:4000", "10.1.0.1:1789"});
  }
  /// The next packet leaves, and a part of it arrives.
  void send(std::uint16_t port = 0) {
    parcel.sent = now;
    recorder->segment_sent(
        {&parcel, NodeId(client), NodeId(mix0), now, false, Fate::delivered, port});
    now += 20ms;
  }
  void deliver(std::size_t from, std::size_t size, Fate fate = Fate::delivered) {
    Parcel part = parcel;
    part.offset += from;
    part.bytes.assign(parcel.bytes.begin() + static_cast<std::ptrdiff_t>(from),
                      parcel.bytes.begin() + static_cast<std::ptrdiff_t>(from + size));
    recorder->segment_done({&part, NodeId(client), NodeId(mix0), now, false, fate});
  }
  void next() { parcel.offset += parcel.bytes.size(); }

  Parcel parcel;
};

std::string text(mix::sqlite::Database& db, const std::string& sql) {
  auto found = db.text(sql);
  BOOST_REQUIRE_MESSAGE(found.has_value(), (found ? "" : found.error().text));
  return *found;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_view_event_shows_what_was_hashed) {
  Told told;
  const lab_entry signal{LAB_IN_SIGNAL, 0, 0, 0, 15};
  const auto* const entry = reinterpret_cast<const std::uint8_t*>(&signal);
  const mix::Bytes inbox(entry, entry + sizeof(signal)), outbox{4};
  const CallCount calls[] = {{232, 3}, {9, 1}, {47, 70000}};  // 9, mmap, is no part of the chain
  told.recorder->activation({at_ns(5), NodeId(mix1), inbox, outbox, at_ns(900), 32, calls, {}, 0});
  told.recorder->activation({at_ns(6), NodeId(mix2), {}, {}, kNever, 0, {}, {}, 0});
  told.recorder->activation({at_ns(6), NodeId(mix2), {}, outbox, kStart, 0, calls, {}, 0});
  told.recorder->fault(at_ns(7), "crash", "mix[\"1\"]");
  auto db = told.file();

  Chain chain;
  EventBuilder event;
  const mix::Bytes listed{0, 232, 0, 0, 0, 3, 0, 47, 0, 1, 0x11, 0x70};
  std::vector<std::string> details;
  const auto add = [&](VirtualTime time, std::optional<Who> who,
                       const char* kind) -> EventBuilder& {
    return event.begin(time, who ? NodeId(*who + 1) : kNoNode, kind);
  };
  const auto done = [&] {
    const mix::BytesView canonical = chain.add(event);
    details.push_back(detail_json(*read_event(canonical)));
  };
  add(at_ns(5), mix1, "activation").bytes("inbox", digest_of(inbox));
  event.bytes("outbox", digest_of(outbox)).integer("deadline", 900).number("entropy", 32);
  event.bytes("calls", listed);
  done();
  add(at_ns(6), mix2, "activation").bytes("inbox", digest_of({})).bytes("outbox", digest_of({}));
  event.integer("deadline", -1).number("entropy", 0).bytes("calls", {});
  done();
  add(at_ns(6), mix2, "activation").bytes("inbox", digest_of({}));
  event.bytes("outbox", digest_of(outbox)).integer("deadline", 0).number("entropy", 0);
  event.bytes("calls", listed);
  done();
  add(at_ns(7), std::nullopt, "fault").text("verb", "crash").text("target", "mix[\"1\"]");
  done();

  BOOST_TEST(text(db, "SELECT chain FROM run") == chain.hex());
  for (std::size_t i = 0; i < details.size(); ++i)
    BOOST_TEST(text(db, "SELECT detail FROM event WHERE seq = " + std::to_string(i)) == details[i]);
  BOOST_TEST(text(db,
                  "SELECT group_concat(seq || ' ' || time_ns || ' ' || coalesce(node, '-') || ' ' "
                  "|| kind, ', ') FROM (SELECT * FROM event ORDER BY seq)") ==
             "0 5 3 activation, 1 6 4 activation, 2 6 4 activation, 3 7 - fault");
  BOOST_TEST(text(db, "SELECT group_concat(seq) FROM checkpoint") == "2,4");
}

BOOST_AUTO_TEST_CASE(every_segment_is_shown_however_it_is_kept) {
  Told told;
  told.send();
  told.deliver(0, 1372);  // before anybody said who listens
  told.next();
  told.connect();
  told.send();
  told.deliver(0, 1372);  // alone
  told.deliver(0, 1372, Fate::duplicated);
  told.next();
  told.send();
  told.deliver(0, 600);
  told.deliver(600, 772);
  told.next();
  told.send();
  told.deliver(0, 1372, Fate::lost);
  auto db = told.file();
  BOOST_TEST(text(db,
                  "SELECT group_concat(size || ' ' || fate, ', ') FROM (SELECT * FROM segment "
                  "ORDER BY id)") ==
             "1372 delivered, 1372 delivered, 1372 duplicated, 600 delivered, 772 delivered, 1372 "
             "lost");
  BOOST_TEST(
      text(db, "SELECT count(DISTINCT id) || ' ' || sum(payload = substr(x'" +
                   mix::to_hex(mix::Bytes(1372, 0x5a)) +
                   "', 1, size)) || ' ' || sum(from_node = 7 AND to_node = 2) FROM segment") ==
      "6 6 6");
  BOOST_TEST(text(db,
                  "SELECT count(*) || ' ' || sum(alone) || ' ' || sum(fate IS 'segment_cut') || "
                  "' ' || sum(hex(digest) = '" +
                      mix::to_hex(digest_of(mix::Bytes(1372, 0x5a))) +
                      "' COLLATE NOCASE) FROM wire_packet") == "4 1 1 4");
  BOOST_TEST(text(db, "SELECT count(*) FROM wire_packet JOIN other_segment USING (id)") == "0");
  BOOST_TEST(text(db, "PRAGMA page_size") == "65536");
}

BOOST_AUTO_TEST_CASE(a_packet_still_on_its_way_at_the_end_has_a_segment_that_came) {
  Told told;
  told.connect();
  told.send();
  told.deliver(0, 1372);
  told.recorder->stopped(told.now, NodeId(mix0));
  auto db = told.file();
  const std::string before = text(db, "SELECT delivered_ns FROM segment");
  BOOST_TEST(text(db, "SELECT count(delivered_ns) FROM wire_packet") == "1");
  BOOST_REQUIRE(recorder::settle(db, told.recorder->endings(), ns(told.now)).has_value());
  BOOST_TEST(text(db, "SELECT count(delivered_ns) FROM wire_packet") == "0");
  BOOST_TEST(text(db,
                  "SELECT count(*) || ' ' || max(delivered_ns) || ' ' || max(size) || ' ' || "
                  "max(length(payload)) FROM segment") == "1 " + before + " 1372 1372");
}

BOOST_AUTO_TEST_CASE(what_a_listener_never_heard_of_was_on_the_wire) {
  const auto told_of = [](std::uint16_t port) {
    Told told;  // no connect(): the listener ends before it hears of the connection
    told.send(port);
    told.recorder->node_exited(told.now, NodeId(mix0), 9);
    told.next();
    told.send(port);  // the client does not know yet
    told.deliver(0, 1372);
    auto db = told.file();
    return text(db,
                "SELECT count(*) || ' ' || count(delivered_ns) || ' ' || sum(fate IS "
                "'connection_reset' AND from_node = 7 AND to_node = 2) FROM wire_packet");
  };
  BOOST_TEST(told_of(1789) == "2 0 2");
  Told told;
  told.send(8080);  // nobody takes packets there
  told.recorder->node_exited(told.now, NodeId(mix0), 9);
  auto db = told.file();
  BOOST_TEST(text(db, "SELECT count(*) FROM wire_packet") == "0");
}

BOOST_AUTO_TEST_CASE(a_connection_begun_after_its_listener_ended_is_reset) {
  Told told;
  told.recorder->node_exited(told.now, NodeId(mix0), 9);
  told.send(1789);
  told.deliver(0, 1372);
  auto db = told.file();
  BOOST_TEST(text(db, "SELECT count(delivered_ns) || group_concat(fate) FROM wire_packet") ==
             "0connection_reset");
}

BOOST_AUTO_TEST_CASE(an_event_can_be_edited_through_its_view) {
  Told told;
  told.recorder->activation({at_ns(5), NodeId(mix1), {}, {}, kNever, 0, {}, {}, 0});
  auto db = told.file();
  BOOST_REQUIRE(db.run("UPDATE event SET detail = '{}', node = 4 WHERE seq = 0").has_value());
  BOOST_TEST(text(db, "SELECT detail || node || kind FROM event") == "{}4activation");
  BOOST_REQUIRE(db.run("INSERT INTO event VALUES (9, 6, 1, 'exit', '{}')").has_value());
  BOOST_TEST(text(db, "SELECT count(*) || max(kind) FROM event") == "2exit");
  BOOST_REQUIRE(db.run("DELETE FROM event WHERE seq = 0").has_value());
  BOOST_TEST(text(db, "SELECT count(*) || kind FROM event") == "1exit");
}
