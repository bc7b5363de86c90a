// SPDX-License-Identifier: Apache-2.0
// Each family's program prints the same natively and in the lab, trapped either way, interposed or
// not.
#include <boost/test/unit_test.hpp>

#include "harness/conformance/lab_run.h"

using namespace lab::conformance;
using lab::controller::Trap;

namespace {

std::string in_lab(const std::vector<std::string>& argv, Trap trap = Trap::seccomp,
                   bool interpose = true) {
  Setup setup;
  setup.programs = {{1, argv, {}, {}, {}}};
  setup.options.trap = trap;
  setup.options.interpose = interpose;
  return run_in_lab(setup).text();
}

void compare(const std::string& name, const std::vector<std::string>& arguments = {}) {
  std::vector<std::string> argv = {program(name)};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const std::string native = run_natively({argv})[0];
  BOOST_TEST(!native.empty());
  BOOST_TEST(in_lab(argv) == native);
  BOOST_TEST(in_lab(argv, Trap::sud, false) == native);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(families)

BOOST_AUTO_TEST_CASE(tcp_states_as_natively) {
  compare("tcp_states");
}
BOOST_AUTO_TEST_CASE(epoll_poll_and_select_as_natively) {
  compare("epoll_cases");
}
BOOST_AUTO_TEST_CASE(timers_pipes_counters_and_signals_as_natively) {
  compare("waits");
}
BOOST_AUTO_TEST_CASE(threads_as_natively) {
  compare("threads");
}
BOOST_AUTO_TEST_CASE(files_as_natively) {
  compare("files");
}
BOOST_AUTO_TEST_CASE(programs_end_as_natively) {
  for (const char* end : {"abort", "term", "pipe", "segv", "exit", "_exit"})
    compare("waits", {end});
}

BOOST_AUTO_TEST_SUITE_END()
