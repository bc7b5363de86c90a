// SPDX-License-Identifier: Apache-2.0
#include <boost/test/unit_test.hpp>

#include "harness/conformance/lab_run.h"

using namespace lab::conformance;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(starting)

BOOST_AUTO_TEST_CASE(a_program_reads_the_virtual_time) {
  Setup setup;
  setup.programs = {{1, {program("clock")}, 5s, {}, {}}};
  const Result r = run_in_lab(setup);
  BOOST_TEST(r.text() ==
             "monotonic 5.000000000\nrealtime 1767225605.000000000\n"
             "monotonic 6.234567891\nrealtime 1767225606.234567891\npid 1000\n");
}

BOOST_AUTO_TEST_SUITE_END()
