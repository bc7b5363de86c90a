// SPDX-License-Identifier: Apache-2.0
#include "src/peers/said_once.h"

#include <boost/test/unit_test.hpp>

using namespace mix;
using mix::peers::SaidOnce;

namespace {

sphinx::NodeAddress address(unsigned n) {
  return sphinx::NodeAddress::ipv4(
      {10, 0, static_cast<std::uint8_t>(n / 256), static_cast<std::uint8_t>(n % 256)}, 1789);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(said_once)

BOOST_AUTO_TEST_CASE(an_address_is_said_once_a_minute_or_when_it_was_reached) {
  SaidOnce said;
  const Instant start{};
  BOOST_TEST(said.say(address(1), start));
  BOOST_TEST(!said.say(address(1), start + 59s));
  BOOST_TEST(said.say(address(1), start + 60s));
  BOOST_TEST(said.say(address(2), start + 60s));
  said.reached(address(1));
  BOOST_TEST(said.say(address(1), start + 61s));
  BOOST_TEST(!said.say(address(2), start + 61s));
}

BOOST_AUTO_TEST_CASE(so_many_are_said_in_a_minute_and_no_more) {
  SaidOnce said;
  std::size_t lines = 0;
  for (unsigned n = 0; n < 3 * SaidOnce::kMost; ++n)
    lines += said.say(address(n), Instant{}) ? 1 : 0;
  BOOST_TEST(lines == SaidOnce::kMost);
  BOOST_TEST(said.say(address(0), Instant{} + SaidOnce::kQuiet));
}

BOOST_AUTO_TEST_SUITE_END()
