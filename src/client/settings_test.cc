// SPDX-License-Identifier: Apache-2.0
#include "src/client/settings.h"

#include <boost/test/unit_test.hpp>

using namespace mix;
using namespace mix::client;

BOOST_AUTO_TEST_CASE(the_defaults_drain) {
  BOOST_TEST(drain_warning({}) == "");
}

BOOST_AUTO_TEST_CASE(pulls_that_cannot_keep_up_are_said) {
  Settings settings;
  settings.poll_interval = 1s;
  BOOST_TEST(drain_warning(settings) ==
             "--poll-interval 1.00 s brings home at most 5 messages/s, but 6/s arrive when another "
             "client sends as fast as this one: the mailbox will fill up");
  settings.loop_gap = 10ms;
  BOOST_TEST(drain_warning(settings) ==
             "--poll-interval 1.00 s brings home at most 5 messages/s, but 102/s arrive of "
             "--loop-rate and --send-rate alone: the mailbox will fill up");
}

BOOST_AUTO_TEST_CASE(without_loops_only_the_real_stream_counts) {
  Settings settings;
  settings.loop_gap = 0ns;
  settings.poll_interval = 1250ms;
  BOOST_TEST(drain_warning(settings) == "");
  settings.poll_interval = 1251ms;
  BOOST_TEST(drain_warning(settings) != "");
}
