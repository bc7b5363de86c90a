// SPDX-License-Identifier: Apache-2.0
// mutant-mixnode: nym-mixnode's command line, and --break.
#include <CLI/CLI.hpp>
#include <iostream>

#include "pytests/mutants/mixnode/mutant.h"
#include "src/prelude/log.h"
#include "src/runtime/resolve.h"
#include "src/runtime/settings.h"

namespace {

using namespace mix;

std::string check_promise(const std::string& name) {
  return mutants::promise_named(name) ? "" : "'" + name + "' is no promise; see --help";
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "A mixnode that keeps every promise but one, so that the check of that promise can "
      "be seen to fail. For tests only.",
      "mutant-mixnode");
  app.require_subcommand(1);
  CLI::App& run = *app.add_subcommand("run", "Start the node");
  const std::string footer =
      "With --break NAME it does this:\n" + mutants::lines_of(mutants::kPromises);
  app.footer(footer);
  run.footer(footer);

  std::string broken = "none", host, directory = "http://localhost:8080", record;
  std::uint16_t port = 1789;
  unsigned layer = 0, layers = wire::kDefaultLayers;
  run.add_option("--break", broken, "The promise to break; see below")
      ->capture_default_str()
      ->check(check_promise);
  run.add_option("--host", host, "Where to listen, and what to announce: an address or localhost")
      ->required()
      ->check(runtime::check_host);
  run.add_option("--port", port, "0 takes a free one")->capture_default_str();
  run.add_option("--layer", layer, "1 to --layers")
      ->required()
      ->check(CLI::Range(1u, wire::kMaxLayers));
  run.add_option("--layers", layers, "Of the network")
      ->capture_default_str()
      ->check(CLI::Range(1u, wire::kMaxLayers));
  run.add_option("--directory", directory, "As nym-mixnode has it")
      ->capture_default_str()
      ->check(runtime::check_url);
  bool no_metrics = false;
  run.add_flag("--no-metrics", no_metrics, "Accepted; it never reports any");
  run.add_option("--record", record, "As nym-mixnode has it")->type_name("FILE|fd:N");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (layer > layers) {
    std::cerr << "--layer " << layer << " is beyond --layers " << layers << "\n";
    return 2;
  }

  runtime::Loop loop;
  ports::SystemEntropy entropy;
  auto log = record::HopLog::open(
      record, loop, [&loop](std::function<void()> job) { loop.post(std::move(job)); });
  const auto addresses = runtime::resolve_now(host, port);
  auto listener = addresses.empty() ? std::unexpected("--host: neither an address nor localhost")
                                    : runtime::Listener::open(loop, addresses.front());
  if (!log || !listener) {
    mix::log::error(log ? listener.error() : log.error());
    return 1;
  }
  std::cout << "Breaking:    " << broken << "\n"
            << "Listening:   " << listener->local().to_text() << std::endl;
  mutants::Mutant mutant(loop, entropy, *log, std::move(*listener),
                         {.broken = *mutants::promise_named(broken),
                          .host = host,
                          .listen = addresses.front(),
                          .directory = directory,
                          .layer = layer,
                          .layers = layers});
  loop.post([&] { mutant.start(); });
  loop.run();
  log->close();
  return 0;
}
