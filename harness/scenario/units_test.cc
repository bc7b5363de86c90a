// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/units.h"

#include <rapidcheck/boost_test.h>
#include <boost/test/unit_test.hpp>

using namespace lab;
using namespace lab::scenario;
using namespace std::chrono_literals;

RC_BOOST_PROP(a_duration_reads_back_as_it_was_written, (std::int64_t ns)) {
  if (ns == INT64_MIN) RC_DISCARD("no positive twin");
  RC_ASSERT(read_duration(write_duration(Duration(ns)), true).value() == Duration(ns));
}

RC_BOOST_PROP(sizes_and_bandwidths_read_back_as_they_were_written, ()) {
  const auto n = *rc::gen::inRange<std::uint64_t>(1, 1'000'000'000'000);
  RC_ASSERT(read_size(write_size(n)).value() == n);
  RC_ASSERT(read_bandwidth(write_bandwidth(n)).value() == n);
}

BOOST_AUTO_TEST_CASE(ratios_are_exact) {
  BOOST_TEST((read_ratio("2/1000") == ratio(1, 500)));
  BOOST_TEST((read_ratio("0.002") == ratio(1, 500)));
  BOOST_TEST((read_ratio("1") == Ratio{1, 1}));
  BOOST_TEST((read_ratio("0") == Ratio{0, 1}));
  for (const char* wrong :
       {"", "2", "1.5", "1/0", "3/2", "-1", "1/2/3", "x", "1 /", "0.5/2", "1e-3"})
    BOOST_TEST(!read_ratio(wrong).has_value(), wrong);
}

BOOST_AUTO_TEST_CASE(rates_read_in_any_unit_and_write_back_exactly) {
  BOOST_TEST((read_rate("2 / s") == Ratio{2, 1}));
  BOOST_TEST((read_rate("0.5/s") == Ratio{1, 2}));
  BOOST_TEST((read_rate("30 / min") == Ratio{1, 2}));
  BOOST_TEST((mean_gap(Ratio{2, 1}) == 500ms));
  for (const char* text : {"2 / s", "0.5 / s", "7 / h", "0.3 / ms", "0.0001 / h", "2.5 / min"})
    BOOST_TEST((read_rate(write_rate(*read_rate(text))) == read_rate(text)), text);
  for (const char* wrong : {"", "2", "0 / s", "2 / parsec", "-1 / s", "2 s", "1 / us"})
    BOOST_TEST(!read_rate(wrong).has_value(), wrong);
}

BOOST_AUTO_TEST_CASE(moments_are_read_to_the_second) {
  BOOST_TEST(*read_epoch("2026-01-01T00:00:00Z") == 1'767'225'600'000'000'000);
  for (const char* wrong :
       {"2026-01-01", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:00", "2026-01-01T00:00:00Z ", "1969-01-01T00:00:00Z"})
    BOOST_TEST(!read_epoch(wrong).has_value(), wrong);
}
