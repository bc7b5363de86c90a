// SPDX-License-Identifier: Apache-2.0
// nym-mixnode: the command line, and what is said at start and at the end.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>

#include "src/mixnode/mixnode.h"
#include "src/ports/entropy.h"
#include "src/prelude/log.h"
#include "src/program/program.h"
#include "src/record/hop_log.h"
#include "src/runtime/loop.h"
#include "src/runtime/resolve.h"
#include "src/runtime/settings.h"
#include "src/topology/version.h"

namespace {

using namespace mix;

struct Flags {
  std::string host;
  std::uint16_t port = 1789;
  std::string announce_host;
  std::uint16_t announce_port = 0;
  std::string directory = "http://localhost:8080";
  unsigned layer = 0;
  unsigned layers = wire::kDefaultLayers;
  std::string tag_memory = "64MiB";
  bool no_metrics = false;
  std::string record;
};

constexpr const char* kAbout =
    "A mixnode: takes packets, removes one layer of encryption from each, holds it for the time "
    "its "
    "sender asked for, and sends it on to the next layer. Its key pair is new at every start.";

constexpr const char* kFooter =
    "Example: three layers on one machine\n"
    "  nym-mixnode run --host localhost --port 9980 --layer 1\n"
    "  nym-mixnode run --host localhost --port 9981 --layer 2\n"
    "  nym-mixnode run --host localhost --port 9982 --layer 3\n"
    "\n"
    "A packet is sent on only to a mixnode of the next layer, or from the last layer to a\n"
    "provider. What was dropped, and why, is printed on exit (SIGINT or SIGTERM).";

void add_flags(CLI::App& run, Flags& flags) {
  run.add_option("--host", flags.host,
                 "Where to listen: a name or an address; of a name, the first address")
      ->required()
      ->check(runtime::check_host);
  run.add_option("--layer", flags.layer, "The layer this node works in, 1 to --layers")
      ->required()
      ->check(CLI::Range(1u, wire::kMaxLayers));
  run.add_option("--port", flags.port, "The port to listen on; 0 takes a free one")
      ->capture_default_str();
  run.add_option("--announce-host", flags.announce_host,
                 "The name or address others reach this node by, if not --host")
      ->check(runtime::check_host);
  run.add_option("--announce-port", flags.announce_port,
                 "The port others reach this node by, if not --port");
  run.add_option("--directory", flags.directory,
                 "The directory to announce to and to learn the topology from")
      ->capture_default_str()
      ->check(runtime::check_url);
  run.add_option("--layers", flags.layers,
                 "How many layers the network has; those of the last send to providers")
      ->capture_default_str()
      ->check(CLI::Range(1u, wire::kMaxLayers));
  run.add_option("--tag-memory", flags.tag_memory,
                 "Memory for recognising packets that are sent again, 16 bytes each")
      ->capture_default_str()
      ->check(runtime::check_size);
  run.add_flag("--no-metrics", flags.no_metrics,
               "Do not report to the directory, every 3 s, how many packets went to whom");
  run.add_option("--record", flags.record, std::string(record::kRecordHelp))
      ->type_name("FILE|fd:N");
}

/// What flags allow each alone, but not together.
std::string problem_with(const Flags& flags) {
  if (flags.layer > flags.layers)
    return "--layer " + std::to_string(flags.layer) + " is beyond --layers " +
           std::to_string(flags.layers);
  if (runtime::read_size(flags.tag_memory).value() < sphinx::TagMemory::kSmallestBudget)
    return "--tag-memory " + flags.tag_memory + " is less than " +
           std::to_string(sphinx::TagMemory::kSmallestBudget) + " bytes";
  return {};
}

void warn_about(const std::string& host) {
  if (host == "localhost" || host == "127.0.0.1" || host == "::1")
    log::warn("--host ", host, " is reached from this machine only");
  if (host == "0.0.0.0" || host == "::")
    log::warn("others cannot reach ", host, ": use --announce-host");
}

void greet(const mixnode::Mixnode& node, const Flags& flags) {
  std::cout << "nym-mixnode " << topology::kOurVersion << "\n"
            << "Public key:  " << node.public_key().to_base58() << "\n"
            << "Directory:   " << flags.directory << "\n"
            << "Layer:       " << flags.layer << " of " << flags.layers << "\n"
            << "Listening:   " << node.listening().to_text() << "\n"
            << "Announcing:  " << node.announced() << std::endl;
}

void say_goodbye(const mixnode::Mixnode& node, std::uint64_t unrecorded) {
  const mixnode::Tally& tally = node.tally();
  std::cout << "Packets: " << tally.received << " received, " << tally.sent << " sent, "
            << tally.dropped.total() << " dropped\n"
            << "Dropped: " << tally.dropped.to_text() << "\n";
  if (unrecorded > 0) std::cout << "Rows missing in the record: " << unrecorded << "\n";
  std::cout << std::flush;
}

class Program final : public program::Program {
 public:
  explicit Program(const Flags& flags) : x_flags(flags) {}

  runtime::Task<std::string> open(runtime::Loop& loop, record::HopLog& log) override {
    const std::string announce =
        x_flags.announce_host.empty() ? x_flags.host : x_flags.announce_host;
    const auto here = co_await runtime::resolve(loop, x_flags.host, x_flags.port);
    if (!here) co_return "--host: " + here.error();
    const auto there = co_await runtime::resolve(loop, announce, x_flags.announce_port);
    if (!there) co_return "--announce-host: " + there.error();
    auto node =
        mixnode::Mixnode::open(loop, x_entropy, log,
                               {.listen = here->front(),
                                .announce_host = announce,
                                .announce_port = x_flags.announce_port,
                                .announce_address = there->front(),
                                .directory = runtime::read_url(x_flags.directory).value(),
                                .layer = x_flags.layer,
                                .layers = x_flags.layers,
                                .tag_memory_bytes = runtime::read_size(x_flags.tag_memory).value(),
                                .metrics = !x_flags.no_metrics});
    if (!node) co_return node.error();
    x_node = std::move(*node);
    warn_about(announce);
    greet(*x_node, x_flags);
    x_node->start();
    co_return "";
  }

  void finish() override { x_node->finish(); }
  void say_goodbye(std::uint64_t unrecorded) override { ::say_goodbye(*x_node, unrecorded); }

 private:
  const Flags& x_flags;
  ports::SystemEntropy x_entropy;
  std::unique_ptr<mixnode::Mixnode> x_node;
};

}  // namespace

int main(int argc, char** argv) {
  Flags flags;
  const program::CommandLine line{.name = "nym-mixnode",
                                  .about = kAbout,
                                  .footer = kFooter,
                                  .add_flags = [&](CLI::App& run) { add_flags(run, flags); },
                                  .problem = [&] { return problem_with(flags); }};
  if (const auto status = program::read_command_line(line, argc, argv)) return *status;
  return program::run(std::make_unique<Program>(flags), flags.record, wire::kWantedDescriptors);
}
