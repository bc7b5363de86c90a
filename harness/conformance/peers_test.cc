// SPDX-License-Identifier: Apache-2.0
// Two programs on two hosts, at many latencies, on one host, and natively: the same dialogue. Then
// what only a lab can do to them: crash, pause, stop.
#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "harness/conformance/lab_run.h"

using namespace lab::conformance;
using namespace std::chrono_literals;

namespace {

struct Dialogue {
  const char* server;
  const char* client;
};

Result talk(Dialogue d, lab::Duration latency, int client_host = 2) {
  Setup setup;
  setup.latency = latency;
  setup.programs = {
      {1, {program("peers"), d.server, "7100"}, {}, {}, {}},
      {client_host,
       {program("peers"), d.client, client_host == 1 ? "127.0.0.1" : "10.0.0.1", "7100"},
       1ms,
       {},
       {}}};
  return run_in_lab(setup);
}

void compare(Dialogue d) {
  const std::string port = free_port();
  const auto native = run_natively(
      {{program("peers"), d.server, port}, {program("peers"), d.client, "127.0.0.1", port}});
  for (const lab::Duration latency : {0ns, lab::Duration(1us), lab::Duration(20ms),
                                      lab::Duration(500ms), lab::Duration(1s), lab::Duration(2s)}) {
    BOOST_TEST_CONTEXT(d.client << " at " << latency.count() << " ns") {
      const Result r = talk(d, latency);
      BOOST_TEST(r.text(0) == native[0]);
      BOOST_TEST(r.text(1) == native[1]);
    }
  }
  BOOST_TEST_CONTEXT(d.client << " on one host") {
    const Result r = talk(d, 20ms, 1);
    BOOST_TEST(r.text(0) == native[0]);
    BOOST_TEST(r.text(1) == native[1]);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(peers)

BOOST_AUTO_TEST_CASE(half_closed_at_any_latency) {
  compare({"serve-half", "half"});
}
BOOST_AUTO_TEST_CASE(reset_at_any_latency) {
  compare({"serve-reset", "reset"});
}
BOOST_AUTO_TEST_CASE(close_lingers_at_any_latency) {
  compare({"serve-linger", "linger"});
}

BOOST_AUTO_TEST_CASE(datagrams_come_and_closed_ports_answer) {
  const Result r = talk({"datagrams", "datagrams"}, 10ms);
  BOOST_TEST(r.text(0) == "recvfrom: 8\n");
  BOOST_TEST(r.text(1) ==
             "connect: 0\nsend: 8\nrecv: 4\ndata\nrecv from a closed port: ECONNREFUSED\n");
}

BOOST_AUTO_TEST_CASE(a_full_backlog_makes_connects_wait_and_loses_none) {
  const Result r = talk({"serve-late", "many"}, 10ms);
  BOOST_TEST(r.text(0) == "six served\n");
  BOOST_TEST(r.text(1) == "12 bytes\n");
}

BOOST_AUTO_TEST_CASE(nobody_at_an_address_is_no_route) {
  Setup setup;
  setup.programs = {{1, {program("peers"), "nowhere", "10.9.9.9", "80"}, {}, {}, {}}};
  const Result r = run_in_lab(setup);
  BOOST_TEST(r.text() == "connect: EHOSTUNREACH\n");
  BOOST_TEST(lab::ns(r.end) == 3'000'000'000);
}

namespace {

struct Lab {
  explicit Lab(lab::Duration latency) : network(latency) {
    lab::controller::Options options;
    options.shim = shim();
    x = std::move(*lab::controller::Controller::create(options, network, keeper));
    folder = (std::filesystem::temp_directory_path() / "mixlab-peers-test").string();
    std::filesystem::create_directories(folder);
    for (std::uint32_t i = 1; i <= 2; ++i)
      (void)x->add_host({"h" + std::to_string(i), 0x0a000000 + i, {}, 0, {}, {}});
  }
  lab::NodeId add(std::uint32_t host, std::vector<std::string> argv, lab::Duration start = 0ns) {
    lab::controller::ProgramSpec spec;
    spec.host = lab::HostId{host};
    spec.name = argv[1];
    spec.argv = std::move(argv);
    spec.folder = folder;
    spec.start = lab::VirtualTime(start);
    return *x->add_program(spec);
  }
  bool until(lab::Duration t) { return x->run_until(lab::VirtualTime(t)).has_value(); }

  PlainNetwork network;
  Keeper keeper;
  std::string folder;
  std::unique_ptr<lab::controller::Controller> x;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_crash_closes_connections_and_frees_the_port) {
  Lab l(10ms);
  const auto server = l.add(0, {program("tcp_echo"), "server", "7100"});
  const auto client =
      l.add(1, {program("tcp_echo"), "client", "10.0.0.1", "7100", "1000000", "64"}, 1ms);
  BOOST_TEST(l.until(1s));
  l.x->crash(server);
  BOOST_TEST(l.until(2s));
  BOOST_TEST(l.x->exited(server)->killed_by_lab);
  BOOST_REQUIRE(l.x->exited(client).has_value());
  BOOST_TEST(l.x->exited(client)->wait_status == 2 << 8);  // its read ended
  const auto again = l.add(0, {program("tcp_echo"), "server", "7100"});
  const auto second = l.add(1, {program("tcp_echo"), "client", "10.0.0.1", "7100", "3", "64"});
  BOOST_TEST(l.until(10s));
  BOOST_TEST(l.keeper.out[lab::index(second)] == "3 of 3 rounds\n");
  BOOST_TEST(l.keeper.out[lab::index(again)] == "served 192 bytes\n");
}

BOOST_AUTO_TEST_CASE(a_paused_node_loses_nothing) {
  Lab l(10ms);
  const auto server = l.add(0, {program("tcp_echo"), "server", "7100"});
  const auto client =
      l.add(1, {program("tcp_echo"), "client", "10.0.0.1", "7100", "20", "64"}, 1ms);
  BOOST_TEST(l.until(100ms));
  l.x->pause(server);
  BOOST_TEST(l.until(5s));
  BOOST_TEST(!l.x->exited(client).has_value());
  l.x->resume(server);
  BOOST_TEST(l.until(10s));
  BOOST_TEST(l.keeper.out[lab::index(client)] == "20 of 20 rounds\n");
}

BOOST_AUTO_TEST_CASE(stop_reaches_handlers_and_asio) {
  Lab l(10ms);
  const auto plain = l.add(0, {program("peers"), "wait-term"});
  const auto asio = l.add(1, {program("asio_echo"), "server", "7100"});
  BOOST_TEST(l.until(1s));
  l.x->stop(plain);
  l.x->stop(asio);
  BOOST_TEST(l.until(2s));
  BOOST_TEST(l.keeper.out[lab::index(plain)] == "told\n");
  BOOST_TEST(l.keeper.out[lab::index(asio)] == "signal 15\n");
  BOOST_TEST(l.x->exited(plain)->wait_status == 3 << 8);
  BOOST_TEST(l.x->exited(asio)->wait_status == 0);
  BOOST_TEST(lab::ns(l.x->exited(plain)->time) == 1'000'000'000);
}

BOOST_AUTO_TEST_CASE(a_stepped_clock_moves_wall_time_only) {
  Lab l(10ms);
  const auto node = l.add(0, {program("clock"), "x"});
  BOOST_TEST(l.until(1s));
  l.x->step_clock(lab::HostId{0}, 100s);
  BOOST_TEST(l.until(3s));
  BOOST_TEST(l.keeper.out[lab::index(node)] ==
             "monotonic 0.000000000\nrealtime 0.000000000\n"
             "monotonic 1.234567891\nrealtime 101.234567891\npid 1000\n");
}

BOOST_AUTO_TEST_SUITE_END()
