// SPDX-License-Identifier: Apache-2.0
#include <boost/test/unit_test.hpp>

#include "harness/conformance/lab_run.h"

using namespace lab::conformance;
using namespace std::chrono_literals;

namespace {

Setup tcp(const std::string& rounds, const std::string& size) {
  Setup setup;
  setup.programs = {
      {1, {program("tcp_echo"), "server", "7000"}, {}, {}, {}},
      {2, {program("tcp_echo"), "client", "10.0.0.1", "7000", rounds, size}, 1ms, {}, {}}};
  return setup;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(echo)

BOOST_AUTO_TEST_CASE(two_processes_echo_over_simulated_tcp) {
  const Result r = run_in_lab(tcp("10", "64"));
  BOOST_TEST(r.text(0) == "served 640 bytes\n");
  BOOST_TEST(r.text(1) == "10 of 10 rounds\n");
  // Start at 1 ms, handshake 20 ms, ten rounds of 20 ms; then a FIN each way, 10 ms.
  BOOST_TEST(lab::ns(r.end) == 241'000'000);
}

BOOST_AUTO_TEST_CASE(large_messages_pass_through_bounded_windows) {
  const Result r = run_in_lab(tcp("3", "300000"));
  BOOST_TEST(r.text(0) == "served 900000 bytes\n");
  BOOST_TEST(r.text(1) == "3 of 3 rounds\n");
}

BOOST_AUTO_TEST_CASE(asio_coroutines_echo_on_many_connections) {
  Setup setup;
  setup.limit = 5s;
  setup.programs = {
      {1, {program("asio_echo"), "server", "7000"}, 5ms, {}, {}},
      {2, {program("asio_echo"), "client", "10.0.0.1", "7000", "5", "20", "1372"}, {}, {}, {}}};
  const Result r = run_in_lab(setup);
  BOOST_TEST(r.text(1) == "100 of 100 rounds\n");
  BOOST_TEST(r.text(0) == "[signal 9]\n");  // the lab ended it
}

BOOST_AUTO_TEST_CASE(equal_runs_have_equal_chains_and_other_latencies_have_not) {
  const std::string first = run_in_lab(tcp("20", "64")).kept.chain_hex();
  BOOST_TEST(run_in_lab(tcp("20", "64")).kept.chain_hex() == first);
  Setup later = tcp("20", "64");
  later.latency = 11ms;
  BOOST_TEST(run_in_lab(later).kept.chain_hex() != first);
}

BOOST_AUTO_TEST_SUITE_END()
