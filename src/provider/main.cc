// SPDX-License-Identifier: Apache-2.0
// nym-sfw-provider: the command line, and what is said at start and at the end.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "src/ports/entropy.h"
#include "src/prelude/log.h"
#include "src/program/program.h"
#include "src/provider/provider.h"
#include "src/record/hop_log.h"
#include "src/runtime/loop.h"
#include "src/runtime/resolve.h"
#include "src/runtime/settings.h"
#include "src/topology/version.h"

namespace {

using namespace mix;

constexpr const char* kNever = "never";

struct Flags {
  std::string mix_host, client_host;
  std::uint16_t mix_port = 8085, client_port = 9000;
  std::string store_folder = "/tmp/nym-provider/inboxes";
  std::string ledger;
  std::string directory = "http://localhost:8080";
  unsigned layers = wire::kDefaultLayers;
  std::string tag_memory = "64MiB";
  std::size_t connections = wire::kMaxConnections;
  std::string mail_age = kNever, account_age = std::to_string(wire::kAccountAge / 1h) + " h";
  provider::Limits limits;
  std::string record;
};

/// How long something is kept: a duration, or for ever.
std::string check_age(const std::string& text) {
  return text == kNever ? "" : runtime::check_duration(text);
}
std::optional<Duration> read_age(const std::string& text) {
  return text == kNever ? std::nullopt : std::optional(runtime::read_duration(text).value());
}

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

void add_bounds(CLI::App& run, Flags& flags) {
  run.add_option("--max-accounts", flags.limits.accounts, "Clients that may register")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, wire::kMaxAccounts));
  run.add_option("--account-age", flags.account_age,
                 "When there are so many: a client without mail that did not register or pull for "
                 "this long makes room for a new one, the longest unused first; or 'never'. (One "
                 "that never pulled does after " +
                     std::to_string(wire::kUnpulledAccountAge / 1min) + " min.)")
      ->capture_default_str()
      ->type_name("DURATION")
      ->check(check_age);
  run.add_option("--max-mailbox", flags.limits.mailbox,
                 "Messages that may wait for one client; more are dropped as mailbox_full. Fewer "
                 "when more than half of --max-messages wait: the limit falls with the room left")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, std::size_t{10'000'000}));
  run.add_option("--max-messages", flags.limits.messages,
                 "Messages that may wait for all clients together; more are dropped likewise. A "
                 "quarter is reserved, in equal parts for --max-accounts clients")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000'000}));
  run.add_option("--mail-age", flags.mail_age,
                 "Messages that wait for longer are deleted; 'never' keeps them until they are "
                 "pulled, and with them the accounts they wait for. A store that was opened with "
                 "an age cannot be opened by older versions")
      ->capture_default_str()
      ->type_name("DURATION")
      ->check(check_age);
  run.add_option("--max-queue", flags.limits.queue,
                 "Packets that may wait for the disk; more are dropped as pending_full")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}));
  run.add_option("--max-connections", flags.connections,
                 "Connections to each of the two ports; at the bound the most silent one is closed")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}));
}

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
  add_bounds(run, flags);
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
  if (tally.replaced > 0) std::cout << "Unused clients that made room: " << tally.replaced << "\n";
  if (tally.expired > 0) std::cout << "Messages that expired: " << tally.expired << "\n";
  if (unrecorded > 0) std::cout << "Rows missing in the record: " << unrecorded << "\n";
  std::cout << std::flush;
}

class Program final : public program::Program {
 public:
  explicit Program(const Flags& flags) : x_flags(flags) {}

  runtime::Task<std::string> open(runtime::Loop& loop, record::HopLog& log) override {
    const auto mixes = co_await runtime::resolve(loop, x_flags.mix_host, x_flags.mix_port);
    if (!mixes) co_return "--mixHost: " + mixes.error();
    const auto clients = co_await runtime::resolve(loop, x_flags.client_host, x_flags.client_port);
    if (!clients) co_return "--clientHost: " + clients.error();
    provider::Limits limits = x_flags.limits;
    limits.account_age = read_age(x_flags.account_age).value_or(provider::kNoAge);
    auto node = provider::Provider::open(
        loop, x_entropy, log,
        {.mix_listen = mixes->front(),
         .client_listen = clients->front(),
         .store_folder = x_flags.store_folder,
         .directory = runtime::read_url(x_flags.directory).value(),
         .layers = x_flags.layers,
         .tag_memory_bytes = runtime::read_size(x_flags.tag_memory).value(),
         .connections = x_flags.connections,
         .mail_age = read_age(x_flags.mail_age),
         .limits = limits});
    if (!node) co_return node.error();
    x_node = std::move(*node);
    loop.on_signal([this](int) { x_node->stop(); });
    warn_about("--mixHost", x_node->mix_address());
    warn_about("--clientHost", x_node->client_address());
    greet(*x_node, x_flags);
    x_node->start();
    co_return "";
  }

  void finish() override { x_node->finish(); }
  void say_goodbye(std::uint64_t unrecorded) override { ::say_goodbye(*x_node, unrecorded); }

 private:
  const Flags& x_flags;
  ports::SystemEntropy x_entropy;
  std::unique_ptr<provider::Provider> x_node;
};

}  // namespace

int main(int argc, char** argv) {
  Flags flags;
  const program::CommandLine line{.name = "nym-sfw-provider",
                                  .about = kAbout,
                                  .footer = kFooter,
                                  .add_flags = [&](CLI::App& run) { add_flags(run, flags); },
                                  .problem = [&] { return problem_with(flags); }};
  if (const auto status = program::read_command_line(line, argc, argv)) return *status;
  return program::run(std::make_unique<Program>(flags), flags.record, 3 * flags.connections);
}
