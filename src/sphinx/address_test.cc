// SPDX-License-Identifier: Apache-2.0
#include "src/sphinx/address.h"

#include <rapidcheck/boost_test.h>
#include <boost/test/unit_test.hpp>

using namespace mix;
using namespace mix::sphinx;

namespace {

NodeAddress any_address() {
  const auto port = *rc::gen::arbitrary<std::uint16_t>();
  if (*rc::gen::arbitrary<bool>())
    return NodeAddress::ipv4(*rc::gen::arbitrary<ByteArray<4>>(), port);
  return NodeAddress::ipv6(*rc::gen::arbitrary<ByteArray<16>>(), port);
}

}  // namespace

RC_BOOST_PROP(an_address_survives_its_encoding_and_its_text, ()) {
  const NodeAddress address = any_address();
  RC_ASSERT(NodeAddress::decode(address.encode()) == address);
  RC_ASSERT(NodeAddress::from_text(address.to_text()).value() == address);
}

RC_BOOST_PROP(trailing_bytes_of_an_address_mean_nothing, (const ByteArray<32>& noise)) {
  const NodeAddress address = any_address();
  auto bytes = address.encode();
  const std::size_t used = address.family == NodeAddress::Family::ipv4 ? 7 : 19;
  std::ranges::copy(std::span(noise).subspan(used), bytes.begin() + static_cast<long>(used));
  const auto decoded = NodeAddress::decode(bytes);
  RC_ASSERT(decoded == address);
  RC_ASSERT(std::hash<NodeAddress>{}(*decoded) == std::hash<NodeAddress>{}(address));
}

RC_BOOST_PROP(arbitrary_bytes_are_an_address_exactly_when_they_begin_with_4_or_6,
              (ByteArray<32> bytes)) {
  if (*rc::gen::arbitrary<bool>()) bytes[0] = *rc::gen::element<std::uint8_t>(4, 6);
  RC_ASSERT(NodeAddress::decode(bytes).has_value() == (bytes[0] == 4 || bytes[0] == 6));
}

RC_BOOST_PROP(a_changed_text_is_refused_or_reads_back, (std::uint8_t with)) {
  std::string text = any_address().to_text();
  text[*rc::gen::inRange<std::size_t>(0, text.size())] = static_cast<char>(with);
  if (const auto address = NodeAddress::from_text(text))
    RC_ASSERT(NodeAddress::from_text(address->to_text()).value() == *address);
}

BOOST_AUTO_TEST_CASE(texts_that_are_no_address_are_refused) {
  for (const char* wrong : {"",
                            ":",
                            "127.0.0.1",
                            "127.0.0.1:",
                            "127.0.0.1:65536",
                            "127.0.0.1:-1",
                            "127.0.0.1:+1",
                            "127.0.0.1: 1",
                            "127.0.0.1:1 ",
                            "localhost:9980",
                            "256.0.0.1:1",
                            "127.0.1:1",
                            "::1:9980",
                            "[127.0.0.1]:1",
                            "[::1]9980",
                            "[::1:9980",
                            "[]:1",
                            "[fe80::1%lo]:1",
                            "[::1]:99999",
                            "[::11111]:1",
                            "4294967297.0.0.1:1"})
    BOOST_TEST(!NodeAddress::from_text(wrong).has_value(), "'" << wrong << "'");
  BOOST_TEST(!NodeAddress::from_text(std::string("127.0.0.1\0.9:1", 14)).has_value());
  BOOST_TEST(!NodeAddress::from_text(std::string(100'000, '1') + ":1").has_value());
  BOOST_TEST(NodeAddress::from_text("mix.example:1").error().find("mix.example:1") !=
             std::string::npos);
}
