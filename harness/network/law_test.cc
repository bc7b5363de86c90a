// SPDX-License-Identifier: Apache-2.0
// What the wires do to many packets, against theory. Seeds are fixed, so each statistic is a
// constant of the code; bounds are those that a fresh seed passes with probability 0.999.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <vector>

#include "harness/network/wire.h"

using namespace lab;
using namespace lab::network;
using namespace std::chrono_literals;

namespace {

constexpr int kPackets = 100'000;

scenario::LinkLaw plain() {
  scenario::LinkLaw law;
  law.latency.mean = 20ms;
  return law;
}

/// Latencies of kPackets packets sent far apart, sorted, in ns.
std::vector<double> latencies(const scenario::LinkLaw& law) {
  Wire wire(1, "a->b", law);
  std::vector<double> out;
  for (int i = 0; i < kPackets; ++i) {
    const VirtualTime now = at_ns(i * 1'000'000'000LL);
    out.push_back(static_cast<double>((wire.pass(now, 1412).arrival - now).count()));
  }
  std::ranges::sort(out);
  return out;
}

template <class Law>
double distance(const std::vector<double>& sorted, Law law) {
  const auto n = static_cast<double>(sorted.size());
  double worst = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const double p = law(sorted[i]);
    worst = std::max({worst, std::abs(p - static_cast<double>(i) / n),
                      std::abs(p - static_cast<double>(i + 1) / n)});
  }
  return worst * std::sqrt(n);
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_share_that_arrives_is_one_minus_the_loss) {
  auto law = plain();
  law.loss.loss_good = ratio(2, 1000);
  Wire wire(1, "a->b", law);
  int lost = 0;
  for (int i = 0; i < kPackets; ++i)
    lost += wire.pass(kStart, 100).fate == Fate::lost;
  BOOST_TEST(std::abs(lost - 200) < 3.3 * std::sqrt(200 * 0.998));
}

BOOST_AUTO_TEST_CASE(latencies_follow_the_law_they_were_given) {
  auto law = plain();
  law.latency = {
      .law = scenario::Latency::Law::uniform, .mean = 20ms, .sd = {}, .min = 10ms, .max = 30ms};
  BOOST_TEST(distance(latencies(law), [](double x) { return (x - 10e6) / 20e6; }) < 1.95);
  law.latency = {
      .law = scenario::Latency::Law::normal, .mean = 25ms, .sd = 5ms, .min = {}, .max = {}};
  BOOST_TEST(distance(latencies(law), [](double x) {
               return std::erfc(-(x - 25e6) / 5e6 / std::sqrt(2.0)) / 2;
             }) < 1.95);
  law.latency = {
      .law = scenario::Latency::Law::exponential, .mean = 20ms, .sd = {}, .min = 5ms, .max = {}};
  BOOST_TEST(distance(latencies(law), [](double x) { return 1 - std::exp(-(x - 5e6) / 15e6); }) <
             1.95);
  double sum = 0;
  for (double x : latencies(law))
    sum += x;
  BOOST_TEST(std::abs(sum / kPackets - 20e6) < 3.3 * 15e6 / std::sqrt(kPackets));
}

BOOST_AUTO_TEST_CASE(a_normal_latency_never_falls_below_its_least) {
  auto law = plain();
  law.latency = {
      .law = scenario::Latency::Law::normal, .mean = 5ms, .sd = 5ms, .min = 1ms, .max = {}};
  BOOST_TEST(latencies(law).front() == 1e6);
}

// Gilbert-Elliott with loss only in the bad state: bursts are geometric with mean 1 / bad_to_good,
// the lost share is good_to_bad / (good_to_bad + bad_to_good).
BOOST_AUTO_TEST_CASE(bursts_of_losses_have_the_length_and_share_of_the_chain) {
  auto law = plain();
  law.loss = {.bursts = true,
              .good_to_bad = ratio(1, 100),
              .bad_to_good = ratio(1, 5),
              .loss_good = {0, 1},
              .loss_bad = {1, 1}};
  Wire wire(1, "a->b", law);
  int lost = 0, bursts = 0;
  bool before = false;
  for (int i = 0; i < 10 * kPackets; ++i) {
    const bool now = wire.pass(kStart, 100).fate == Fate::lost;
    lost += now;
    bursts += now && !before;
    before = now;
  }
  const double mean = static_cast<double>(lost) / bursts;
  BOOST_TEST(std::abs(mean - 5) < 3.3 * std::sqrt(20.0 / bursts));
  BOOST_TEST(std::abs(lost / (10.0 * kPackets) - 1 / 21.0) < 0.003);
}

// Pollaczek and Khinchine: with Poisson arrivals, one fixed sending time s and load r the mean wait
// in the queue is r * s / (2 * (1 - r)).
BOOST_AUTO_TEST_CASE(waiting_in_the_queue_is_that_of_m_d_1) {
  auto law = plain();
  law.latency.mean = 0ms;
  law.bandwidth_bit_per_s = 8'000'000;
  law.queue_bytes = 1'000'000'000;
  for (const double load : {0.3, 0.7}) {
    Wire wire(1, "a->b", law);
    Stream gaps = stream(1, "test", "arrivals");
    VirtualTime now = kStart;
    double wait = 0;
    constexpr int kMany = 10 * kPackets;
    for (int i = 0; i < kMany; ++i) {
      now += gaps.exponential(Duration(static_cast<std::int64_t>(1e6 / load)));
      wait += static_cast<double>((wire.pass(now, 1000).arrival - now).count()) - 1e6;
    }
    const double theory = load * 1e6 / (2 * (1 - load));
    BOOST_TEST(std::abs(wait / kMany / theory - 1) < 0.02, load << ": " << wait / kMany / theory);
  }
}

BOOST_AUTO_TEST_CASE(datagrams_are_doubled_damaged_and_overtaken_as_often_as_asked) {
  auto law = plain();
  law.duplicate = ratio(1, 100);
  law.corrupt = ratio(2, 100);
  law.reorder = ratio(3, 100);
  law.reorder_delay = 7ms;
  Wire wire(1, "a->b", law);
  int doubled = 0, damaged = 0, overtaken = 0;
  for (int i = 0; i < kPackets; ++i) {
    const Mishap mishap = wire.mishap(kStart, 100);
    doubled += mishap.duplicate.has_value();
    damaged += mishap.bad_bit.has_value();
    overtaken += mishap.reordered == std::optional<Duration>(7ms);
    if (mishap.bad_bit) BOOST_REQUIRE(*mishap.bad_bit < 800);
  }
  BOOST_TEST(std::abs(doubled - 1000) < 3.3 * std::sqrt(990));
  BOOST_TEST(std::abs(damaged - 2000) < 3.3 * std::sqrt(1960));
  BOOST_TEST(std::abs(overtaken - 3000) < 3.3 * std::sqrt(2910));
}

BOOST_AUTO_TEST_CASE(fragments_are_cut_inside_and_everywhere) {
  auto law = plain();
  law.fragment = true;
  Wire wire(1, "a->b", law);
  int whole = 0;
  std::size_t least = 1372, most = 0;
  for (int i = 0; i < kPackets; ++i) {
    const auto cuts = wire.cuts(1372);
    whole += cuts.empty();
    if (cuts.empty()) continue;
    BOOST_REQUIRE(std::ranges::is_sorted(cuts));
    least = std::min(least, cuts.front());
    most = std::max(most, cuts.back());
  }
  BOOST_TEST(std::abs(whole - kPackets / 4) < 3.3 * std::sqrt(kPackets * 3 / 16));
  BOOST_TEST(least == 1u);
  BOOST_TEST(most == 1371u);
}
