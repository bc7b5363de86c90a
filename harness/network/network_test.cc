// SPDX-License-Identifier: Apache-2.0
#include "harness/network/network.h"

#include <rapidcheck/boost_test.h>
#include <boost/test/unit_test.hpp>
#include <map>

using namespace lab;
using namespace lab::network;
using namespace std::chrono_literals;

namespace {

constexpr HostId kA{0}, kB{1};

scenario::Plan plan_of(scenario::LinkLaw law, int hosts = 2) {
  scenario::Plan plan;
  for (int i = 0; i < hosts; ++i)
    plan.hosts.push_back({.name = "h" + std::to_string(i),
                          .address = "",
                          .clock_offset = {},
                          .cpu_cost_per_activation = {}});
  plan.links["default"] = law;
  return plan;
}
scenario::LinkLaw constant(Duration latency) {
  scenario::LinkLaw law;
  law.latency.mean = latency;
  return law;
}

struct Notes final : Witness {
  void decided(VirtualTime when, const Parcel&, Decision decision) override {
    ++counts[decision];
    last = when;
  }
  std::map<Decision, int> counts;
  VirtualTime last;
};

struct Lab {
  explicit Lab(scenario::Plan p, std::uint64_t seed = 1)
      : plan(std::move(p)), links(plan, seed, notes) {}

  void data(VirtualTime at, std::uint64_t offset, std::size_t size, std::uint64_t connection = 1) {
    Parcel parcel;
    parcel.kind = ParcelKind::data;
    parcel.from = kA;
    parcel.to = kB;
    parcel.connection = ConnectionId{connection};
    parcel.to_server = true;
    parcel.sent = at;
    parcel.offset = offset;
    for (std::size_t i = 0; i < size; ++i)
      parcel.bytes.push_back(static_cast<std::uint8_t>((offset + i) * 7));
    links.submit(std::move(parcel));
  }
  void bare(VirtualTime at, ParcelKind kind, HostId from = kA, HostId to = kB) {
    Parcel parcel;
    parcel.kind = kind;
    parcel.from = from;
    parcel.to = to;
    parcel.connection = ConnectionId{1};
    parcel.to_server = from == kA;
    parcel.sent = at;
    links.submit(std::move(parcel));
  }
  void datagram(VirtualTime at, std::size_t size, std::uint64_t cookie) {
    Parcel parcel;
    parcel.kind = ParcelKind::datagram;
    parcel.from = kA;
    parcel.to = kB;
    parcel.sent = at;
    parcel.cookie = cookie;
    parcel.bytes.assign(size, 0);
    links.submit(std::move(parcel));
  }
  /// Everything due up to `until`, as the controller takes it.
  std::vector<Delivery> run(VirtualTime until = kNever) {
    std::vector<Delivery> out;
    while (const auto due = links.next_due()) {
      if (*due > until) break;
      links.take_due(*due, out);
    }
    return out;
  }

  scenario::Plan plan;
  Notes notes;
  Links links;
};

scenario::Action partition(std::vector<HostId> from, std::vector<HostId> to, bool both) {
  scenario::Action action;
  action.verb = scenario::Verb::partition;
  action.from = std::move(from);
  action.to = std::move(to);
  action.both_ways = both;
  return action;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_constant_link_delivers_one_latency_later) {
  Lab lab(plan_of(constant(20ms)));
  lab.data(at_ns(5), 0, 100);
  const auto got = lab.run();
  BOOST_REQUIRE(got.size() == 1);
  BOOST_TEST(ns(got[0].at) == 20'000'005);
  BOOST_TEST(got[0].parcel.bytes.size() == 100u);
}

BOOST_AUTO_TEST_CASE(data_is_cut_into_segments_of_at_most_the_mss) {
  Lab lab(plan_of(constant(1ms)));
  lab.data(kStart, 0, 4000);
  const auto got = lab.run();
  BOOST_REQUIRE(got.size() == 3);
  BOOST_TEST(got[1].parcel.offset == kMss);
  BOOST_TEST(got[2].parcel.bytes.size() == 4000 - 2 * kMss);
}

// The model: bytes arrive in order, none lost, none invented, each at most once, whatever the
// jitter, loss, fragmentation and cuts.
RC_BOOST_PROP(a_stream_arrives_whole_and_in_order_over_any_link, ()) {
  scenario::LinkLaw law;
  law.latency.law = scenario::Latency::Law::exponential;
  law.latency.mean = Duration(*rc::gen::inRange<std::int64_t>(1, 50'000'000));
  law.loss.loss_good = ratio(static_cast<std::uint64_t>(*rc::gen::inRange(0, 5)), 10);
  law.bandwidth_bit_per_s = *rc::gen::element<std::uint64_t>(0, 10'000'000);
  law.fragment = *rc::gen::arbitrary<bool>();
  Lab lab(plan_of(law), *rc::gen::arbitrary<std::uint64_t>());
  std::uint64_t sent = 0;
  VirtualTime now = kStart;
  std::vector<Delivery> got;
  const auto actions = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 10));
  for (int action : actions) {
    now += Duration(action * 1'000'000);
    const auto due = lab.run(now);
    got.insert(got.end(), due.begin(), due.end());
    std::vector<Delivery> rest;
    lab.links.take_due(now, rest);
    if (action == 9) lab.links.apply(now, partition({kA}, {kB}, true));
    if (action == 8) {
      auto heal = partition({kA}, {kB}, true);
      heal.verb = scenario::Verb::heal;
      lab.links.apply(now, heal);
    }
    const auto size = static_cast<std::size_t>(1 + action * 700);
    lab.data(now, sent, size);
    sent += size;
  }
  auto heal = partition({kA}, {kB}, true);
  heal.verb = scenario::Verb::heal;
  lab.links.apply(now, heal);
  lab.bare(now, ParcelKind::fin);
  const auto due = lab.run();
  got.insert(got.end(), due.begin(), due.end());
  if (lab.notes.counts[Decision::gave_up] > 0) RC_DISCARD("15 losses in a row");
  std::uint64_t at = 0;
  VirtualTime last = kStart;
  for (std::size_t i = 0; i < got.size(); ++i) {
    RC_ASSERT(got[i].at >= last);
    last = got[i].at;
    RC_ASSERT(got[i].parcel.kind == (i + 1 < got.size() ? ParcelKind::data : ParcelKind::fin));
    if (got[i].parcel.kind == ParcelKind::fin) break;
    RC_ASSERT(got[i].parcel.offset == at);
    for (std::uint8_t byte : got[i].parcel.bytes)
      RC_ASSERT(byte == static_cast<std::uint8_t>(at++ * 7));
  }
  RC_ASSERT(at == sent);
}

BOOST_AUTO_TEST_CASE(a_lost_segment_comes_a_time_out_late_and_holds_back_the_next) {
  auto law = constant(20ms);
  law.loss.loss_good = {1, 1};
  Lab lab(plan_of(law));
  lab.data(kStart, 0, 10);
  law.loss.loss_good = {0, 1};
  scenario::Action mend;
  mend.verb = scenario::Verb::set_link;
  mend.link = "default";
  mend.law = law;
  lab.links.apply(at_ns(1'000'000), mend);
  lab.data(at_ns(1'000'000), 10, 10);
  const auto got = lab.run();
  BOOST_REQUIRE(got.size() == 2);
  // Lost at 0, again after 200 ms + 2 * 20 ms, then 20 ms under way.
  BOOST_TEST(ns(got[0].at) == 260'000'000);
  BOOST_TEST(ns(got[1].at) == 260'000'000);
  BOOST_TEST(got[1].parcel.offset == 10u);
}

BOOST_AUTO_TEST_CASE(a_sender_that_is_never_heard_is_told_with_a_reset) {
  auto law = constant(20ms);
  law.loss.loss_good = {1, 1};
  Lab lab(plan_of(law));
  lab.data(kStart, 0, 10);
  lab.data(kStart, 10, 10);
  const auto got = lab.run();
  BOOST_REQUIRE(got.size() == 3);
  BOOST_TEST((got[0].fate == Fate::lost && got[1].fate == Fate::lost));
  BOOST_TEST((got[2].parcel.kind == ParcelKind::reset && got[2].parcel.to == kA));
  // 240 ms doubled up to 122.88 s, cut to 120 s: 9 doublings, then six times 120 s.
  BOOST_TEST(ns(got[2].at) == (240 * 511 + 6 * 120'000) * 1'000'000LL);
}

BOOST_AUTO_TEST_CASE(a_connect_gives_up_after_six_seconds_doubled) {
  auto law = constant(20ms);
  law.loss.loss_good = {1, 1};
  Lab lab(plan_of(law));
  lab.bare(kStart, ParcelKind::connect);
  const auto got = lab.run();
  BOOST_REQUIRE(got.size() == 2);
  BOOST_TEST((got[1].parcel.kind == ParcelKind::refuse));
  BOOST_TEST(ns(got[1].at) == 63'000'000'000);  // 1 + 2 + 4 + 8 + 16 + 32 s
}

BOOST_AUTO_TEST_CASE(a_partition_loses_what_is_on_the_wire_and_healing_brings_it_back) {
  Lab lab(plan_of(constant(20ms)));
  lab.data(kStart, 0, 10);
  lab.datagram(kStart, 10, 1);
  lab.links.apply(at_ns(10'000'000), partition({kA}, {kB}, true));
  auto first = lab.run(at_ns(100'000'000));
  BOOST_REQUIRE(first.size() == 1);
  BOOST_TEST((first[0].fate == Fate::cut));
  auto heal = partition({kA}, {kB}, true);
  heal.verb = scenario::Verb::heal;
  lab.links.apply(at_ns(100'000'000), heal);
  const auto got = lab.run();
  BOOST_REQUIRE(got.size() == 1);
  BOOST_TEST(ns(got[0].at) == 270'000'000);  // tried again 240 ms after the cut
}

BOOST_AUTO_TEST_CASE(a_directed_partition_leaves_the_way_back_open) {
  Lab lab(plan_of(constant(20ms)));
  lab.links.apply(kStart, partition({kA}, {kB}, false));
  lab.data(kStart, 0, 10);
  lab.bare(kStart, ParcelKind::data, kB, kA);
  const auto got = lab.run(at_ns(20'000'000));
  BOOST_REQUIRE(got.size() == 1);
  BOOST_TEST((got[0].parcel.to == kA));
}

BOOST_AUTO_TEST_CASE(two_partitions_that_overlap_are_both_to_end) {
  Lab lab(plan_of(constant(1ms)));
  const auto cut = partition({kA}, {kB}, true);
  auto end = cut;
  end.verb = scenario::Verb::heal;
  end.undo = true;
  lab.links.apply(kStart, cut);
  lab.links.apply(kStart, cut);
  lab.links.apply(kStart, end);
  lab.datagram(kStart, 10, 1);
  lab.links.apply(kStart, end);
  lab.datagram(kStart, 10, 2);
  const auto got = lab.run();
  BOOST_REQUIRE(got.size() == 2);
  BOOST_TEST((got[0].fate == Fate::cut && got[1].fate == Fate::delivered));
}

BOOST_AUTO_TEST_CASE(acknowledgements_are_never_lost_but_wait_behind_a_cut) {
  auto law = constant(20ms);
  law.loss.loss_good = {1, 1};
  Lab lab(plan_of(law));
  lab.bare(kStart, ParcelKind::ack);
  BOOST_TEST(lab.run().size() == 1u);
  lab.links.apply(at_ns(20'000'000), partition({kA}, {kB}, true));
  lab.bare(at_ns(20'000'000), ParcelKind::window);
  BOOST_TEST(lab.run(at_ns(1'000'000'000)).empty());
}

BOOST_AUTO_TEST_CASE(a_full_queue_refuses_what_does_not_fit) {
  auto law = constant(0ms);
  law.bandwidth_bit_per_s = 8'000'000;  // a byte a microsecond
  law.queue_bytes = 1000;
  Lab lab(plan_of(law));
  for (std::uint64_t i = 0; i < 11; ++i)
    lab.datagram(kStart, 100 - kUdpHeader, i);
  const auto got = lab.run();
  BOOST_REQUIRE(got.size() == 11);
  BOOST_TEST((got[0].fate == Fate::queue_full && got[0].parcel.cookie == 10));
  for (std::size_t i = 1; i < 11; ++i)
    BOOST_TEST(ns(got[i].at) == static_cast<std::int64_t>(i) * 100'000);
}

BOOST_AUTO_TEST_CASE(one_more_host_that_talks_moves_nothing_elsewhere) {
  scenario::LinkLaw law;
  law.latency.law = scenario::Latency::Law::exponential;
  law.latency.mean = 10ms;
  law.loss.loss_good = ratio(1, 10);
  const auto times = [&](bool other) {
    Lab lab(plan_of(law, 3));
    for (int i = 0; i < 50; ++i) {
      lab.datagram(at_ns(i * 1000), 10, 1);
      if (!other) continue;
      Parcel parcel;
      parcel.kind = ParcelKind::datagram;
      parcel.from = HostId{2};
      parcel.to = kB;
      parcel.sent = at_ns(i * 1000);
      lab.links.submit(std::move(parcel));
    }
    std::vector<std::int64_t> out;
    for (const Delivery& d : lab.run())
      if (d.parcel.from == kA) out.push_back(ns(d.at));
    return out;
  };
  BOOST_TEST(times(false) == times(true));
}

BOOST_AUTO_TEST_CASE(a_seed_decides_everything_and_another_seed_decides_otherwise) {
  scenario::LinkLaw law;
  law.latency = {
      .law = scenario::Latency::Law::normal, .mean = 25ms, .sd = 5ms, .min = 1ms, .max = {}};
  law.loss.loss_good = ratio(1, 10);
  law.fragment = true;
  const auto times = [&](std::uint64_t seed) {
    Lab lab(plan_of(law), seed);
    for (std::uint64_t i = 0; i < 50; ++i)
      lab.data(at_ns(static_cast<std::int64_t>(i)), i * 1372, 1372);
    std::vector<std::int64_t> out;
    for (const Delivery& d : lab.run())
      out.push_back(ns(d.at));
    return out;
  };
  BOOST_TEST(times(7) == times(7));
  BOOST_TEST(times(7) != times(8));
}

BOOST_AUTO_TEST_CASE(the_horizon_is_the_least_latency_until_something_is_cut_or_sent_again) {
  scenario::Plan plan = plan_of(constant(20ms));
  scenario::LinkLaw jittered;
  jittered.latency = {
      .law = scenario::Latency::Law::uniform, .mean = 10ms, .sd = {}, .min = 5ms, .max = 15ms};
  plan.links["jittered"] = jittered;
  Lab lab(plan);
  const VirtualTime start = at_ns(1'000'000);
  BOOST_TEST(ns(lab.links.horizon(start)) == 6'000'000);
  lab.data(start, 0, 100);
  BOOST_TEST(ns(lab.links.horizon(start)) == 6'000'000);
  // Cut while on its way: it is sent again 200 ms and twice the latency after the loss.
  lab.links.apply(start, partition({kA}, {kB}, true));
  BOOST_TEST(ns(lab.links.horizon(start)) == ns(start));
  auto heal = partition({kA}, {kB}, true);
  heal.verb = scenario::Verb::heal;
  lab.links.apply(start, heal);
  const VirtualTime again = start + 240ms;
  BOOST_TEST(ns(lab.links.horizon(start)) == 6'000'000);
  BOOST_TEST(ns(lab.links.horizon(again - 2ms)) == ns(again));
  lab.run(again);
  BOOST_TEST(ns(lab.links.horizon(again - 2ms)) == ns(again) + 3'000'000);
}

BOOST_AUTO_TEST_CASE(a_changed_link_moves_the_horizon) {
  Lab lab(plan_of(constant(20ms)));
  scenario::Action faster;
  faster.verb = scenario::Verb::set_link;
  faster.link = "default";
  faster.law = constant(0ms);
  BOOST_TEST(ns(lab.links.horizon(kStart)) == 20'000'000);
  lab.links.apply(kStart, faster);
  BOOST_TEST(ns(lab.links.horizon(kStart)) == 0);
}
