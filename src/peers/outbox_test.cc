// SPDX-License-Identifier: Apache-2.0
#include "src/peers/outbox.h"

#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>

namespace mix::peers {
namespace {

using Packet = ByteArray<wire::kPacketBytes>;

Packet packet(int n) {
  Packet bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(static_cast<std::size_t>(n) * 31 + i);
  return bytes;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(outbox)

/// However the system takes the bytes and whenever packets are added, the stream is the packets in
/// order, and each is complete exactly when its last byte went.
BOOST_AUTO_TEST_CASE(bytes_go_in_order_and_each_packet_is_complete_once) {
  BOOST_TEST(rc::check([] {
    Outbox<int> outbox;
    Bytes sent;
    std::vector<int> complete;
    int added = 0;
    const auto steps = *rc::gen::container<std::vector<std::pair<int, std::size_t>>>(rc::gen::pair(
        rc::gen::inRange(0, 4),
        rc::gen::oneOf(rc::gen::inRange<std::size_t>(0, 3 * wire::kPacketBytes),
                       rc::gen::element<std::size_t>(1, wire::kPacketBytes - 1, wire::kPacketBytes,
                                                     wire::kPacketBytes + 1))));
    const auto take = [&](std::size_t n) {
      const BytesView rest = outbox.rest();
      n = std::min(n, rest.size());
      sent.insert(sent.end(), rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(n));
      outbox.take(n, [&](int note) { complete.push_back(note); });
    };
    for (const auto& [packets, bytes] : steps) {
      for (int i = 0; i < packets; ++i, ++added)
        outbox.add(packet(added), added);
      take(bytes);
      RC_ASSERT(complete.size() == sent.size() / wire::kPacketBytes);
      RC_ASSERT(outbox.size() == static_cast<std::size_t>(added) - complete.size());
      if (!outbox.empty())
        RC_ASSERT(outbox.first().size() == wire::kPacketBytes - sent.size() % wire::kPacketBytes);
    }
    take(outbox.rest().size());
    RC_ASSERT(outbox.empty());
    RC_ASSERT(sent.size() == static_cast<std::size_t>(added) * wire::kPacketBytes);
    for (int i = 0; i < added; ++i) {
      RC_ASSERT(complete[static_cast<std::size_t>(i)] == i);
      RC_ASSERT(
          equal(packet(i), BytesView(sent).subspan(static_cast<std::size_t>(i) * wire::kPacketBytes,
                                                   wire::kPacketBytes)));
    }
  }));
}

BOOST_AUTO_TEST_CASE(after_rewind_the_first_packet_goes_whole_again) {
  Outbox<int> outbox;
  outbox.add(packet(1), 1);
  outbox.add(packet(2), 2);
  outbox.take(wire::kPacketBytes + 100, [](int) {});
  outbox.rewind();
  BOOST_TEST(equal(outbox.rest(), packet(2)));
}

BOOST_AUTO_TEST_CASE(dropping_names_every_packet_not_complete) {
  Outbox<int> outbox;
  for (int i = 0; i < 5; ++i)
    outbox.add(packet(i), i);
  outbox.take(wire::kPacketBytes + 1, [](int) {});
  std::vector<int> dropped;
  outbox.drop_all([&](int note) { dropped.push_back(note); });
  BOOST_TEST(dropped == (std::vector<int>{1, 2, 3, 4}), boost::test_tools::per_element());
  BOOST_TEST(outbox.rest().empty());
  outbox.add(packet(9), 9);
  BOOST_TEST(equal(outbox.rest(), packet(9)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mix::peers
