// SPDX-License-Identifier: Apache-2.0
#include "harness/recorder/wire_tap.h"

#include <rapidcheck/boost_test.h>
#include <algorithm>
#include <boost/test/unit_test.hpp>

using namespace lab;
using namespace lab::recorder;

namespace {
constexpr ConnectionId kWire{7};
mix::Bytes stream_of(std::size_t packets) {
  mix::Bytes out(packets * kPacketBytes);
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<std::uint8_t>(i * 31 + i / kPacketBytes);
  return out;
}
}  // namespace

RC_BOOST_PROP(each_packet_is_found_once_however_the_stream_was_cut, ()) {
  const auto packets = *rc::gen::inRange<std::size_t>(1, 6);
  const mix::Bytes bytes = stream_of(packets);
  std::vector<WirePacketRow> rows;
  std::vector<mix::Bytes> seen;
  WireTap tap([&](WirePacketRow row, mix::BytesView unit) {
    rows.push_back(row);
    seen.emplace_back(unit.begin(), unit.end());
  });
  const bool late = *rc::gen::arbitrary<bool>();  // who listens is said after the first bytes came
  if (!late) tap.open(kWire, 1, 2, true);
  std::int64_t now = 0;
  std::vector<std::int64_t> left(packets), came(packets);
  const auto cut = [&](auto use) {
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t n = std::min(*rc::gen::inRange<std::size_t>(1, 3000), bytes.size() - at);
      use(at, n, ++now);
      at += n;
    }
  };
  cut([&](std::size_t at, std::size_t n, std::int64_t t) {
    tap.sent(kWire, at, mix::BytesView(bytes).subspan(at, n), at_ns(t));
    for (std::size_t i = at / kPacketBytes; i < (at + n) / kPacketBytes; ++i)
      left[i] = t;
  });
  cut([&](std::size_t at, std::size_t n, std::int64_t t) {
    tap.arrived(kWire, at + n, at_ns(t), true);
    for (std::size_t i = at / kPacketBytes; i < (at + n) / kPacketBytes; ++i)
      came[i] = t;
  });
  if (late) tap.open(kWire, 1, 2, true);
  tap.finish();
  RC_ASSERT(rows.size() == packets);
  for (std::size_t i = 0; i < packets; ++i) {
    RC_ASSERT(
        std::ranges::equal(seen[i], mix::BytesView(bytes).subspan(i * kPacketBytes, kPacketBytes)));
    RC_ASSERT(rows[i].sent_ns == left[i]);
    RC_ASSERT(rows[i].delivered_ns == std::optional(came[i]));
    RC_ASSERT(rows[i].fate == nullptr);
    RC_ASSERT(rows[i].from == NodeNumber(1));
    RC_ASSERT(rows[i].to == NodeNumber(2));
  }
}

BOOST_AUTO_TEST_CASE(what_was_under_way_when_a_connection_closed_has_its_fate) {
  const mix::Bytes bytes = stream_of(3);
  std::vector<WirePacketRow> rows;
  WireTap tap([&](WirePacketRow row, mix::BytesView) { rows.push_back(row); });
  tap.open(kWire, 1, 2, true);
  tap.sent(kWire, 0, bytes, at_ns(5));
  tap.arrived(kWire, kPacketBytes, at_ns(6), true);
  tap.close(kWire, at_ns(9), "connection_reset");
  tap.finish();
  BOOST_REQUIRE(rows.size() == 3);
  BOOST_TEST((rows[0].fate == nullptr));
  BOOST_TEST(std::string_view(rows[2].fate) == "connection_reset");
  BOOST_TEST(*rows[2].ended_ns == 9);
}

BOOST_AUTO_TEST_CASE(what_is_sent_after_a_connection_closed_has_its_fate_too) {
  const mix::Bytes bytes = stream_of(3);
  std::vector<WirePacketRow> rows;
  WireTap tap([&](WirePacketRow row, mix::BytesView) { rows.push_back(row); });
  tap.open(kWire, 1, 2, true);
  const mix::BytesView all(bytes);
  tap.sent(kWire, 0, all.first(2000), at_ns(5));
  tap.close(kWire, at_ns(9), "connection_reset");
  tap.sent(kWire, 2000, all.subspan(2000), at_ns(11));  // its client has not heard of it
  tap.finish();
  BOOST_REQUIRE(rows.size() == 3);
  for (const WirePacketRow& row : rows) {
    BOOST_TEST(std::string_view(row.fate) == "connection_reset");
    BOOST_TEST((row.from == NodeNumber(1)));
    BOOST_TEST(!row.delivered_ns.has_value());
  }
  BOOST_TEST(*rows[0].ended_ns == 9);
  BOOST_TEST(*rows[2].ended_ns == 11);
}

BOOST_AUTO_TEST_CASE(a_connection_to_anything_but_a_packet_listener_has_no_packets) {
  const mix::Bytes bytes = stream_of(1);
  WireTap tap([](WirePacketRow, mix::BytesView) { BOOST_ERROR("a packet"); });
  tap.sent(kWire, 0, bytes, at_ns(5));
  tap.arrived(kWire, kPacketBytes, at_ns(6), true);
  tap.open(kWire, 1, 2, false);
  tap.sent(kWire, kPacketBytes, bytes, at_ns(7));
  tap.finish();
}
