// SPDX-License-Identifier: Apache-2.0
#include "src/client/loop_ledger.h"

#include <rapidcheck/boost_test.h>
#include <boost/test/unit_test.hpp>
#include <map>

using namespace mix;
using namespace mix::client;

namespace {

Mark mark(std::uint32_t n) {
  Mark out{};
  for (int i = 0; i < 4; ++i)
    out[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(n >> (8 * i));
  return out;
}
LoopLedger::Digest digest(std::uint8_t n) {
  LoopLedger::Digest out{};
  out[15] = n;
  return out;
}
constexpr Instant kStart{1000s};

}  // namespace

BOOST_AUTO_TEST_CASE(a_loop_that_comes_home_in_time_is_home) {
  LoopLedger ledger(10s);
  ledger.sent(Kind::loop, mark(1), kStart, digest(7));
  BOOST_TEST(ledger.counts(kStart).out() == 1u);
  BOOST_TEST((ledger.home(mark(1), kStart + 9s) == digest(7)));
  BOOST_TEST((ledger.counts(kStart + 1h) == LoopCounts{1, 1, 0, 0}));
}

BOOST_AUTO_TEST_CASE(a_loop_that_is_not_home_in_time_is_lost_and_stays_so) {
  LoopLedger ledger(10s);
  ledger.sent(Kind::loop, mark(1), kStart, digest(7));
  BOOST_TEST((ledger.counts(kStart + 10s - 1ns) == LoopCounts{1, 0, 0, 0}));
  BOOST_TEST((ledger.counts(kStart + 10s) == LoopCounts{1, 0, 1, 0}));
  BOOST_TEST((ledger.home(mark(1), kStart + 11s) == digest(7)));
  BOOST_TEST((ledger.counts(kStart + 11s) == LoopCounts{1, 0, 1, 1}));
}

BOOST_AUTO_TEST_CASE(a_second_copy_and_a_strangers_mark_count_as_nothing) {
  LoopLedger ledger(10s);
  ledger.sent(Kind::loop, mark(1), kStart, digest(7));
  BOOST_TEST(ledger.home(mark(1), kStart + 1s).has_value());
  BOOST_TEST(!ledger.home(mark(1), kStart + 2s).has_value());
  BOOST_TEST(!ledger.home(mark(2), kStart + 2s).has_value());
  BOOST_TEST((ledger.counts(kStart + 2s) == LoopCounts{1, 1, 0, 0}));
}

BOOST_AUTO_TEST_CASE(fillers_are_named_but_never_counted) {
  LoopLedger ledger(10s);
  ledger.sent(Kind::cover, mark(1), kStart, digest(1));
  ledger.sent(Kind::cover, mark(2), kStart, digest(2));
  BOOST_TEST((ledger.home(mark(1), kStart + 1s) == digest(1)));
  BOOST_TEST((ledger.counts(kStart + 1h) == LoopCounts{}));
  BOOST_TEST(ledger.report(kStart + 1h).find("round trip") == std::string::npos);
}

RC_BOOST_PROP(every_loop_is_out_home_or_lost_as_a_plain_list_says, ()) {
  // Against the simplest model: a list of loops, each judged on its own at the end.
  constexpr Duration kTimeOut = 50ns;
  struct Plain {
    Instant sent;
    std::optional<Instant> home;
  };
  LoopLedger ledger(kTimeOut);
  std::map<std::uint32_t, Plain> plain;
  Instant now = kStart;
  const auto steps = *rc::gen::inRange(0, 200);
  for (int i = 0; i < steps; ++i) {
    now += Duration(*rc::gen::inRange(0, 20));
    const auto n = *rc::gen::inRange<std::uint32_t>(0, 40);
    if (!plain.contains(n)) {
      plain[n] = {now, {}};
      ledger.sent(Kind::loop, mark(n), now, digest(1));
    } else {
      const bool first = !plain[n].home;
      RC_ASSERT(ledger.home(mark(n), now).has_value() == first);
      if (first) plain[n].home = now;
    }
  }
  LoopCounts expected;
  for (const auto& [n, loop] : plain) {
    ++expected.sent;
    const bool in_time = loop.home && *loop.home - loop.sent < kTimeOut;
    if (in_time) ++expected.home;
    if (!in_time && now - loop.sent >= kTimeOut) ++expected.lost;
    if (!in_time && loop.home) ++expected.late;
  }
  RC_ASSERT(ledger.counts(now) == expected);
}

BOOST_AUTO_TEST_CASE(the_oldest_are_forgotten_at_the_bound_and_counted_as_lost) {
  LoopLedger ledger(1h);
  for (std::uint32_t n = 0; n < LoopLedger::kMaxRemembered + 10; ++n)
    ledger.sent(Kind::loop, mark(n), kStart, digest(1));
  const auto counts = ledger.counts(kStart);
  BOOST_TEST(counts.lost == 10u);
  BOOST_TEST(counts.out() == LoopLedger::kMaxRemembered);
  BOOST_TEST(!ledger.home(mark(9), kStart).has_value());
  BOOST_TEST(ledger.home(mark(10), kStart).has_value());
}

BOOST_AUTO_TEST_CASE(loops_sent_after_the_bound_was_met_age_like_the_first) {
  LoopLedger ledger(10s);
  constexpr auto kFirst = static_cast<std::uint32_t>(LoopLedger::kMaxRemembered);
  for (std::uint32_t n = 0; n < kFirst; ++n)
    ledger.sent(Kind::loop, mark(n), kStart, digest(1));
  BOOST_TEST(ledger.counts(kStart + 10s).lost == kFirst);
  for (std::uint32_t n = kFirst; n < kFirst + 10; ++n)
    ledger.sent(Kind::loop, mark(n), kStart + 10s, digest(1));
  BOOST_TEST(ledger.counts(kStart + 20s - 1ns).lost == kFirst);
  BOOST_TEST(ledger.counts(kStart + 20s).lost == kFirst + 10);
}

BOOST_AUTO_TEST_CASE(whoever_asks_in_between_hears_the_round_trips_of_the_latest_loops_only) {
  LoopLedger ledger(10s);
  constexpr auto kMany = static_cast<std::uint32_t>(LoopLedger::kMaxRecent) + 5;
  for (std::uint32_t n = 1; n <= kMany; ++n) {
    ledger.sent(Kind::loop, mark(n), kStart, digest(1));
    ledger.sent(Kind::cover, mark(1000 + n), kStart, digest(1));
    (void)ledger.home(mark(n), kStart + n * 1ms);
    (void)ledger.home(mark(1000 + n), kStart + 9s);
  }
  BOOST_TEST((ledger.round_trips_since(kMany - 2) ==
              std::vector<Duration>{(kMany - 1) * 1ms, kMany * 1ms}));
  BOOST_TEST(ledger.round_trips_since(kMany).empty());
  BOOST_TEST(ledger.round_trips_since(kMany + 1).empty());
  const auto all = ledger.round_trips_since(0);
  BOOST_TEST(all.size() == LoopLedger::kMaxRecent);
  BOOST_TEST((all.front() == 6ms));
  (void)ledger.report(kStart + 9s);  // which takes nothing from whoever asks in between
  BOOST_TEST(ledger.round_trips_since(0).size() == LoopLedger::kMaxRecent);
  // One that comes too late has no round trip.
  ledger.sent(Kind::loop, mark(999), kStart, digest(1));
  (void)ledger.home(mark(999), kStart + 11s);
  BOOST_TEST(ledger.round_trips_since(kMany).empty());
}

BOOST_AUTO_TEST_CASE(a_report_says_what_happened_since_the_last_and_how_long_loops_took) {
  LoopLedger ledger(10s);
  for (std::uint32_t n = 1; n <= 100; ++n) {
    ledger.sent(Kind::loop, mark(n), kStart, digest(1));
    (void)ledger.home(mark(n), kStart + n * 10ms);
  }
  BOOST_TEST(
      ledger.report(kStart + 2s) ==
      "loops: 100 sent, 100 home, 0 lost, 0 out; since the last report 100 sent, 100 home, 0 "
      "lost; round trip median 500 ms, p99 990 ms, max 1.00 s");
  ledger.sent(Kind::loop, mark(200), kStart + 2s, digest(1));
  BOOST_TEST(ledger.report(kStart + 20s) ==
             "loops: 101 sent, 100 home, 1 lost, 0 out; since the last report 1 sent, 0 home, 1 "
             "lost");
}
