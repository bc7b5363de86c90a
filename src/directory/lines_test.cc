// SPDX-License-Identifier: Apache-2.0
#include "src/directory/lines.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

using namespace mix;
using namespace mix::directory;

BOOST_AUTO_TEST_SUITE(lines)

BOOST_AUTO_TEST_CASE(more_lines_than_a_second_may_have_become_one) {
  std::vector<std::string> written;
  Lines lines([&](const std::string& line) { written.push_back(line); }, 2);
  for (int n = 0; n < 5; ++n)
    lines.take("2020-01-26T00:53:20." + std::to_string(n) + "00Z POST " + std::to_string(n));
  BOOST_TEST(written.size() == 2u);
  lines.take("2020-01-26T00:53:21.000Z GAP");
  BOOST_REQUIRE(written.size() == 4u);
  BOOST_TEST(written[1] == "2020-01-26T00:53:20.100Z POST 1");
  BOOST_TEST(written[2] == "2020-01-26T00:53:20Z and 3 lines more in this second");
  BOOST_TEST(written[3] == "2020-01-26T00:53:21.000Z GAP");
  lines.finish();
  BOOST_TEST(written.size() == 4u);
}

BOOST_AUTO_TEST_CASE(what_the_last_second_left_out_is_said_in_the_end) {
  std::vector<std::string> written;
  Lines lines([&](const std::string& line) { written.push_back(line); }, 1);
  lines.take("2020-01-26T00:53:20.000Z one");
  lines.take("2020-01-26T00:53:20.000Z other");
  lines.take("short");  // no time at all: a second of its own
  lines.finish();
  lines.finish();
  BOOST_REQUIRE(written.size() == 3u);
  BOOST_TEST(written[1] == "2020-01-26T00:53:20Z and 1 lines more in this second");
  BOOST_TEST(written[2] == "short");
}

BOOST_AUTO_TEST_SUITE_END()
