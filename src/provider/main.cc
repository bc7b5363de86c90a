// SPDX-License-Identifier: Apache-2.0
// nym-sfw-provider: the command line, and what is said at start and at the end.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>

#include "src/ports/entropy.h"
#include "src/prelude/log.h"
#include "src/provider/provider.h"
#include "src/record/hop_log.h"
#include "src/runtime/loop.h"
#include "src/runtime/resolve.h"
#include "src/runtime/settings.h"
#include "src/topology/version.h"

namespace {

using namespace mix;

struct Flags {
  std::string mix_host, client_host;
  std::uint16_t mix_port = 8085, client_port = 9000;
  std::string store_folder = "/tmp/nym-provider/inboxes";
  std::string ledger;
  std::string directory = "http://localhost:8080";
  unsigned layers = wire::kDefaultLayers;
  std::string tag_memory = "64MiB";
  std::size_t connections = wire::kMaxConnections;
  provider::Limits limits;
  std::string record;
};

constexpr const char* kAbout =
    "A provider: the last hop of the mixnet. Keeps what arrives for its clients until they pull "
    "it, "
    "through restarts and crashes.";

constexpr const char* kFooter =
    "Example\n"
    "  nym-sfw-provider run --mixHost localhost --mixPort 9997 --clientHost localhost \\\n"
    "      --clientPort 9998 --storeDir ~/provider\n"
    "\n"
    "Keys, accounts, mail and the tags of packets taken are in STOREDIR/provider.sqlite, readable\n"
    "by its owner only; one provider at a time uses it. The provider reads its clients' mail: it\n"
    "arrives without further encryption. A token belongs to one address, but whoever registers an\n"
    "address is given its token: the protocol has no proof of possession.\n"
    "What was dropped, and why, is printed on exit (SIGINT or SIGTERM).";

void add_flags(CLI::App& run, Flags& flags) {
  run.add_option("--mixHost", flags.mix_host, "Where mixnodes reach it: a name or an address")
      ->required()
      ->check(runtime::check_host);
  run.add_option("--clientHost", flags.client_host, "Where clients reach it: a name or an address")
      ->required()
      ->check(runtime::check_host);
  run.add_option("--mixPort", flags.mix_port, "The port for mixnodes; 0 takes a free one")
      ->capture_default_str();
  run.add_option("--clientPort", flags.client_port, "The port for clients; 0 takes a free one")
      ->capture_default_str();
  run.add_option("-s,--storeDir", flags.store_folder, "The folder for all that must not be lost")
      ->capture_default_str();
  run.add_option("-r,--registeredLedger", flags.ledger,
                 "Accepted for the sake of old command lines, and not used: accounts are in "
                 "--storeDir");
  run.add_option("--directory", flags.directory, "The directory to announce to")
      ->capture_default_str()
      ->check(runtime::check_url);
  run.add_option("--layers", flags.layers,
                 "How many layers of mixnodes the network has (for the record: it is one beyond)")
      ->capture_default_str()
      ->check(CLI::Range(1u, wire::kMaxLayers));
  run.add_option("--tag-memory", flags.tag_memory,
                 "Memory for recognising packets that are sent again, 16 bytes each; on disk too")
      ->capture_default_str()
      ->check(runtime::check_size);
  run.add_option("--max-accounts", flags.limits.accounts, "Clients that may register")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, wire::kMaxAccounts));
  run.add_option("--max-mailbox", flags.limits.mailbox,
                 "Messages that may wait for one client; more are dropped as mailbox_full")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, std::size_t{10'000'000}));
  run.add_option("--max-messages", flags.limits.messages,
                 "Messages that may wait for all clients together; more are dropped likewise")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000'000}));
  run.add_option("--max-queue", flags.limits.queue,
                 "Packets that may wait for the disk; more are dropped as pending_full")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}));
  run.add_option("--max-connections", flags.connections,
                 "Connections to each of the two ports; at the bound the most silent one is closed")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}));
  run.add_option("--record", flags.record, std::string(record::kRecordHelp))
      ->type_name("FILE|fd:N");
}

/// What a check of one flag cannot say.
std::string problem_with(const Flags& flags) {
  if (runtime::read_size(flags.tag_memory).value() < sphinx::TagMemory::kSmallestBudget)
    return "--tag-memory " + flags.tag_memory + " is less than " +
           std::to_string(sphinx::TagMemory::kSmallestBudget) + " bytes";
  if (flags.store_folder.empty()) return "--storeDir is empty";
  return {};
}

void warn_about(const char* flag, const runtime::Address& address) {
  const std::string host = address.host_text();
  if (host.starts_with("127.") || host == "::1")
    log::warn(flag, " ", host, " is reached from this machine only");
  if (host == "0.0.0.0" || host == "::")
    log::warn(flag, " ", host, " is announced as it stands, and others cannot reach it");
}

void greet(const provider::Provider& node, const Flags& flags) {
  std::cout << "nym-sfw-provider " << topology::kOurVersion << "\n"
            << "Public key:  " << node.public_key().to_base58() << "\n"
            << "Directory:   " << flags.directory << "\n"
            << "For mixes:   " << node.mix_address().to_text() << "\n"
            << "For clients: " << node.client_address().to_text() << "\n"
            << "Store:       " << flags.store_folder << ", " << node.desk().clients().size()
            << " clients, " << node.desk().tags().size() << " packets remembered\n";
  if (!flags.ledger.empty())
    std::cout << "Ledger:      " << flags.ledger << " (accepted, and not used)\n";
  std::cout << std::flush;
}

void say_goodbye(const provider::Provider& node, std::uint64_t unrecorded) {
  const provider::Tally& tally = node.tally();
  std::cout << "Packets: " << tally.received << " received, " << tally.stored << " stored, "
            << tally.dropped.total() << " dropped\n"
            << "Dropped: " << tally.dropped.to_text() << "\n"
            << "Clients: " << tally.registrations << " registrations, " << tally.pulls << " pulls, "
            << tally.refused << " refused requests\n"
            << "Messages: " << tally.handed_out << " handed out, " << tally.offered_again
            << " to be offered again\n";
  if (unrecorded > 0) std::cout << "Rows missing in the record: " << unrecorded << "\n";
  std::cout << std::flush;
}

class Program {
 public:
  Program(const Flags& flags, record::HopLog& log, runtime::Loop& loop)
      : x_flags(flags), x_log(log), x_loop(loop) {}

  int run() {
    x_loop.spawn(start());
    x_loop.run();
    if (!x_node) return 1;
    x_node->finish();
    x_log.close();
    say_goodbye(*x_node, x_log.lost());
    return 0;
  }

 private:
  runtime::Task<> start() {
    const std::string problem = co_await open();
    if (problem.empty()) co_return;
    log::error(problem);
    x_loop.stop();
  }

  /// Resolves, opens the store, binds, begins. Answers what went wrong.
  runtime::Task<std::string> open() {
    const auto mixes = co_await runtime::resolve(x_loop, x_flags.mix_host, x_flags.mix_port);
    if (!mixes) co_return "--mixHost: " + mixes.error();
    const auto clients =
        co_await runtime::resolve(x_loop, x_flags.client_host, x_flags.client_port);
    if (!clients) co_return "--clientHost: " + clients.error();
    auto node = provider::Provider::open(
        x_loop, x_entropy, x_log,
        {.mix_listen = mixes->front(),
         .client_listen = clients->front(),
         .store_folder = x_flags.store_folder,
         .directory = runtime::read_url(x_flags.directory).value(),
         .layers = x_flags.layers,
         .tag_memory_bytes = runtime::read_size(x_flags.tag_memory).value(),
         .connections = x_flags.connections,
         .limits = x_flags.limits});
    if (!node) co_return node.error();
    x_node = std::move(*node);
    x_loop.on_signal([this](int) { x_node->stop(); });
    warn_about("--mixHost", x_node->mix_address());
    warn_about("--clientHost", x_node->client_address());
    greet(*x_node, x_flags);
    x_node->start();
    co_return "";
  }

  const Flags& x_flags;
  record::HopLog& x_log;
  runtime::Loop& x_loop;
  ports::SystemEntropy x_entropy;
  std::unique_ptr<provider::Provider> x_node;
};

int run(const Flags& flags) {
  runtime::raise_descriptor_limit(2 * flags.connections + 64);
  runtime::Loop loop;
  auto log = record::HopLog::open(
      flags.record, loop, [&loop](std::function<void()> job) { loop.post(std::move(job)); });
  if (!log) {
    mix::log::error(log.error());
    return 1;
  }
  return Program(flags, *log, loop).run();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(kAbout, "nym-sfw-provider");
  app.footer(kFooter);
  app.set_version_flag("--version", std::string(topology::kOurVersion));
  Flags flags;
  CLI::App* run_command = app.add_subcommand("run", "Start the provider");
  add_flags(*run_command, flags);
  run_command->footer(kFooter);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (!run_command->parsed()) {
    std::cerr << app.help();
    return 1;
  }
  if (const std::string problem = problem_with(flags); !problem.empty()) {
    std::cerr << problem << "\nRun with --help for more information.\n";
    return 2;
  }
  return run(flags);
}
