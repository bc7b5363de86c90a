// SPDX-License-Identifier: Apache-2.0
#include <rapidcheck/boost_test.h>
#include <boost/test/unit_test.hpp>

#include "src/prelude/bytes.h"
#include "src/prelude/cursor.h"
#include "src/prelude/instant.h"

using namespace mix;

RC_BOOST_PROP(hex_comes_back_as_the_same_bytes, (const Bytes& bytes)) {
  RC_ASSERT(from_hex(to_hex(bytes)) == bytes);
}

BOOST_AUTO_TEST_CASE(hex_refuses_odd_lengths_and_strange_digits) {
  BOOST_TEST(!from_hex("abc").has_value());
  BOOST_TEST(!from_hex("0g").has_value());
  BOOST_TEST(from_hex("AbcD").value() == (Bytes{0xab, 0xcd}));
}

RC_BOOST_PROP(a_cursor_reads_what_a_writer_wrote, (std::uint8_t a, std::uint16_t b, std::uint32_t c,
                                                   std::uint64_t d, const Bytes& tail)) {
  Bytes out;
  Writer(out).u8(a).u16(b).u32(c).u64(d).bytes(tail);
  Reader in(out);
  RC_ASSERT(in.u8() == a);
  RC_ASSERT(in.u16() == b);
  RC_ASSERT(in.u32() == c);
  RC_ASSERT(in.u64() == d);
  RC_ASSERT(equal(in.take(tail.size()), tail));
  RC_ASSERT(in.done());
}

BOOST_AUTO_TEST_CASE(a_reader_that_ran_out_stays_bad_and_reads_zeros) {
  const Bytes three{1, 2, 3};
  Reader in(three);
  BOOST_TEST(in.u32() == 0u);
  BOOST_TEST(!in.ok());
  BOOST_TEST(in.u8() == 0u);
  BOOST_TEST(!in.done());
}

BOOST_AUTO_TEST_CASE(durations_are_read_exactly) {
  BOOST_TEST((parse_duration("20 ms") == 20ms));
  BOOST_TEST((parse_duration("1.5s") == 1500ms));
  BOOST_TEST((parse_duration("0.000000001 s") == 1ns));
  BOOST_TEST((parse_duration("2 min") == 2min));
  for (const char* wrong : {"", "ms", "20", "-1 ms", "1.5 ns", "1..2 s", "20 parsecs", "1e3 ms",
                            "99999999999 h", "9999999999999999999999999 s"})
    BOOST_TEST(!parse_duration(wrong).has_value(), wrong);
}

BOOST_AUTO_TEST_CASE(durations_are_shown_with_three_digits) {
  BOOST_TEST(to_text(999ns) == "999 ns");
  BOOST_TEST(to_text(1500us) == "1.50 ms");
  BOOST_TEST(to_text(Duration(2s)) == "2.00 s");
  BOOST_TEST(to_text(Duration(125s)) == "125 s");
  BOOST_TEST(to_text(Duration(-25ms)) == "-25.0 ms");
}

BOOST_AUTO_TEST_CASE(wall_times_are_shown_in_utc) {
  BOOST_TEST(to_text(WallTime(Duration(1'580'000'000'123'456'789))) == "2020-01-26T00:53:20.123Z");
}
