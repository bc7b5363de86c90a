// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <csignal>
#include <fstream>
#include <iostream>
#include <sstream>

#include "harness/talk/talker.h"

namespace {
volatile std::sig_atomic_t stop = 0;
void on_signal(int) {
  stop = 1;
}
}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Speaks to a nym-client's websocket on this host, on a schedule that a file gives",
               "mixlab-talk");
  std::uint16_t port = 9001;
  std::string file;
  app.add_option("--port", port, "The client's websocket on 127.0.0.1")->capture_default_str();
  app.add_option("--schedule", file,
                 "Lines: peer NAME PEMFILE | send WALL_NS PEER TEXT | fetch WALL_NS | end WALL_NS")
      ->required();
  CLI11_PARSE(app, argc, argv);
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) {
    std::cerr << "mixlab-talk: " << file << ": cannot be read\n";
    return 2;
  }
  auto schedule = lab::talk::read_schedule(text.str());
  if (!schedule) {
    std::cerr << "mixlab-talk: " << file << ", " << schedule.error() << "\n";
    return 2;
  }
  struct sigaction action{};
  action.sa_handler = on_signal;
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
  return lab::talk::speak(port, std::move(*schedule), stop);
}
