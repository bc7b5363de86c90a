// SPDX-License-Identifier: Apache-2.0
#include "src/traffic/hold_queue.h"

#include <rapidcheck.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <limits>

namespace mix::traffic {
namespace {

Instant at(std::int64_t ns) {
  return Instant(Duration(ns));
}

/// The same promise without any cleverness: a list, searched from the front.
class NaiveQueue {
 public:
  explicit NaiveQueue(std::size_t capacity) : x_capacity(capacity) {}
  bool hold(Instant due, int item) {
    if (x_items.size() == x_capacity) return false;
    x_items.push_back({due, item});
    return true;
  }
  std::optional<Instant> next_due() const {
    if (x_items.empty()) return std::nullopt;
    return std::ranges::min_element(x_items, {}, &Held::due)->due;
  }
  std::vector<int> release(Instant now, std::size_t limit) {
    std::vector<int> out;
    while (out.size() < limit && next_due() && *next_due() <= now) {
      auto first = std::ranges::min_element(x_items, {}, &Held::due);  // the first among equals
      out.push_back(first->item);
      x_items.erase(first);
    }
    return out;
  }

 private:
  struct Held {
    Instant due;
    int item;
  };
  std::size_t x_capacity;
  std::vector<Held> x_items;
};

std::vector<int> release(HoldQueue<int>& queue, Instant now, std::size_t limit = 1000) {
  std::vector<int> out;
  queue.release(now, limit, [&](int item) { out.push_back(item); });
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hold_queue)

BOOST_AUTO_TEST_CASE(behaves_as_the_naive_model_whatever_is_done_to_it) {
  BOOST_TEST(rc::check([] {
    const auto capacity = *rc::gen::inRange<std::size_t>(0, 200);
    HoldQueue<int> queue(capacity);
    NaiveQueue model(capacity);
    // Few different deadlines, so that ties are common.
    const auto steps = *rc::gen::container<std::vector<std::pair<bool, int>>>(rc::gen::pair(
        rc::gen::weightedElement<bool>({{5, true}, {1, false}}), rc::gen::inRange(0, 20)));
    int item = 0;
    for (const auto& [hold, number] : steps) {
      if (hold) {
        int* slot = queue.hold(at(number));
        RC_ASSERT((slot != nullptr) == model.hold(at(number), item));
        if (slot) *slot = item;
        ++item;
      } else {
        const auto limit = *rc::gen::inRange<std::size_t>(0, 10);
        RC_ASSERT(release(queue, at(number), limit) == model.release(at(number), limit));
      }
      RC_ASSERT(queue.next_due() == model.next_due());
    }
    RC_ASSERT(release(queue, at(1000)) == model.release(at(1000), 1000));
    RC_ASSERT(queue.size() == 0u);
  }));
}

BOOST_AUTO_TEST_CASE(many_items_come_out_by_deadline_and_ties_by_arrival) {
  HoldQueue<int> queue(10'000);
  std::uint32_t state = 1;
  std::vector<std::pair<std::int64_t, int>> expected;
  for (int item = 0; item < 10'000; ++item) {
    state = state * 1664525 + 1013904223;
    const std::int64_t due = state >> 24;  // 256 deadlines: some 40 ties on each
    *queue.hold(at(due)) = item;
    expected.emplace_back(due, item);
  }
  std::ranges::sort(expected);
  BOOST_TEST(queue.full());
  BOOST_TEST(queue.hold(at(0)) == nullptr);
  const std::vector<int> out = release(queue, at(256), 10'000);
  BOOST_REQUIRE_EQUAL(out.size(), expected.size());
  for (std::size_t i = 0; i < out.size(); ++i)
    BOOST_REQUIRE_EQUAL(out[i], expected[i].second);
}

BOOST_AUTO_TEST_CASE(nothing_leaves_a_nanosecond_early) {
  HoldQueue<int> queue(1);
  *queue.hold(at(1'000'000'001)) = 7;
  BOOST_TEST(release(queue, at(1'000'000'000)).empty());
  BOOST_TEST(release(queue, at(1'000'000'001)) == std::vector<int>{7},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(deadlines_at_the_ends_of_time_keep_their_order) {
  HoldQueue<int> queue(3);
  *queue.hold(Instant::max()) = 3;
  *queue.hold(Instant::min()) = 1;
  *queue.hold(at(0)) = 2;
  BOOST_TEST(release(queue, Instant::max()) == (std::vector<int>{1, 2, 3}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mix::traffic
