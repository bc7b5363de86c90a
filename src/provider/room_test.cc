// SPDX-License-Identifier: Apache-2.0
#include "src/provider/room.h"

#include <rapidcheck/boost_test.h>

#include <boost/test/unit_test.hpp>
#include <numeric>
#include <utility>
#include <vector>

#include "src/wire/limits.h"

namespace mix::provider {
namespace {

struct Boxes {
  Boxes(std::size_t messages, std::size_t accounts, std::size_t mailbox)
      : room(messages, accounts, mailbox), held(accounts) {}
  bool put(std::size_t who) {
    if (!room.for_one_more(held[who])) return false;
    room.put(held[who]++);
    return true;
  }
  void remove(std::size_t who, std::size_t messages) {
    room.removed(held[who], messages);
    held[who] -= messages;
  }
  /// What went in.
  std::size_t fill(std::size_t who) {
    const std::size_t before = held[who];
    while (put(who)) {
    }
    return held[who] - before;
  }
  std::size_t total() const { return std::accumulate(held.begin(), held.end(), std::size_t{0}); }

  Room room;
  std::vector<std::size_t> held;
};

Boxes as_by_default() {
  return {wire::kMaxStoredMessages, wire::kMaxAccounts, wire::kMaxMailboxMessages};
}

BOOST_AUTO_TEST_CASE(up_to_half_of_everything_only_the_mailbox_has_a_limit) {
  Boxes boxes = as_by_default();
  BOOST_TEST(boxes.room.reserve() == 25u);
  for (std::size_t who = 0; who < 50; ++who)
    BOOST_TEST(boxes.fill(who) == wire::kMaxMailboxMessages);
  BOOST_TEST(boxes.room.total() == wire::kMaxStoredMessages / 2);
  BOOST_TEST(boxes.room.limit() == wire::kMaxMailboxMessages);
  BOOST_TEST(boxes.fill(50) < wire::kMaxMailboxMessages);
}

BOOST_AUTO_TEST_CASE(a_hundred_full_accounts_leave_room_for_others) {
  Boxes one_after_the_other = as_by_default(), in_turn = as_by_default();
  for (std::size_t who = 0; who < 100; ++who)
    one_after_the_other.fill(who);
  BOOST_TEST(one_after_the_other.fill(100) > 1000u);
  for (bool any = true; std::exchange(any, false);)
    for (std::size_t who = 0; who < 100; ++who)
      any |= in_turn.put(who);
  BOOST_TEST(in_turn.held[0] > 6000u);
  BOOST_TEST(in_turn.held[0] - in_turn.held[99] <= 1u);
  BOOST_TEST(in_turn.fill(100) > 5000u);
}

BOOST_AUTO_TEST_CASE(whoever_fills_all_other_accounts_leaves_the_last_its_reserve) {
  Boxes boxes = as_by_default();
  for (std::size_t who = 1; who < wire::kMaxAccounts; ++who)
    BOOST_REQUIRE(boxes.fill(who) >= boxes.room.reserve());
  BOOST_TEST(boxes.fill(0) >= boxes.room.reserve());
  BOOST_TEST(boxes.total() <= wire::kMaxStoredMessages);
}

BOOST_AUTO_TEST_CASE(what_leaves_makes_room_again) {
  Boxes boxes(400, 4, 200);
  for (std::size_t who = 0; who < 3; ++who)
    boxes.fill(who);
  const std::size_t before = boxes.room.limit();
  BOOST_TEST(before < 200u);
  boxes.remove(0, boxes.held[0]);
  boxes.remove(1, boxes.held[1]);
  BOOST_TEST(boxes.room.limit() == 200u);
}

BOOST_AUTO_TEST_CASE(a_store_too_small_for_reserves_is_filled_to_the_last_message) {
  Boxes boxes(2, 10'000, 10'000);
  BOOST_TEST(boxes.room.reserve() == 0u);
  BOOST_TEST(boxes.put(7));
  BOOST_TEST(boxes.put(8));
  BOOST_TEST(!boxes.put(9));
}

/// The bound was larger when they registered: the reserves are more than there is.
BOOST_AUTO_TEST_CASE(more_accounts_than_there_may_be_do_not_hold_more_than_there_may_be) {
  Boxes boxes(40, 2, 20);
  BOOST_TEST(boxes.room.reserve() == 5u);
  boxes.held.resize(20);
  for (std::size_t who = 0; who < 20; ++who)
    boxes.fill(who);
  BOOST_TEST(boxes.total() == 40u);
}

RC_BOOST_PROP(in_any_history_nobody_below_its_reserve_is_refused, ()) {
  const auto accounts = *rc::gen::inRange<std::size_t>(1, 12);
  const auto messages = *rc::gen::inRange<std::size_t>(1, 200);
  const auto mailbox = *rc::gen::inRange<std::size_t>(1, 60);
  Boxes boxes(messages, accounts, mailbox);
  const auto steps = *rc::gen::container<std::vector<std::pair<std::size_t, int>>>(
      rc::gen::pair(rc::gen::inRange<std::size_t>(0, accounts), rc::gen::inRange(-1, 6)));
  for (const auto& [who, what] : steps) {
    if (what < 0) {
      boxes.remove(who, *rc::gen::inRange<std::size_t>(0, boxes.held[who] + 1));
      continue;
    }
    for (int i = 0; i < 5 * what; ++i) {
      const std::size_t held = boxes.held[who], total = boxes.total();
      const bool taken = boxes.put(who);
      if (held < boxes.room.reserve()) RC_ASSERT(taken);
      if (total < messages / 2 && held < mailbox) RC_ASSERT(taken);
      if (held >= mailbox) RC_ASSERT(!taken);
    }
    RC_ASSERT(boxes.total() == boxes.room.total());
    RC_ASSERT(boxes.total() <= messages);
  }
}

}  // namespace
}  // namespace mix::provider
