// SPDX-License-Identifier: Apache-2.0
// SIGTERM from the lab ends programs as SIGTERM from a shell does.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "harness/conformance/compare.h"

using namespace lab::conformance;
using namespace std::chrono_literals;

namespace {

struct Ending {
  std::string text;
  int status = -1;
};

/// Sends SIGTERM when the program has said its first line.
Ending natively(const std::string& path, const char* how) {
  int ends[2];
  BOOST_REQUIRE(::pipe(ends) == 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(ends[1], 1);
    ::close_range(3, ~0u, 0);
    ::execl(path.c_str(), path.c_str(), how, nullptr);
    ::_exit(127);
  }
  ::close(ends[1]);
  Ending e;
  char buffer[4096];
  bool sent = false;
  for (ssize_t n; (n = ::read(ends[0], buffer, sizeof(buffer))) > 0;) {
    e.text.append(buffer, static_cast<std::size_t>(n));
    if (!sent && e.text.find('\n') != std::string::npos) {
      ::kill(pid, SIGTERM);
      sent = true;
    }
  }
  ::close(ends[0]);
  ::waitpid(pid, &e.status, 0);
  return e;
}

struct Stopped : Ending {
  std::string chain;
  lab::VirtualTime sent, end;
};

Stopped in_lab(const std::string& path, const char* how, lab::controller::Trap trap) {
  PlainNetwork network(10ms);
  Keeper keeper;
  lab::controller::Options options;
  options.shim = shim();
  options.trap = trap;
  auto made = lab::controller::Controller::create(options, network, keeper);
  BOOST_REQUIRE(made.has_value());
  lab::controller::Controller& lab = **made;
  lab::controller::HostSpec host;
  host.name = "host";
  host.address = 0x0a000001;
  lab::controller::ProgramSpec spec;
  spec.host = *lab.add_host(std::move(host));
  spec.name = "p";
  spec.argv = {path};
  if (how != nullptr) spec.argv.emplace_back(how);
  spec.folder = std::filesystem::temp_directory_path().string();
  const auto node = lab.add_program(std::move(spec));
  BOOST_REQUIRE(node.has_value());
  BOOST_TEST(lab.run_until(lab::at_ns(500'000'000)).has_value());
  Stopped s;
  s.sent = lab.now();  // 500 ms, or earlier where nothing was due any more
  lab.stop(*node);
  BOOST_TEST(lab.run_until(lab::at_ns(5'000'000'000)).has_value());
  s.text = keeper.out[0];
  if (const auto exit = lab.exited(*node)) {
    s.status = exit->wait_status;
    s.end = exit->time;
  }
  lab.finish();
  s.chain = keeper.chain_hex();
  return s;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(stopping)

BOOST_AUTO_TEST_CASE(a_terminated_program_ends_as_on_linux_and_at_that_instant) {
  // Asio's signal_set, a plain handler, and none at all.
  for (const char* how : {static_cast<const char*>(nullptr), "plain", "none"}) {
    BOOST_TEST_CONTEXT((how == nullptr ? "signal_set" : how)) {
      const Ending truth = natively(program("asio_signal"), how);
      const Stopped lab = in_lab(program("asio_signal"), how, lab::controller::Trap::seccomp);
      BOOST_TEST(difference(lab.text, truth.text) == "");
      BOOST_TEST(lab.status == truth.status);
      BOOST_TEST(lab::ns(lab.end) == lab::ns(lab.sent));
      BOOST_TEST(in_lab(program("asio_signal"), how, lab::controller::Trap::sud).chain ==
                 lab.chain);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
