// SPDX-License-Identifier: Apache-2.0
// asio_signal [plain]: waits for SIGTERM, with Asio's signal_set or with a plain handler, and ends
// well. Whoever runs it sends the signal after the first line.
#include <signal.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "harness/conformance/programs/say.h"

namespace {

volatile sig_atomic_t got = 0;

int plain() {
  struct sigaction a{};
  a.sa_handler = [](int number) { got = number; };
  sigaction(SIGTERM, &a, nullptr);
  say::line("waiting");
  while (got == 0)
    usleep(1000'000);
  say::line("signal %d", static_cast<int>(got));
  return 3;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "plain") == 0) return plain();
  if (argc > 1) {  // "none": the default action
    say::line("waiting");
    for (;;)
      pause();
  }
  boost::asio::io_context loop;
  boost::asio::signal_set signals(loop, SIGINT, SIGTERM);
  boost::asio::steady_timer timer(loop, std::chrono::hours(1));
  timer.async_wait([](const boost::system::error_code& error) {
    say::line("timer: %s",
              error == boost::asio::error::operation_aborted ? "cancelled" : "expired");
  });
  signals.async_wait([&](const boost::system::error_code& error, int number) {
    say::line("signal %d, error %d", number, error.value());
    timer.cancel();
  });
  say::line("waiting");
  loop.run();
  say::line("the loop ended");
}
