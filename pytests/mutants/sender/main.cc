// SPDX-License-Identifier: Apache-2.0
// mutant-sender: sends what no honest client would, along any route, and says what it sent.
#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>

#include "pytests/mutants/sender/route.h"
#include "src/crypto/cipher.h"
#include "src/ports/entropy.h"
#include "src/prelude/log.h"
#include "src/record/hop_log.h"
#include "src/runtime/loop.h"
#include "src/runtime/settings.h"
#include "src/runtime/stream.h"
#include "src/wire/limits.h"

namespace {

using namespace mix;
using mutants::HopSpec;

constexpr const char* kAbout =
    "Sends packets along any route, whatever the layers, and varies, repeats or cuts them. Prints "
    "one JSON line for each packet sent: sent_ns, digest, to, and which copy it is. It obeys no "
    "rule of the mixnet: that is what nodes are tested with.";

constexpr const char* kFooter =
    "A hop is mix:LAYER[:N] (N-th of the layer by key, from 0), provider[:N], IP:PORT (whoever "
    "the\n"
    "topology has there, else nobody) or IP:PORT=KEY.\n"
    "\n"
    "Examples\n"
    "  mutant-sender --hop mix:1 --hop mix:3 --hop provider              skips layer 2\n"
    "  mutant-sender --hop mix:2 --hop mix:1 --hop provider              goes back\n"
    "  mutant-sender --hop mix:1 --hop provider                          skips the rest\n"
    "  mutant-sender --hop mix:1:0 --hop mix:1:1 --hop provider          stays in layer 1\n"
    "  mutant-sender --hop mix:2 --hop mix:3 --hop provider              begins in layer 2\n"
    "  mutant-sender --hop mix:1                                         ends at a mix\n"
    "  mutant-sender --hop mix:1 --hop 127.0.0.1:9 --hop provider        to nobody\n"
    "  mutant-sender --hop mix:1 --hop mix:2 --hop mix:3 --hop provider --resend 2\n"
    "  mutant-sender --packets FILE                                      sends what the file says\n"
    "\n"
    "A line of FILE is TIME IP:PORT HEX: nanoseconds of the monotonic clock (of a lab's run), "
    "where\n"
    "to, and the bytes of one packet. Lines are in order of time.\n"
    "\n"
    "Exit status: 0 all sent; 1 something could not be sent; 2 wrong usage.";

struct Flags {
  std::string directory = "http://localhost:8080";
  std::vector<std::string> hops;
  std::string to;
  std::string delay = "0 ms";
  std::string message = "mutant";
  std::string recipient;
  std::size_t count = 1;
  std::string every = "0";
  std::size_t resend = 0;
  std::string flip;
  bool flip_resent = false;
  std::size_t cut = 0;
  bool one_connection = false;
  bool truncate = false;
  std::string packets;
  std::string wait = "30 s";
  std::string record;
  std::string name = "mutant-sender";
};

/// "alpha:255", "gamma:0", "beta:7", "payload:8191": a bit of the packet, from the part's first.
std::expected<std::size_t, std::string> read_bit(const std::string& text) {
  const std::size_t colon = text.find(':');
  const std::string part = text.substr(0, colon);
  const auto [at, bytes] = part == "alpha"   ? std::pair(sphinx::kAlphaAt, sphinx::kAlphaBytes)
                           : part == "gamma" ? std::pair(sphinx::kGammaAt, sphinx::kGammaBytes)
                           : part == "beta"  ? std::pair(sphinx::kBetaAt, sphinx::kBetaBytes)
                           : part == "payload"
                               ? std::pair(sphinx::kPayloadAt, sphinx::kPayloadBytes)
                               : std::pair(std::size_t{0}, std::size_t{0});
  std::size_t bit = 0;
  const std::string digits = colon == std::string::npos ? "" : text.substr(colon + 1);
  if (digits.empty() || digits.size() > 5 ||
      digits.find_first_not_of("0123456789") != std::string::npos ||
      (bit = std::stoul(digits)) >= 8 * bytes)
    return std::unexpected("'" + text + "' is not alpha:BIT, gamma:BIT, beta:BIT or payload:BIT");
  return 8 * at + bit;
}

void flip(sphinx::Packet& packet, std::size_t bit) {
  packet[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
}

/// A packet that somebody else made.
struct Ready {
  Instant time;
  sphinx::NodeAddress to;
  sphinx::Packet packet;
};

std::expected<std::vector<Ready>, std::string> read_packets(const std::string& file) {
  std::ifstream in(file);
  if (!in) return std::unexpected("--packets: cannot read " + file);
  std::vector<Ready> out;
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    std::istringstream words(line);
    std::int64_t time = 0;
    std::string to, hex;
    words >> time >> to >> hex;
    const auto address = sphinx::NodeAddress::from_text(to);
    const auto bytes = from_hex(hex);
    if (!address || !bytes || bytes->size() != sphinx::kPacketBytes ||
        (!out.empty() && Instant(Duration(time)) < out.back().time))
      return std::unexpected(file + ":" + std::to_string(number) +
                             ": is not TIME IP:PORT HEX of 1372 bytes, no earlier than the last");
    out.push_back({Instant(Duration(time)), *address, {}});
    std::ranges::copy(*bytes, out.back().packet.begin());
  }
  if (out.empty()) return std::unexpected("--packets: " + file + " is empty");
  return out;
}

/// What the flags mean.
struct Plan {
  std::vector<HopSpec> hops;
  std::optional<sphinx::NodeAddress> to;
  Duration delay{}, every{}, wait{};
  std::optional<std::size_t> flip;
  std::optional<crypto::PublicKey> recipient;
  std::vector<Ready> packets;
};

std::expected<Plan, std::string> plan_of(const Flags& flags) {
  Plan plan;
  if (flags.hops.empty() == flags.packets.empty())
    return std::unexpected("either --hop, once for each hop, or --packets");
  if (!flags.packets.empty()) {
    auto packets = read_packets(flags.packets);
    if (!packets) return std::unexpected(packets.error());
    plan.packets = std::move(*packets);
  }
  for (const std::string& text : flags.hops) {
    auto hop = mutants::read_hop(text);
    if (!hop) return std::unexpected("--hop: " + hop.error());
    plan.hops.push_back(std::move(*hop));
  }
  if (plan.hops.size() > sphinx::kMaxHops) return std::unexpected("--hop: at most five");
  if (!flags.to.empty()) {
    const auto to = sphinx::NodeAddress::from_text(flags.to);
    if (!to) return std::unexpected("--to: " + to.error());
    plan.to = *to;
  }
  for (const auto& [flag, text, value] : {std::tuple{"--delay", &flags.delay, &plan.delay},
                                          std::tuple{"--every", &flags.every, &plan.every},
                                          std::tuple{"--wait", &flags.wait, &plan.wait}}) {
    const auto read = *text == "0" ? Duration{} : parse_duration(*text);
    if (!read) return std::unexpected(std::string(flag) + ": " + read.error());
    *value = *read;
  }
  if (!flags.flip.empty()) {
    const auto bit = read_bit(flags.flip);
    if (!bit) return std::unexpected("--flip: " + bit.error());
    plan.flip = *bit;
  }
  if (!flags.recipient.empty()) {
    plan.recipient = crypto::PublicKey::from_base58(flags.recipient);
    if (!plan.recipient) return std::unexpected("--recipient: not 32 bytes of base58");
  }
  return plan;
}

class Sender {
 public:
  Sender(runtime::Loop& loop, record::HopLog& log, const Flags& flags, const Plan& plan)
      : x_loop(loop),
        x_log(log),
        x_flags(flags),
        x_plan(plan),
        x_keys(crypto::KeyPair::generate(x_entropy)),
        x_watcher(loop, {.directory = flags.directory, .interval = 1s, .refresh_gap = 100ms}) {}

  int run() {
    x_loop.spawn(x_plan.packets.empty() ? work() : send_ready());
    x_loop.run();
    x_log.close();
    return x_failed ? 1 : 0;
  }

 private:
  runtime::Task<> send_ready() {
    record_node();
    for (const Ready& ready : x_plan.packets) {
      if (x_failed) break;
      co_await x_loop.sleep_until(ready.time);
      x_to = ready.to;
      co_await send(ready.packet, 0, x_loop.now());
    }
    x_loop.stop();
  }

  runtime::Task<> work() {
    record_node();
    x_watcher.start();
    const Instant deadline = x_loop.now() + x_plan.wait;
    while (!find_route()) {
      if (x_loop.now() >= deadline) {
        log::error("the topology has no ", x_missing, " after ", to_text(x_plan.wait));
        x_failed = true;
        break;
      }
      x_watcher.refresh_soon();
      co_await x_loop.sleep_for(50ms);
    }
    Instant next = x_loop.now();
    for (std::size_t i = 0; i < x_flags.count && !x_failed; ++i, next += x_plan.every) {
      if (x_plan.every > 0ns) co_await x_loop.sleep_until(next);
      co_await send_copies();
    }
    x_loop.stop();
  }

  bool find_route() {
    const auto view = x_watcher.view();
    x_missing = "answer from the directory";
    if (!view) return false;
    x_route.clear();
    for (const HopSpec& hop : x_plan.hops) {
      const auto place = mutants::find(hop, *view, x_entropy);
      x_missing = hop.text;
      if (!place) return false;
      x_route.push_back({place->address.encode(), place->key, x_plan.delay});
      if (x_route.size() == 1) x_to = x_plan.to.value_or(place->address);
    }
    return true;
  }

  runtime::Task<> send_copies() {
    const crypto::PublicKey recipient = x_plan.recipient.value_or(x_keys.public_key);
    auto packet =
        sphinx::build(x_route, {recipient.bytes(), {}}, as_bytes(x_flags.message), x_entropy);
    if (!packet) {
      log::error(sphinx::to_text(packet.error()));
      x_failed = true;
      co_return;
    }
    const Instant created = x_loop.now();
    for (std::size_t copy = 0; copy <= x_flags.resend && !x_failed; ++copy) {
      sphinx::Packet bytes = *packet;
      if (x_plan.flip && (!x_flags.flip_resent || copy > 0)) flip(bytes, *x_plan.flip);
      co_await send(bytes, copy, created);
    }
  }

  runtime::Task<> send(const sphinx::Packet& packet, std::size_t copy, Instant created) {
    if (!x_stream) {
      auto stream = co_await runtime::Stream::connect(x_loop, x_to, wire::kConnectTimeout);
      if (!stream) {
        log::error(x_to.to_text(), ": ", stream.error().text());
        x_failed = true;
        co_return;
      }
      x_stream = std::move(*stream);
    }
    BytesView rest(packet);
    if (x_flags.truncate) rest = rest.first(rest.size() - 1);
    while (!rest.empty()) {
      const std::size_t piece = x_flags.cut ? std::min(x_flags.cut, rest.size()) : rest.size();
      if (const auto wrote = co_await x_stream.write_all(rest.first(piece)); !wrote) {
        log::error(x_to.to_text(), ": ", wrote.error().text());
        x_failed = true;
        co_return;
      }
      rest = rest.subspan(piece);
      if (x_flags.cut && !rest.empty()) co_await x_loop.sleep_for(1ms);
    }
    if (!x_flags.truncate) report(packet, copy, created);
    if (!x_flags.one_connection) x_stream = runtime::Stream();
  }

  void report(const sphinx::Packet& packet, std::size_t copy, Instant created) {
    const Instant now = x_loop.now();
    const auto digest = crypto::digest16(packet);
    std::cout << "{\"sent_ns\":" << record::ns(now) << ",\"digest\":\"" << to_hex(digest)
              << "\",\"to\":\"" << x_to.to_text() << "\",\"copy\":" << copy << "}" << std::endl;
    record::MadeRow row;
    row.created_ns = record::ns(created);
    row.sent_ns = record::ns(now);
    row.digest = digest;
    row.packet_class = record::PacketClass::injected;
    row.recipient = x_plan.recipient.value_or(x_keys.public_key).to_base58();
    row.first_address = x_to.to_text();
    x_log.made(std::move(row));
  }

  void record_node() {
    record::NodeRow row;
    row.name = x_flags.name;
    row.role = record::Role::client;
    row.layer = 0;
    row.address = "127.0.0.1:1";
    row.public_key = x_keys.public_key.to_base58();
    x_log.node(std::move(row));
  }

  runtime::Loop& x_loop;
  record::HopLog& x_log;
  const Flags& x_flags;
  const Plan& x_plan;
  ports::SystemEntropy x_entropy;
  crypto::KeyPair x_keys;
  presence::Watcher x_watcher;
  std::vector<sphinx::Hop> x_route;
  sphinx::NodeAddress x_to;
  runtime::Stream x_stream;
  std::string x_missing;
  bool x_failed = false;
};

void add_flags(CLI::App& app, Flags& flags) {
  app.add_option("--directory", flags.directory, "Whom to ask where the hops are")
      ->capture_default_str()
      ->check(runtime::check_url);
  app.add_option("--hop", flags.hops, "The route, one flag a hop, one to five; see below");
  app.add_option("--packets", flags.packets, "Send these packets instead of making any; see below")
      ->check(CLI::ExistingFile);
  app.add_option("--to", flags.to, "IP:PORT to connect to, if not the first hop");
  app.add_option("--delay", flags.delay, "Asked of every hop (any length: '2 h' is refused)")
      ->capture_default_str();
  app.add_option("--message", flags.message, "At most 975 bytes")->capture_default_str();
  app.add_option("--recipient", flags.recipient, "Address at the provider; else nobody's");
  app.add_option("--count", flags.count, "Different packets")->capture_default_str();
  app.add_option("--every", flags.every, "Time between two of them")->capture_default_str();
  app.add_option("--resend", flags.resend, "Send each so many times more")->capture_default_str();
  app.add_option("--flip", flags.flip,
                 "Flip a bit: alpha:BIT (255 means nothing to the curve), gamma:BIT, beta:BIT, "
                 "payload:BIT");
  app.add_flag("--flip-resent", flags.flip_resent, "Flip it in the resent copies only");
  app.add_option("--cut", flags.cut, "Write pieces of so many bytes, a millisecond apart");
  app.add_flag("--truncate", flags.truncate, "Leave out each packet's last byte");
  app.add_flag("--one-connection", flags.one_connection, "Send everything on one connection");
  app.add_option("--wait", flags.wait, "How long to wait for the hops to be in the topology")
      ->capture_default_str();
  app.add_option("--record", flags.record,
                 "Write what was sent to a recording, class 'injected'; without it, none of it "
                 "is on record")
      ->type_name("FILE|fd:N");
  app.add_option("--name", flags.name, "In the recording")->capture_default_str();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(kAbout, "mutant-sender");
  app.footer(kFooter);
  Flags flags;
  add_flags(app, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const auto plan = plan_of(flags);
  if (!plan) {
    std::cerr << plan.error() << "\nRun with --help for more information.\n";
    return 2;
  }
  runtime::Loop loop;
  auto log = record::HopLog::open(
      flags.record, loop, [&loop](std::function<void()> job) { loop.post(std::move(job)); });
  if (!log) {
    mix::log::error(log.error());
    return 1;
  }
  return Sender(loop, *log, flags, *plan).run();
}
