// SPDX-License-Identifier: Apache-2.0
#include "src/client/timetable.h"

#include <rapidcheck/boost_test.h>
#include <boost/test/unit_test.hpp>

using namespace mix;
using namespace mix::client;

BOOST_AUTO_TEST_CASE(slots_lie_on_the_grid_however_late_they_are_served) {
  Timetable table(Instant(10s), 500ms);
  BOOST_TEST(!table.take(Instant(10s) - 1ns));
  BOOST_TEST(table.take(Instant(10s)));
  BOOST_TEST(!table.take(Instant(10s)));
  BOOST_TEST((table.next() == Instant(10s) + 500ms));
  BOOST_TEST(table.take(Instant(10s) + 900ms));
  BOOST_TEST((table.next() == Instant(11s)));
}

RC_BOOST_PROP(missed_slots_are_left_out, ()) {
  const Duration interval(*rc::gen::inRange(1, 1000));
  const Duration late(*rc::gen::inRange(0, 1'000'000));
  Timetable table(Instant(10s), interval);
  RC_ASSERT(table.take(Instant(10s) + late));
  RC_ASSERT(!table.take(Instant(10s) + late));
  RC_ASSERT(table.next() > Instant(10s) + late);
  RC_ASSERT(table.next() <= Instant(10s) + late + interval);
  RC_ASSERT((table.next() - Instant(10s)) % interval == Duration(0));
}
