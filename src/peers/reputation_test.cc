// SPDX-License-Identifier: Apache-2.0
#include "src/peers/reputation.h"

#include <boost/test/unit_test.hpp>

namespace mix::peers {
namespace {

sphinx::NodeAddress peer(std::uint16_t number) {
  return sphinx::NodeAddress::ipv4({10, 0, 0, 1}, number);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(reputation)

BOOST_AUTO_TEST_CASE(who_took_a_packet_is_proven_until_somebody_waits_in_vain) {
  Reputation known;
  BOOST_TEST(!known.of(peer(1)).proven);
  known.hung(peer(1));
  known.hung(peer(1));
  BOOST_TEST(known.of(peer(1)).hung == 2u);
  known.took_a_packet(peer(1));
  BOOST_TEST(known.of(peer(1)).proven);
  BOOST_TEST(known.of(peer(1)).hung == 0u);
  known.hung(peer(1));
  BOOST_TEST(!known.of(peer(1)).proven);
  BOOST_TEST(known.of(peer(1)).hung == 1u);
  BOOST_TEST(!known.of(peer(2)).proven);
}

BOOST_AUTO_TEST_CASE(those_heard_of_longest_ago_are_forgotten_and_the_bad_never_push_out_the_good) {
  Reputation known(3);
  for (const std::uint16_t number : {1, 2, 3, 1, 4})
    known.took_a_packet(peer(number));
  for (std::uint16_t number = 100; number < 200; ++number)
    known.hung(peer(number));
  BOOST_TEST(known.size() == 6u);
  BOOST_TEST(known.of(peer(1)).proven);
  BOOST_TEST(!known.of(peer(2)).proven);
  BOOST_TEST(known.of(peer(3)).proven);
  BOOST_TEST(known.of(peer(4)).proven);
  BOOST_TEST(known.of(peer(196)).hung == 0u);
  BOOST_TEST(known.of(peer(197)).hung == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mix::peers
