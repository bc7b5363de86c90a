// SPDX-License-Identifier: Apache-2.0
// A run played by hand: a client, three mixes and a provider that pass 40 packets on, told to a
// real Recorder as the controller would, judged from the file. Each test then breaks one promise.
#include "harness/judge/judge.h"

#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <functional>

#include "harness/recorder/settle.h"
#include "harness/recorder/test_recording.h"

using namespace lab;
using namespace lab::recorder;
using namespace std::chrono_literals;
namespace fs = std::filesystem;
namespace rec = mix::record;

namespace {

constexpr const char* kScenario = R"toml(
[scenario]
name = "played"
duration = "30 s"
[[expect]]
that = "layer-order"
mode = "always"
[[expect]]
that = "loop-returns"
within = "5 s"
ratio = 0.99
[[expect]]
that = "conservation"
[[expect]]
that = "no-drop"
[[expect]]
that = "constant-size"
on = "link(client -> mix@layer1)"
[[expect]]
that = "delay-law"
within = "1 ms"
[[expect]]
that = "exit"
on = "client-0.init"
[mixnet]
)toml";

struct Play : TestRecording {
  explicit Play(const char* scenario = kScenario) : TestRecording(scenario) {
    for (Who who : {mix0, mix1, mix2, provider, client}) {
      rec::NodeRow row;
      row.role = who == client     ? rec::Role::client
                 : who == provider ? rec::Role::provider
                                   : rec::Role::mix;
      row.layer = static_cast<std::uint8_t>(who == client ? 0 : static_cast<int>(who));
      row.address = address(who);
      record(who, row);
    }
    for (Who from : {client, mix0, mix1, mix2})
      connect(from, from == client ? mix0 : Who(from + 1));
    recorder->node_exited(at_ns(1), NodeId(init), 0);
  }

  static std::string address(Who who) {
    return who == provider ? "10.2.0.1:8085" : "10.1.0." + std::to_string(who) + ":1789";
  }
  static ConnectionId wire(Who from, Who to) { return ConnectionId{from * 100u + to}; }

  void connect(Who from, Who to) {
    const std::string here = "10.9.0.1:4000", there = address(to);
    recorder->connection_opened(at_ns(1), {wire(from, to), NodeId(from), NodeId(to), here, there});
  }
  /// One packet on a wire; half of it is delivered apart from the rest.
  Digest send(Who from, Who to, std::uint8_t packet, bool deliver = true) {
    Parcel parcel;
    parcel.kind = ParcelKind::data;
    parcel.connection = wire(from, to);
    parcel.to_server = true;
    parcel.sent = now;
    parcel.offset = sent[parcel.connection];
    parcel.bytes.assign(recorder::kPacketBytes, static_cast<std::uint8_t>(packet * 7 + from));
    const Digest digest = digest_of(parcel.bytes);
    recorder->activation({now, NodeId(from), {}, parcel.bytes, kNever, 0, {}, {}, 0});
    recorder->segment_sent({&parcel, NodeId(from), NodeId(to), now, false, Fate::delivered});
    sent[parcel.connection] += parcel.bytes.size();
    now += 20ms;
    if (!deliver) return digest;
    Parcel half = parcel;
    half.bytes.resize(600);
    recorder->segment_done({&half, NodeId(from), NodeId(to), now, false, Fate::delivered});
    half.bytes.assign(parcel.bytes.begin() + 600, parcel.bytes.end());
    half.offset += 600;
    recorder->segment_done({&half, NodeId(from), NodeId(to), now, false, Fate::delivered});
    return digest;
  }
  void handled(Who who, Digest in, std::optional<Digest> out, rec::Verdict verdict,
               const char* reason = nullptr, Duration held = {}, Duration asked = {}) {
    rec::HandledRow row;
    row.received_ns = ns(now - held);
    if (out) row.delay_ns = asked.count();
    row.digest_in = in;
    row.digest_out = out;
    if (out) row.sent_ns = ns(now);
    row.verdict = verdict;
    if (reason != nullptr) row.reason = rec::drop_reason_named(reason);
    record(who, row);
  }
  void made(Digest digest) {
    rec::MadeRow row;
    row.created_ns = ns(now);
    row.sent_ns = ns(now);
    row.digest = digest;
    row.first_address = address(mix0);
    record(client, row);
  }
  static Digest digest_on(Who from, std::uint8_t packet) {
    return digest_of(
        mix::Bytes(recorder::kPacketBytes, static_cast<std::uint8_t>(packet * 7 + from)));
  }

  /// An honest packet from the client to its mailbox and home.
  void honest(std::uint8_t packet) {
    made(digest_on(client, packet));
    const VirtualTime created = now;
    send(client, mix0, packet);
    Who at = mix0;
    for (Who from : {client, mix0, mix1}) {
      handled(at, digest_on(from, packet), digest_on(at, packet), rec::Verdict::forward);
      send(at, Who(at + 1), packet);
      at = Who(at + 1);
    }
    handled(provider, digest_on(mix2, packet), std::nullopt, rec::Verdict::store);
    rec::FetchedRow home;
    home.time_ns = ns(now + 100ms);
    home.digest = digest_on(client, packet);
    home.packet_class = rec::PacketClass::loop;
    record(client, home);
    now = created + 200ms;
  }

  std::map<std::string, judge::Finding> verdicts() {
    auto db = file();
    BOOST_REQUIRE(recorder::settle(db, recorder->endings(), ns(now + 1s)).has_value());
    const auto found = judge::judge(db, plan);
    BOOST_REQUIRE_MESSAGE(found.has_value(), (found ? "" : found.error()));
    std::map<std::string, judge::Finding> out;
    for (const judge::Finding& finding : *found)
      out[finding.that] = finding;
    all = *found;
    return out;
  }

  std::map<ConnectionId, std::uint64_t> sent;
  std::vector<judge::Finding> all;
};

bool is(const judge::Finding& finding, judge::Verdict verdict) {
  if (finding.verdict != verdict)
    BOOST_TEST_MESSAGE(finding.that << " " << judge::to_text(finding.verdict) << ": "
                                    << finding.detail);
  return finding.verdict == verdict;
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_honest_run_passes_everything) {
  Play play;
  for (std::uint8_t i = 0; i < 30; ++i)
    play.honest(i);
  auto found = play.verdicts();
  for (const auto& [that, finding] : found)
    BOOST_TEST(is(finding, judge::Verdict::pass), that << ": " << finding.detail);
  BOOST_TEST(found["layer-order"].detail == "120 hops, 0 out of order");
  BOOST_TEST((judge::overall(play.all) == judge::Verdict::pass));
}

BOOST_AUTO_TEST_CASE(too_few_hops_are_inconclusive_and_never_a_pass) {
  Play play;
  for (std::uint8_t i = 0; i < 9; ++i)
    play.honest(i);
  auto found = play.verdicts();
  for (const char* that : {"layer-order", "loop-returns", "conservation", "constant-size"})
    BOOST_TEST(is(found[that], judge::Verdict::inconclusive), that);
  BOOST_TEST((judge::overall(play.all) == judge::Verdict::inconclusive));
}

BOOST_AUTO_TEST_CASE(a_packet_sent_straight_to_layer_2_breaks_the_order_at_its_event) {
  Play play;
  for (std::uint8_t i = 0; i < 30; ++i)
    play.honest(i);
  play.connect(client, mix1);
  play.made(Play::digest_on(client, 30));
  const VirtualTime when = play.now;
  const Digest digest = play.send(client, mix1, 30);
  play.handled(mix1, digest, std::nullopt, rec::Verdict::drop, "replay");
  auto found = play.verdicts();
  const judge::Finding& order = found["layer-order"];
  BOOST_TEST(is(order, judge::Verdict::fail));
  BOOST_TEST(order.expected == "a hop from layer 0 to layer 1");
  BOOST_TEST(order.observed == "a hop from layer 0 (client-0) to layer 2 (mix-1)");
  BOOST_TEST((order.time_ns == ns(when)));
  BOOST_TEST(order.event.has_value());
  BOOST_TEST(is(found["no-drop"], judge::Verdict::fail));
  BOOST_TEST(found["no-drop"].observed.ends_with("replay"));
}

BOOST_AUTO_TEST_CASE(a_delay_that_is_cut_short_or_drawn_out_breaks_the_delay_law) {
  for (const auto& [held, asked, verdict] : {std::tuple{10ms, 10ms, judge::Verdict::pass},
                                             {11ms, 10ms, judge::Verdict::pass},
                                             {9ms, 10ms, judge::Verdict::fail},
                                             {12ms, 10ms, judge::Verdict::fail}}) {
    Play play;
    for (std::uint8_t i = 0; i < 34; ++i)
      play.honest(i);
    play.made(Play::digest_on(client, 34));
    play.send(client, mix0, 34);
    play.now += held;
    play.handled(mix0, Play::digest_on(client, 34), Play::digest_on(mix0, 34),
                 rec::Verdict::forward, nullptr, held, asked);
    play.send(mix0, mix1, 34);
    play.handled(mix1, Play::digest_on(mix0, 34), std::nullopt, rec::Verdict::drop, "replay");
    auto found = play.verdicts();
    BOOST_TEST(is(found["delay-law"], verdict), held.count() << " of " << asked.count());
    if (verdict == judge::Verdict::pass) continue;
    BOOST_TEST(found["delay-law"].observed.starts_with("mix-0 held a packet for "));
    BOOST_TEST(found["delay-law"].packet.has_value());
  }
}

BOOST_AUTO_TEST_CASE(a_packet_that_a_mix_takes_and_forgets_breaks_conservation) {
  Play play;
  for (std::uint8_t i = 0; i < 30; ++i)
    play.honest(i);
  play.made(Play::digest_on(client, 30));
  play.send(client, mix0, 30);
  auto found = play.verdicts();
  BOOST_TEST(is(found["conservation"], judge::Verdict::fail));
  BOOST_TEST(found["conservation"].observed ==
             "mix-0 took a packet and never said what became of it");
  BOOST_TEST(found["conservation"].packet.has_value());
  BOOST_TEST(is(found["layer-order"], judge::Verdict::pass));
}

BOOST_AUTO_TEST_CASE(a_packet_that_was_in_a_mix_when_the_lab_killed_it_has_a_reason) {
  Play play;
  for (std::uint8_t i = 0; i < 30; ++i)
    play.honest(i);
  play.made(Play::digest_on(client, 30));
  play.send(client, mix0, 30);
  play.recorder->crashed(play.now, NodeId(mix0));
  auto found = play.verdicts();
  BOOST_TEST(is(found["conservation"], judge::Verdict::pass), found["conservation"].detail);
  BOOST_TEST(is(found["no-drop"], judge::Verdict::fail));
  BOOST_TEST(found["no-drop"].observed.ends_with("node_crashed"));
}

BOOST_AUTO_TEST_CASE(what_was_under_way_when_its_receiver_ended_was_reset) {
  Play play;
  for (std::uint8_t i = 0; i < 30; ++i)
    play.honest(i);
  play.made(Play::digest_on(client, 30));
  play.send(client, mix0, 30, false);
  play.recorder->node_exited(play.now, NodeId(mix0), 9);
  auto found = play.verdicts();
  BOOST_TEST(is(found["conservation"], judge::Verdict::pass), found["conservation"].detail);
  BOOST_TEST(found["no-drop"].observed.ends_with("connection_reset"));
}

BOOST_AUTO_TEST_CASE(a_node_that_hides_or_invents_a_packet_breaks_conservation) {
  Play hides;
  for (std::uint8_t i = 0; i < 30; ++i)
    hides.honest(i);
  const Digest digest = hides.send(mix0, mix1, 30);
  hides.handled(mix1, digest, std::nullopt, rec::Verdict::drop, "mac");
  auto found = hides.verdicts();
  BOOST_TEST(found["conservation"].observed == "mix-0 sent a packet that it did not report");
  Play invents;
  for (std::uint8_t i = 0; i < 30; ++i)
    invents.honest(i);
  invents.handled(mix1, Play::digest_on(mix0, 31), Play::digest_on(mix1, 31),
                  rec::Verdict::forward);
  found = invents.verdicts();
  BOOST_TEST(is(found["conservation"], judge::Verdict::fail));
  BOOST_TEST(found["conservation"].observed == "mix-1 reported a packet that it did not send");
}

BOOST_AUTO_TEST_CASE(loops_that_stay_away_fail_and_late_ones_are_left_out) {
  Play play;
  for (std::uint8_t i = 0; i < 30; ++i)
    play.honest(i);
  play.made(Play::digest_on(client, 30));
  play.send(client, mix0, 30);
  play.handled(mix0, Play::digest_on(client, 30), std::nullopt, rec::Verdict::drop, "mac");
  auto found = play.verdicts();
  BOOST_TEST(is(found["loop-returns"], judge::Verdict::fail));
  BOOST_TEST(found["loop-returns"].observed == "it is dropped (mac)");
  Play late;
  for (std::uint8_t i = 0; i < 30; ++i)
    late.honest(i);
  late.now = at_ns(26'000'000'000);  // less than `within` before the end
  late.made(Play::digest_on(client, 30));
  late.send(client, mix0, 30);
  late.handled(mix0, Play::digest_on(client, 30), std::nullopt, rec::Verdict::drop, "mac");
  found = late.verdicts();
  BOOST_TEST(is(found["loop-returns"], judge::Verdict::pass));
}

BOOST_AUTO_TEST_CASE(bytes_beside_the_packets_break_constant_size) {
  Play play;
  for (std::uint8_t i = 0; i < 30; ++i)
    play.honest(i);
  Parcel parcel;
  parcel.kind = ParcelKind::data;
  parcel.connection = Play::wire(client, mix0);
  parcel.to_server = true;
  parcel.offset = play.sent[parcel.connection];
  parcel.bytes.assign(5, 1);
  play.recorder->segment_done(
      {&parcel, NodeId(client), NodeId(mix0), play.now, false, Fate::delivered});
  auto found = play.verdicts();
  BOOST_TEST(is(found["constant-size"], judge::Verdict::fail));
}

BOOST_AUTO_TEST_CASE(an_exit_status_is_judged) {
  Play play;
  play.recorder->node_exited(play.now, NodeId(init), 3 << 8);
  auto found = play.verdicts();
  BOOST_TEST(is(found["exit"], judge::Verdict::fail));
  BOOST_TEST(found["exit"].observed == "it exited with 3");
}

BOOST_AUTO_TEST_CASE(a_published_recording_has_its_name_verdicts_and_mode) {
  Play play;
  for (std::uint8_t i = 0; i < 30; ++i)
    play.honest(i);
  play.verdicts();
  const std::string incomplete = play.writer->incomplete_path();
  play.writer.reset();
  BOOST_REQUIRE(
      recorder::publish(incomplete, play.path, judge::rows(play.all), "pass").has_value());
  BOOST_TEST(!fs::exists(incomplete));
  struct stat status{};
  BOOST_REQUIRE(::stat(play.path.c_str(), &status) == 0);
  BOOST_TEST((status.st_mode & 0777) == 0600);
  auto db = mix::sqlite::Database::open(play.path, mix::sqlite::Database::Mode::read_only);
  BOOST_TEST(db->integer("PRAGMA page_size").value() == 16384);
  BOOST_TEST(db->text("SELECT verdict FROM run").value() == "pass");
  BOOST_TEST(db->text("SELECT chain FROM run").value() ==
             db->text("SELECT chain FROM checkpoint ORDER BY seq DESC").value());
  BOOST_TEST(db->integer("SELECT count(*) FROM expectation WHERE verdict = 'pass'").value() == 7);
  BOOST_TEST(db->text("SELECT group_concat(f || t || n) FROM (SELECT from_layer f, to_layer t, "
                      "count(*) n FROM hop GROUP BY 1, 2)")
                 .value() == "0130,1230,2330,3430");
}
