// SPDX-License-Identifier: Apache-2.0
#include "src/traffic/emission.h"

#include <rapidcheck/boost_test.h>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <vector>

#include "src/traffic/test_entropy.h"

using namespace mix;
using namespace mix::traffic;

namespace {

struct World {
  explicit World(std::uint64_t seed, Emission::Means means = {500ms, 500ms})
      : loop_gaps(seed), real_gaps(seed + 1), emission(means, loop_gaps, real_gaps, Instant(1s)) {}
  TestEntropy loop_gaps;
  TestEntropy real_gaps;
  Emission emission;
};

/// Serves every tick exactly when it is due.
std::vector<Tick> punctual(World& world, std::size_t n) {
  std::vector<Tick> ticks;
  while (ticks.size() < n)
    ticks.push_back(world.emission.take(world.emission.next()).value());
  return ticks;
}

}  // namespace

RC_BOOST_PROP(deadlines_do_not_depend_on_how_late_ticks_are_served, (std::uint64_t seed)) {
  World exact(seed);
  World late(seed);
  const auto expected = punctual(exact, 100);
  std::vector<Tick> ticks;
  while (ticks.size() < expected.size()) {
    const Duration lateness(*rc::gen::inRange<std::int64_t>(0, kMaxLateness.count() / 2));
    const Instant now = late.emission.next() + lateness;
    while (auto tick = late.emission.take(now))
      ticks.push_back(*tick);
  }
  ticks.resize(expected.size());
  RC_ASSERT(ticks == expected);
}

RC_BOOST_PROP(each_tick_draws_one_gap_from_its_own_generator, (std::uint64_t seed)) {
  World world(seed);
  std::size_t loops = 1;
  std::size_t reals = 1;
  for (const Tick& tick : punctual(world, 50)) {
    ++(tick.stream == Stream::loop ? loops : reals);
  }
  RC_ASSERT(world.loop_gaps.drawn == 8 * loops);
  RC_ASSERT(world.real_gaps.drawn == 8 * reals);
}

BOOST_AUTO_TEST_CASE(nothing_is_due_before_its_deadline) {
  World world(3);
  BOOST_TEST(!world.emission.take(world.emission.next() - 1ns).has_value());
  BOOST_TEST(world.emission.take(world.emission.next()).has_value());
}

BOOST_AUTO_TEST_CASE(the_two_streams_do_not_move_each_other) {
  World both(9);
  World slow_reals(9, {500ms, 5s});
  std::vector<Instant> a;
  std::vector<Instant> b;
  for (const Tick& tick : punctual(both, 400))
    if (tick.stream == Stream::loop) a.push_back(tick.due);
  for (const Tick& tick : punctual(slow_reals, 200))
    if (tick.stream == Stream::loop) b.push_back(tick.due);
  const std::size_t n = std::min(a.size(), b.size());
  BOOST_TEST(n > 100u);
  BOOST_TEST(std::equal(a.begin(), a.begin() + static_cast<long>(n), b.begin()));
}

BOOST_AUTO_TEST_CASE(a_stall_is_not_followed_by_a_burst) {
  World world(4);
  const Instant after = world.emission.next() + 60s;
  std::size_t flushed = 0;
  while (world.emission.take(after))
    ++flushed;
  BOOST_TEST(flushed <= 3u);
  BOOST_TEST(world.emission.skipped() > 150u);
  BOOST_TEST((world.emission.next() > after));
}

BOOST_AUTO_TEST_CASE(a_rate_of_zero_switches_loops_off) {
  World world(5, {0ns, 500ms});
  for (const Tick& tick : punctual(world, 100))
    BOOST_TEST((tick.stream == Stream::real));
  BOOST_TEST(world.loop_gaps.drawn == 0u);
}

BOOST_AUTO_TEST_CASE(counts_in_windows_are_dispersed_as_poisson_counts_are) {
  World world(6, {10ms, 10ms});
  constexpr int kWindows = 400;
  std::vector<int> counts(kWindows);
  for (;;) {
    const Tick tick = *world.emission.take(world.emission.next());
    const auto window = (tick.due - Instant(1s)) / Duration(100ms);
    if (window >= kWindows) break;
    ++counts[static_cast<std::size_t>(window)];
  }
  double mean = 0;
  double variance = 0;
  for (int count : counts)
    mean += count / double(kWindows);
  for (int count : counts)
    variance += (count - mean) * (count - mean) / (kWindows - 1);
  BOOST_TEST(std::abs(mean - 20) < 3.3 * std::sqrt(20.0 / kWindows));  // the two rates add up
  BOOST_TEST(std::abs(variance / mean - 1) < 3.3 * std::sqrt(2.0 / (kWindows - 1)));
}
