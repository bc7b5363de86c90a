// SPDX-License-Identifier: Apache-2.0
#include "src/wire/frame.h"

#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <numeric>

namespace mix::wire {
namespace {

/// A stream no two packets of which are equal, nor any byte of one a shift of another.
Bytes stream_of(std::size_t length) {
  Bytes stream(length);
  for (std::size_t i = 0; i < length; ++i)
    stream[i] = static_cast<std::uint8_t>(i * 2654435761u >> 13 ^ i / kPacketBytes);
  return stream;
}

/// What the reader makes of the stream when its reads end at these places.
std::vector<Bytes> packets_of(FrameReader& reader, const Bytes& stream,
                              const std::vector<std::size_t>& cuts) {
  std::vector<Bytes> packets;
  std::size_t from = 0;
  for (std::size_t to : cuts) {
    // A buffer of its own, gone after the chunk: the reader must not look at it later.
    Bytes chunk(stream.begin() + static_cast<std::ptrdiff_t>(from),
                stream.begin() + static_cast<std::ptrdiff_t>(to));
    reader.feed(chunk);
    while (auto packet = reader.next())
      packets.emplace_back(packet->begin(), packet->end());
    from = to;
  }
  return packets;
}

bool cut_exactly(const std::vector<Bytes>& packets, const Bytes& stream) {
  if (packets.size() != stream.size() / kPacketBytes) return false;
  for (std::size_t i = 0; i < packets.size(); ++i)
    if (!equal(packets[i], BytesView(stream).subspan(i * kPacketBytes, kPacketBytes))) return false;
  return true;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(frame)

BOOST_AUTO_TEST_CASE(any_cut_of_the_stream_gives_the_same_packets) {
  BOOST_TEST(rc::check([] {
    const auto length = *rc::gen::inRange<std::size_t>(0, 6 * kPacketBytes);
    const Bytes stream = stream_of(length);
    auto cuts =
        *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, length + 1));
    std::ranges::sort(cuts);
    cuts.push_back(length);
    FrameReader reader;
    RC_ASSERT(cut_exactly(packets_of(reader, stream, cuts), stream));
    RC_ASSERT(reader.unfinished() == length % kPacketBytes);
  }));
}

BOOST_AUTO_TEST_CASE(a_stream_read_byte_by_byte_gives_the_same_packets) {
  const Bytes stream = stream_of(3 * kPacketBytes + 7);
  std::vector<std::size_t> cuts(stream.size());
  std::iota(cuts.begin(), cuts.end(), 1);
  FrameReader reader;
  BOOST_TEST(cut_exactly(packets_of(reader, stream, cuts), stream));
  BOOST_TEST(reader.unfinished() == 7u);
}

BOOST_AUTO_TEST_CASE(every_place_a_packet_can_be_cut_at_gives_both_packets) {
  const Bytes stream = stream_of(2 * kPacketBytes);
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    FrameReader reader;
    BOOST_REQUIRE(cut_exactly(packets_of(reader, stream, {cut, stream.size()}), stream));
    BOOST_REQUIRE_EQUAL(reader.unfinished(), 0u);
  }
}

BOOST_AUTO_TEST_CASE(a_whole_packet_is_handed_on_where_it_lies) {
  const Bytes stream = stream_of(kPacketBytes);
  FrameReader reader;
  reader.feed(stream);
  BOOST_TEST(reader.next()->data() == stream.data());
  BOOST_TEST(!reader.next().has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mix::wire
