// SPDX-License-Identifier: Apache-2.0
// One test a family: the program prints in the lab what it prints on Linux, and one chain results
// from a second run, from the other trap and without interposition.
#include "harness/conformance/compare.h"

using namespace lab::conformance;
using namespace std::chrono_literals;

namespace {

Setup pair(const std::vector<std::string>& listen, const std::vector<std::string>& dial,
           lab::Duration latency) {
  Setup setup;
  setup.latency = latency;
  setup.programs = {{1, listen, {}, {}, {}}, {2, dial, 1ms, {}, {}}};
  return setup;
}

constexpr lab::Duration kLatencies[] = {0ms, 1ms, 500ms, 2s};

void ends_as_on_linux(const std::string& name) {
  BOOST_TEST_INFO(name);
  const std::string binary = program("tcp_ends"), port = free_port();
  const auto native =
      run_natively({{binary, "listen", name, port}, {binary, "dial", name, "127.0.0.1", port}});
  BOOST_TEST(!native[1].empty());
  for (const lab::Duration latency : kLatencies) {
    BOOST_TEST_CONTEXT(name << " at a latency of " << latency.count() << " ns") {
      const Setup setup = pair({binary, "listen", name, "7000"},
                               {binary, "dial", name, "10.0.0.1", "7000"}, latency);
      const Result r = run_in_lab(setup);
      BOOST_TEST(difference(r.text(0), native[0]) == "");
      BOOST_TEST(difference(r.text(1), native[1]) == "");
      if (latency == 1ms) one_chain(setup);
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(as_linux)

BOOST_AUTO_TEST_CASE(tcp_calls_of_one_host) {
  as_on_linux("tcp_calls");
}

BOOST_AUTO_TEST_CASE(a_refused_connect_at_any_latency) {
  const std::string binary = program("tcp_ends");
  const std::string native =
      run_natively({{binary, "dial", "refused", "127.0.0.1", free_port()}})[0];
  for (const lab::Duration latency : kLatencies) {
    const Result r = run_in_lab(pair({program("ending"), "return"},
                                     {binary, "dial", "refused", "10.0.0.1", "7000"}, latency));
    BOOST_TEST(difference(r.text(1), native) == "");
  }
}
BOOST_AUTO_TEST_CASE(half_closes_at_any_latency) {
  for (const char* name : {"half_close_dialer", "half_close_listener", "both_shut"})
    ends_as_on_linux(name);
}
BOOST_AUTO_TEST_CASE(closes_at_any_latency) {
  for (const char* name :
       {"close_then_write", "close_with_data", "dialer_closes_with_data", "linger_waits"})
    ends_as_on_linux(name);
}
BOOST_AUTO_TEST_CASE(resets_at_any_latency) {
  for (const char* name : {"reset_by_unread", "reset_by_linger"})
    ends_as_on_linux(name);
}
BOOST_AUTO_TEST_CASE(a_peer_sees_how_a_program_ended) {
  for (const char* name : {"exit_open", "exit_unread", "abort_open", "killed_open", "pipe_signal"})
    ends_as_on_linux(name);
}

BOOST_AUTO_TEST_CASE(a_slow_reader_stops_the_writer_until_it_reads) {
  const std::string binary = program("tcp_pressure"), port = free_port();
  const auto native = run_natively({{binary, "listen", port}, {binary, "dial", "127.0.0.1", port}});
  for (const lab::Duration latency : kLatencies) {
    const Setup setup =
        pair({binary, "listen", "7000"}, {binary, "dial", "10.0.0.1", "7000"}, latency);
    const Result r = run_in_lab(setup);
    BOOST_TEST(difference(r.text(0), native[0]) == "");
    BOOST_TEST(difference(r.text(1), native[1]) == "");
    if (latency == 1ms) one_chain(setup);
  }
}

BOOST_AUTO_TEST_CASE(datagrams) {
  as_on_linux("udp_cases");
}
BOOST_AUTO_TEST_CASE(epoll) {
  as_on_linux("epoll_kinds");
}
BOOST_AUTO_TEST_CASE(poll_and_select) {
  as_on_linux("poll_cases");
}
BOOST_AUTO_TEST_CASE(timerfd) {
  as_on_linux("timerfd_cases");
}
BOOST_AUTO_TEST_CASE(eventfd) {
  as_on_linux("eventfd_cases");
}
BOOST_AUTO_TEST_CASE(pipes_and_pairs) {
  as_on_linux("pipe_cases");
}
BOOST_AUTO_TEST_CASE(clocks_and_sleeps) {
  as_on_linux("sleep_cases");
}
BOOST_AUTO_TEST_CASE(signals) {
  as_on_linux("signal_cases");
}
BOOST_AUTO_TEST_CASE(threads) {
  as_on_linux("thread_cases");
}
BOOST_AUTO_TEST_CASE(files) {
  as_on_linux("file_cases");
}
BOOST_AUTO_TEST_CASE(sqlite_with_a_write_ahead_log) {
  as_on_linux("sqlite_wal");
}
BOOST_AUTO_TEST_CASE(entropy) {
  as_on_linux("entropy_cases");
}

// The same families once more, by other programs: what these print, the ones above do not.
BOOST_AUTO_TEST_CASE(states_of_tcp) {
  as_on_linux("tcp_states");
}
BOOST_AUTO_TEST_CASE(epoll_of_many_kinds) {
  as_on_linux("epoll_cases");
}
BOOST_AUTO_TEST_CASE(waits_of_every_kind) {
  as_on_linux("waits");
}
BOOST_AUTO_TEST_CASE(locks_and_conditions) {
  as_on_linux("threads");
}
BOOST_AUTO_TEST_CASE(a_folder_and_its_files) {
  as_on_linux("files");
}
BOOST_AUTO_TEST_CASE(ends_while_something_is_open) {
  for (const char* how : {"abort", "term", "pipe", "segv", "exit", "_exit"})
    BOOST_TEST_CONTEXT(how) {
      as_on_linux("waits", {how});
    }
}

BOOST_AUTO_TEST_CASE(every_way_to_end) {
  for (const char* how :
       {"return", "exit", "_exit", "quick_exit", "thread_exit", "large", "main_thread_ends",
        "main_thread_joined", "abort", "throw", "terminate", "segv", "fpe", "ill", "overflow",
        "raise_term", "raise_kill", "segv_handled", "segv_raised"})
    BOOST_TEST_CONTEXT(how) {
      as_on_linux("ending", {how});
    }
}

BOOST_AUTO_TEST_SUITE_END()
