// SPDX-License-Identifier: Apache-2.0
// nym-directory: remembers for ten seconds who said to be up, and tells whoever asks.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>

#include "src/directory/lines.h"
#include "src/directory/server.h"
#include "src/prelude/log.h"
#include "src/record/hop_log.h"
#include "src/runtime/loop.h"
#include "src/runtime/resolve.h"
#include "src/runtime/settings.h"
#include "src/topology/version.h"
#include "src/wire/limits.h"

namespace {

using namespace mix;

struct Settings {
  std::string host = "127.0.0.1";
  std::string port = "8080";
  std::string record;
};

/// One call a line, so that lines of several programs on one terminal stay whole.
void console(const std::string& line) {
  const std::string text = line + "\n";
  [[maybe_unused]] const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
}

int serve(const Settings& settings) {
  runtime::raise_descriptor_limit(wire::kWantedDescriptors);
  runtime::Loop loop;
  auto record = record::HopLog::open(
      settings.record, loop, [&loop](std::function<void()> flush) { loop.post(std::move(flush)); });
  if (!record) {
    log::error(record.error());
    return 1;
  }
  const std::uint16_t port = runtime::read_port(settings.port).value();
  const auto addresses = runtime::resolve_now(settings.host, port);
  if (addresses.empty()) {
    log::error("--host: '", settings.host, "' must be a numeric address or localhost");
    return 1;
  }
  directory::Lines lines(console);
  directory::Server server(loop, [&lines](const std::string& line) { lines.take(line); });
  if (const auto listening = server.listen(addresses.front()); !listening) {
    log::error("nym-directory: cannot listen on ", listening.error());
    return 1;
  }
  record->node({.name = "directory",
                .role = record::Role::directory,
                .layer = std::nullopt,
                .address = server.local().to_text(),
                .public_key = ""});
  console("nym-directory " + std::string(topology::kOurVersion) + " on http://" +
          server.local().to_text());
  loop.run();
  record->close();
  lines.finish();
  console("refused: " + loop.refusals().to_text());
  console("nym-directory: stopped");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app(
      "The mixnet's directory: nodes say every five seconds that they are up, clients and mixes "
      "ask "
      "who is. Keeps everything in memory, forgets an entry after ten seconds of silence.");
  app.set_version_flag("--version", std::string(topology::kOurVersion));
  app.add_option("--host", settings.host, "Address to listen on (a number, or localhost)")
      ->capture_default_str()
      ->check(runtime::check_host);
  app.add_option("--port", settings.port, "Port to listen on; 0 takes a free one and says which")
      ->capture_default_str()
      ->check(runtime::check_port);
  app.add_option("--record", settings.record, std::string(record::kRecordHelp))
      ->type_name("FILE|fd:N");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& wrong) {
    return app.exit(wrong) == 0 ? 0 : 2;  // --help is not a mistake
  }
  return serve(settings);
}
