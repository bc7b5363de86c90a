// SPDX-License-Identifier: Apache-2.0
// What the lab refuses, reports and ends; never hangs on.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

#include "harness/conformance/lab_run.h"

using namespace lab::conformance;
using namespace std::chrono_literals;
using lab::controller::StopKind;
using lab::controller::Trap;

namespace {

Result misbehave(const std::string& how, const std::function<void(Setup&)>& change = {}) {
  Setup setup;
  setup.programs = {{1, {program("misbehave"), how}, 2s, {3}, {}}};
  if (change) change(setup);
  return run_in_lab(setup);
}

bool says(const Result& r, std::string_view text) {
  return r.stop && r.stop->text.find(text) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(misbehaviour)

BOOST_AUTO_TEST_CASE(unknown_calls_stop_the_run_and_are_named) {
  for (Trap trap : {Trap::seccomp, Trap::sud}) {
    for (const auto& [how, call] : {std::pair{"fork", "clone (56)"},
                                    {"exec", "execve (59)"},
                                    {"spawn", "clone"},
                                    {"unknown", "io_setup (206)"},
                                    {"clock", "clock_settime (227)"},
                                    {"shmget", "shmget (29)"},
                                    {"int80", "32-bit"}}) {
      BOOST_TEST_CONTEXT(how) {
        const Result r = misbehave(how, [&](Setup& s) { s.options.trap = trap; });
        BOOST_REQUIRE(r.stop.has_value());
        BOOST_TEST((r.stop->kind == StopKind::refused_call));
        BOOST_TEST(says(r, call));
        BOOST_TEST(says(r, "node p0"));
        BOOST_TEST(says(r, "thread 1000"));
        BOOST_TEST(says(r, "virtual time 2.000000000 s"));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(memory_and_rings_shared_with_the_outside_are_not_to_be_had) {
  BOOST_TEST(misbehave("io_uring").text() == "io_uring_setup: ENOSYS\n");
  BOOST_TEST(misbehave("shm_open").text() == "shm_open: ENOENT\n");
  BOOST_TEST(misbehave("map_shared").text() == "mmap: EACCES\n");
}

BOOST_AUTO_TEST_CASE(busy_loops_end_because_time_passes) {
  const Result busy = misbehave("busy", [](Setup& s) { s.options.call_limit = 1000; });
  BOOST_TEST(busy.text() == "time passed\n");
  BOOST_TEST(busy.figures[0].steps >= 999u);
  BOOST_TEST(misbehave("yield", [](Setup& s) { s.options.call_limit = 1000; }).text() ==
             "time passed\n");
}

BOOST_AUTO_TEST_CASE(a_loop_without_calls_is_reported_by_the_watchdog) {
  const Result r = misbehave("spin", [](Setup& s) { s.options.watchdog = 1s; });
  BOOST_REQUIRE(r.stop.has_value());
  BOOST_TEST((r.stop->kind == StopKind::watchdog));
  BOOST_TEST(says(r, "thread 1000 has been running"));
}

BOOST_AUTO_TEST_CASE(a_deadlock_ends_the_run_quietly_and_says_who_waits_where) {
  const Result r = misbehave("deadlock");
  BOOST_TEST(!r.stop.has_value());
  BOOST_TEST((r.ended == lab::controller::Ended::quiet));
  BOOST_REQUIRE(r.waiting.size() == 1u);
  BOOST_TEST(r.waiting[0].call == "futex");
  BOOST_TEST(lab::ns(r.waiting[0].since) == 2'000'000'000);
  BOOST_TEST((r.waiting[0].until == lab::kNever));
}

BOOST_AUTO_TEST_CASE(programs_that_cannot_be_run_are_refused_clearly) {
  const auto start = [](const std::string& path) {
    Setup setup;
    setup.programs = {{1, {path}, {}, {}, {}}};
    return run_in_lab(setup);
  };
  BOOST_TEST(says(start("/nowhere/at-all"), "No such file or directory"));
  BOOST_TEST(says(start(program("static")), "statically linked"));
  const std::string script =
      (std::filesystem::temp_directory_path() / "mixlab-test-script").string();
  std::ofstream(script) << "#!/bin/sh\n";
  BOOST_TEST(says(start(script), "not an ELF program"));
  std::filesystem::remove(script);
}

BOOST_AUTO_TEST_CASE(files_elsewhere_are_read_only_and_reported) {
  BOOST_TEST(misbehave("write-outside").text() == "open: EROFS\n");
  const Result r = misbehave("read-outside");
  BOOST_TEST(r.text() == "open: 0\n");
  BOOST_REQUIRE(r.kept.opened.contains(0));
  BOOST_TEST(r.kept.opened.at(0) == std::vector<std::string>{"/etc/debian_version"},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(traps_work_whatever_signals_the_program_blocks) {
  for (Trap trap : {Trap::seccomp, Trap::sud}) {
    const Result r = misbehave("block-signals", [&](Setup& s) {
      s.options.trap = trap;
      s.options.interpose = false;
    });
    BOOST_TEST(r.text() == "getppid: 0\n1\n");
  }
}

BOOST_AUTO_TEST_CASE(inherited_descriptors_take_bytes) {
  const Result r = misbehave("record");
  BOOST_TEST(r.text() == "log\n");
  BOOST_TEST(r.kept.err.at(0) == "error");
  BOOST_TEST(r.kept.record.at(0) == "record");
}

BOOST_AUTO_TEST_CASE(a_node_that_is_killed_from_outside_is_noticed) {
  // The program waits; the test kills the real process, then makes the node run.
  PlainNetwork network(10ms);
  Keeper keeper;
  lab::controller::Options options;
  options.shim = shim();
  auto lab = lab::controller::Controller::create(options, network, keeper);
  BOOST_REQUIRE(lab.has_value());
  const auto host = (*lab)->add_host({"h", 0x0a000001, {}, 0, {}, {}});
  lab::controller::ProgramSpec spec;
  spec.host = *host;
  spec.name = "victim";
  spec.argv = {program("misbehave"), "real-kill"};
  spec.folder = std::filesystem::temp_directory_path().string();
  const auto node = (*lab)->add_program(spec);
  BOOST_TEST(((*lab)->run_until(lab::at_ns(1)).has_value()));
  std::ifstream children("/proc/self/task/" + std::to_string(::getpid()) + "/children");
  pid_t pid = 0;
  children >> pid;
  BOOST_REQUIRE(pid > 0);
  ::kill(pid, SIGKILL);
  (*lab)->stop(*node);
  const auto ended = (*lab)->run_until(lab::at_ns(1'000'000'000));
  BOOST_REQUIRE(!ended.has_value());
  BOOST_TEST((ended.error().kind == StopKind::died));
}

BOOST_AUTO_TEST_CASE(a_controller_that_dies_takes_its_nodes_along) {
  int pipe_fds[2];
  BOOST_REQUIRE(::pipe(pipe_fds) == 0);
  const pid_t controller = ::fork();
  if (controller == 0) {
    PlainNetwork network(10ms);
    Keeper keeper;
    lab::controller::Options options;
    options.shim = shim();
    auto lab = lab::controller::Controller::create(options, network, keeper);
    const auto host = (*lab)->add_host({"h", 0x0a000001, {}, 0, {}, {}});
    lab::controller::ProgramSpec spec;
    spec.host = *host;
    spec.argv = {program("misbehave"), "real-kill"};
    spec.folder = "/tmp";
    (void)(*lab)->add_program(spec);
    (void)(*lab)->run_until(lab::at_ns(1));
    std::ifstream children("/proc/self/task/" + std::to_string(::getpid()) + "/children");
    pid_t pid = 0;
    children >> pid;
    (void)!::write(pipe_fds[1], &pid, sizeof(pid));
    ::kill(::getpid(), SIGKILL);
  }
  pid_t node = 0;
  BOOST_REQUIRE(::read(pipe_fds[0], &node, sizeof(node)) == sizeof(node));
  ::waitpid(controller, nullptr, 0);
  bool gone = false;
  for (int i = 0; i < 200 && !gone; ++i) {  // until init has it
    std::ifstream stat("/proc/" + std::to_string(node) + "/stat");
    std::string id, name, state;
    gone = !(stat >> id >> name >> state) || state == "Z" || state == "X";
    if (!gone) ::usleep(10'000);
  }
  BOOST_TEST(gone);
}

BOOST_AUTO_TEST_SUITE_END()
