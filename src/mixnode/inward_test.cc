// SPDX-License-Identifier: Apache-2.0
#include "src/mixnode/inward.h"

#include <boost/test/unit_test.hpp>
#include <string>

namespace mix::mixnode {
namespace {

using sphinx::NodeAddress;

NodeAddress at(const std::string& text) {
  return NodeAddress::from_text(text).value();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(inward)

BOOST_AUTO_TEST_CASE(addresses_of_this_machine_and_this_wire_are_inward) {
  for (const char* text :
       {"127.0.0.1:6379", "127.255.0.9:1", "0.0.0.0:80", "169.254.169.254:80", "[::1]:22",
        "[::]:22", "[fe80::1]:1", "[febf::1]:1", "[::ffff:127.0.0.1]:1", "[::ffff:169.254.1.1]:1"})
    BOOST_TEST(is_inward(at(text)), text);
}

BOOST_AUTO_TEST_CASE(others_are_not) {
  for (const char* text :
       {"126.0.0.1:1", "128.0.0.1:1", "169.253.0.1:1", "10.0.0.1:1", "192.168.1.1:1", "1.0.0.0:1",
        "[::2]:1", "[fec0::1]:1", "[2001:db8::1]:1", "[::ffff:10.0.0.1]:1", "[::1:0]:1"})
    BOOST_TEST(!is_inward(at(text)), text);
}

BOOST_AUTO_TEST_CASE(a_mix_on_a_network_does_not_send_inward) {
  const std::vector listed{at("127.0.0.1:6379"), at("10.0.0.2:1789"), at("[::1]:1789")};
  BOOST_TEST((sendable_from(at("10.0.0.1:1789"), listed) == std::vector{at("10.0.0.2:1789")}));
}

BOOST_AUTO_TEST_CASE(a_mix_of_a_devnet_sends_to_all) {
  const std::vector listed{at("127.0.0.1:9980"), at("10.0.0.2:1789")};
  BOOST_TEST((sendable_from(at("127.0.0.1:9981"), listed) == listed));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mix::mixnode
