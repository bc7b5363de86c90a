// SPDX-License-Identifier: Apache-2.0
#include "src/directory/pace.h"

#include <boost/test/unit_test.hpp>

using namespace mix;
using namespace mix::directory;

BOOST_AUTO_TEST_SUITE(pace)

BOOST_AUTO_TEST_CASE(so_many_of_a_second_are_told_and_the_rest_is_counted) {
  Pace pace(3);
  Instant now{5s};
  for (int n = 0; n < 10; ++n)
    BOOST_TEST(pace.tell(now) == (n < 3));
  BOOST_TEST(pace.left_out() == 7u);
  BOOST_TEST((pace.end() == now + 1s));
  now += 1s - 1ns;
  BOOST_TEST(!pace.tell(now));
  BOOST_TEST(pace.take_left_out() == 8u);
  BOOST_TEST(pace.take_left_out() == 0u);
  now += 1ns;
  BOOST_TEST(pace.tell(now));
  BOOST_TEST((pace.end() == now + 1s));
}

BOOST_AUTO_TEST_CASE(a_window_begins_with_the_first_in_it) {
  Pace pace(1);
  Instant now{};
  BOOST_TEST(pace.tell(now));
  now += 5500ms;
  BOOST_TEST(pace.tell(now));
  BOOST_TEST(!pace.tell(now + 999ms));
  BOOST_TEST(pace.tell(now + 1s));
}

BOOST_AUTO_TEST_SUITE_END()
