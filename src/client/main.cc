// SPDX-License-Identifier: Apache-2.0
// nym-client: speaks for a user.
#include <CLI/CLI.hpp>
#include <iostream>

#include "src/client/api.h"
#include "src/client/client.h"
#include "src/client/identity.h"
#include "src/client/settings.h"
#include "src/prelude/log.h"
#include "src/runtime/settings.h"
#include "src/topology/version.h"

namespace {

using namespace mix;

constexpr const char* kAbout =
    "Speaks for a user of the mixnet: sends loops and messages through the mixes, fetches what "
    "came "
    "for him, and offers both to programs of this machine.";

constexpr const char* kFooter =
    "Example\n"
    "  nym-client init --id zorro\n"
    "  nym-client websocket --id zorro --directory http://localhost:8080\n"
    "\n"
    "Keys are in $XDG_CONFIG_HOME/nym/clients/ID, or ~/.config/nym/clients/ID. What a user does\n"
    "changes which packets are real, and nothing else that leaves this machine; the provider "
    "reads\n"
    "his mail. How many loops came home is said once a minute and on exit (SIGINT or SIGTERM).";

/// What the command line said; texts are checked by the parser, and read when it is done.
struct Arguments {
  std::string id;
  bool force = false;
  std::string init_provider;
  std::string port = "9001";
  std::string directory = "http://localhost:8080";
  std::string loop_rate = "2 / s";
  std::string send_rate = "2 / s";
  std::string mean_delay = "100 ms";
  std::string poll_interval = "500 ms";
  std::string loop_timeout = "10 s";
  unsigned layers = wire::kDefaultLayers;
  std::string provider;
  std::vector<std::string> origins;
  std::string record;
};

/// A packet takes a fifth of a millisecond to build.
constexpr Duration kShortestGap = 1ms;

std::string check_loop_rate(const std::string& text) {
  if (auto wrong = runtime::check_rate(text); !wrong.empty()) return wrong;
  const Duration gap = runtime::read_rate(text)->mean_gap;
  if (gap > 0ns && gap < kShortestGap) return "'" + text + "' is more than 1000 packets a second";
  return {};
}
std::string check_send_rate(const std::string& text) {
  if (auto wrong = check_loop_rate(text); !wrong.empty()) return wrong;
  if (runtime::read_rate(text)->mean_gap > 0ns) return {};
  return "a real stream of rate 0 would never send a message";
}
std::string check_poll_interval(const std::string& text) {
  if (auto wrong = runtime::check_duration(text); !wrong.empty()) return wrong;
  return *runtime::read_duration(text) < 1ms ? "'" + text + "' is less than 1 ms" : "";
}
std::string check_mean_delay(const std::string& text) {
  if (auto wrong = runtime::check_duration(text); !wrong.empty()) return wrong;
  if (*runtime::read_duration(text) <= client::kMaxMeanDelay) return {};
  return "mixes drop packets that ask for more than an hour: at most " +
         to_text(client::kMaxMeanDelay);
}
std::string check_key(const std::string& text) {
  return crypto::PublicKey::from_base58(text) ? "" : "'" + text + "' is not base58 of 32 bytes";
}

void add_id(CLI::App& command, Arguments& arguments) {
  command
      .add_option("--id", arguments.id, "Which key pair: a folder under <config dir>/nym/clients")
      ->required()
      ->check(client::check_id);
}

void add_running_options(CLI::App& command, Arguments& a) {
  add_id(command, a);
  command.add_option("--directory", a.directory, "Where to hear who is in")
      ->check(runtime::check_url)
      ->capture_default_str();
  command.add_option("--loop-rate", a.loop_rate, "Loops to oneself, on average; 0 for none")
      ->check(check_loop_rate)
      ->capture_default_str();
  command
      .add_option("--send-rate", a.send_rate,
                  "Real packets, on average; fillers go when nothing waits")
      ->check(check_send_rate)
      ->capture_default_str();
  command
      .add_option("--mean-delay", a.mean_delay,
                  "Asked of each mix, on average; one exponential law for every packet")
      ->check(check_mean_delay)
      ->capture_default_str();
  command
      .add_option("--poll-interval", a.poll_interval,
                  "Between two pulls of at most 5 messages, whatever came")
      ->check(check_poll_interval)
      ->capture_default_str();
  command.add_option("--loop-timeout", a.loop_timeout, "A loop that takes longer counts as lost")
      ->check(runtime::check_duration)
      ->capture_default_str();
  command.add_option("--layers", a.layers, "Mixes in every route")
      ->check(CLI::Range(1u, wire::kMaxLayers))
      ->capture_default_str();
  command
      .add_option("--provider", a.provider,
                  "The only provider to use, by its public key (default: the smallest key in the "
                  "topology)")
      ->check(check_key);
  command.add_option("--record", a.record, std::string(record::kRecordHelp))
      ->type_name("FILE|fd:N");
}

client::Settings settings_of(const Arguments& a) {
  client::Settings settings;
  settings.id = a.id;
  settings.directory = *runtime::read_url(a.directory);
  settings.loop_gap = runtime::read_rate(a.loop_rate)->mean_gap;
  settings.send_gap = runtime::read_rate(a.send_rate)->mean_gap;
  settings.mean_delay = *runtime::read_duration(a.mean_delay);
  settings.poll_interval = *runtime::read_duration(a.poll_interval);
  settings.loop_timeout = *runtime::read_duration(a.loop_timeout);
  settings.layers = a.layers;
  if (!a.provider.empty()) settings.provider = crypto::PublicKey::from_base58(a.provider);
  return settings;
}

int fail(const std::string& why) {
  log::error(why);
  return 1;
}

int run_init(const Arguments& a) {
  const auto config = client::config_dir();
  if (!config) return fail(config.error());
  ports::SystemEntropy entropy;
  crypto::Generator chance(entropy, "client: keys");
  const auto pair = crypto::KeyPair::generate(chance);
  const auto dir = client::identity_dir(*config, a.id);
  if (const auto saved = client::save_identity(dir, pair, a.force); !saved)
    return fail(saved.error());
  if (!a.init_provider.empty())
    log::info("--provider is accepted for the original's sake; a client chooses when it runs");
  std::cout << "Key files: " << dir.string() << "\nPublic key: " << pair.public_key.to_base58()
            << std::endl;
  return 0;
}

/// Everything a running client has in common, whichever door it opens.
template <class Api, class... MoreForApi>
int run_client(const Arguments& a, std::string_view scheme, MoreForApi... more) {
  const auto config = client::config_dir();
  if (!config) return fail(config.error());
  const auto identity = client::load_identity(client::identity_dir(*config, a.id));
  if (!identity)
    return fail(identity.error() + " (`nym-client init --id " + a.id + "` makes a key pair)");
  if (!identity->warning.empty()) log::warn(identity->warning);
  const client::Settings settings = settings_of(a);
  if (const auto warning = client::drain_warning(settings); !warning.empty()) log::warn(warning);

  runtime::Loop loop;
  auto record = record::HopLog::open(a.record, loop, [&](std::function<void()> job) {
    loop.post([job = std::move(job)] { job(); });
  });
  if (!record) return fail(record.error());
  ports::SystemEntropy entropy;
  client::Client client(loop, settings, identity->pair, *record, entropy);
  Api api(loop, client, more...);
  if (const auto open = api.listen(*runtime::read_port(a.port)); !open) return fail(open.error());

  const std::string key = identity->pair.public_key.to_base58();
  record->node({.name = a.id,
                .role = record::Role::client,
                .layer = 0,
                .address = api.local().to_text(),
                .public_key = key});
  std::cout << "Public key: " << key << "\nDirectory: " << settings.directory << "\nListening on "
            << scheme << api.local().to_text() << std::endl;
  client.start();
  loop.run();
  client.finish();
  record->close();
  if (record->lost() > 0) log::warn("rows missing in the record: ", record->lost());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app(kAbout, "nym-client");
  app.footer(kFooter);
  app.set_version_flag("--version", std::string(topology::kOurVersion));

  CLI::App& init = *app.add_subcommand("init", "Make a key pair");
  add_id(init, arguments);
  init.add_flag("--force", arguments.force, "Replace the keys of an id that exists");
  init.add_option("--provider", arguments.init_provider, "Accepted and ignored, as the original");

  CLI::App& websocket =
      *app.add_subcommand("websocket", "Run, and talk JSON on a websocket of 127.0.0.1");
  add_running_options(websocket, arguments);
  websocket.add_option("-p,--port", arguments.port, "Where to listen; 0 takes a free port")
      ->check(runtime::check_port)
      ->capture_default_str();
  websocket
      .add_option("--allow-origin", arguments.origins,
                  "A web page's origin (https://app.example) that may connect; pages of this "
                  "machine always may. May be repeated")
      ->check(client::check_origin)
      ->allow_extra_args(false);

  CLI::App& tcpsocket =
      *app.add_subcommand("tcpsocket", "Run, and talk bytes on a TCP socket of 127.0.0.1");
  add_running_options(tcpsocket, arguments);
  tcpsocket.add_option("-p,--port", arguments.port, "Where to listen; 0 takes a free port")
      ->check(runtime::check_port)
      ->required();

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (init) return run_init(arguments);
  if (websocket) return run_client<client::WebsocketApi>(arguments, "ws://", arguments.origins);
  if (tcpsocket) return run_client<client::TcpApi>(arguments, "tcp://");
  std::cout << app.help();
  return 0;
}
