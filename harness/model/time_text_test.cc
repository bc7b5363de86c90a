// SPDX-License-Identifier: Apache-2.0
#include "harness/model/time_text.h"

#include <boost/test/unit_test.hpp>

using namespace lab;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_CASE(how_long_is_told_to_the_nanosecond) {
  BOOST_TEST(exact_text(Duration{}) == "0 s");
  BOOST_TEST(exact_text(Duration(1ns)) == "1 ns");
  BOOST_TEST(exact_text(Duration(1500ns)) == "1.5 us");
  BOOST_TEST(exact_text(Duration(424123456ns)) == "424.123456 ms");
  BOOST_TEST(exact_text(Duration(8s)) == "8 s");
  BOOST_TEST(exact_text(Duration(8s + 1ns)) == "8.000000001 s");
  BOOST_TEST(exact_text(Duration(90s)) == "90 s");
  BOOST_TEST(exact_text(Duration(-1500us)) == "-1.5 ms");
  BOOST_TEST(exact_text(Duration::min()) == "-9223372036.854775808 s");
}

BOOST_AUTO_TEST_CASE(when_is_told_in_seconds) {
  BOOST_TEST(exact_text(kStart) == "0 s");
  BOOST_TEST(exact_text(kStart + 500us) == "0.0005 s");
  BOOST_TEST(exact_text(at_ns(23013780094)) == "23.013780094 s");
  BOOST_TEST(exact_text(kNever) == "never");
}

BOOST_AUTO_TEST_CASE(what_is_shown_is_read_back) {
  for (const std::int64_t ns : {1ll, 999ll, 1000ll, 1001ll, 45021813797ll, 86'400'000'000'001ll}) {
    BOOST_TEST((mix::parse_duration(exact_text(Duration(ns))).value() == Duration(ns)));
    BOOST_TEST((mix::parse_duration(exact_text(at_ns(ns))).value() == Duration(ns)));
  }
}
