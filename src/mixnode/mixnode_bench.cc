// SPDX-License-Identifier: Apache-2.0
// How fast one real nym-mixnode is, measured from outside: this program is its directory, its
// senders and its next hop at once, on one core; the node has another for itself.
//
// Throughput is a ratio: packets per second through the node over what peeling alone (key
// agreement, tag memory, symmetric work) reaches in this process on the node's core. It is judged
// twice: by the wall clock, and by the node's processor time, which a machine busy with something
// else does not change. With --record the writer's thread may use the other core. A window of
// packets is kept in flight, so the node is never idle and its queues never fill. Latency is what
// is left when the asked delay is taken away, at half of the measured throughput. All delays of a
// run are equal, so packets arrive in the order sent and need no recognising. With a connection a
// packet the system's share is larger than the peel's, so the node is also shown beside both
// together (peeling alone, and a process that only takes and makes connections), and held against
// a process that does both by turns, which is slower than their sum (each finds the other's code
// and data in the caches), and is the most that any mix can reach. All of this is measured in turn,
// fifteen times; a figure is the median over the rounds, a ratio is taken within each.
//
// bench_mixnode NYM_MIXNODE [PACKETS] [FOLDER]   exit status 1 when a stated bound is missed
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <optional>

#include "src/crypto/bench_rounds.h"
#include "src/mixnode/relay.h"
#include "src/prelude/check.h"
#include "src/presence/announcer.h"
#include "src/program/bench_process.h"
#include "src/program/bench_report.h"
#include "src/runtime/event.h"
#include "src/runtime/http_server.h"
#include "src/runtime/settings.h"
#include "src/runtime/stream.h"
#include "src/topology/json.h"
#include "src/topology/version.h"

namespace mix::mixnode {
namespace {

using program::per_second;
using runtime::Address;
using runtime::Listener;
using runtime::Loop;
using runtime::Stream;
using runtime::Task;

constexpr std::size_t kWindow = 256, kConnections = 4;
/// Packets built ahead, so that building and sending do not share the core at one time.
constexpr std::size_t kBatch = 20'000;
constexpr int kRounds = 15;
/// What is measured once goes on for longer: by so many times a round's packets.
constexpr std::size_t kLonger = 100;

Address anywhere() {
  return sphinx::NodeAddress::ipv4({127, 0, 0, 1}, 0);
}
enum class Peering {
  persistent,
  connection_per_packet,
  single_to_kept,  // senders make a connection a packet (originals), the next hop keeps one (ours)
  bare,            // a connection a packet, through a few system calls and nothing else
  bare_peeled,     // and each packet peeled in between
};

struct Run {
  std::size_t packets = 0;
  Peering peering = Peering::persistent;
  Duration delay{};
  /// Between two packets; zero: as fast as the window allows.
  Duration gap{};
  std::vector<std::string> flags;  // of the node
};

struct Measured {
  double per_s = 0;                     // of the wall clock
  double per_cpu_s = 0;                 // of the node's processor time
  double per_loop_s = 0;                // of its loop's thread
  std::vector<Duration> beyond;         // of each packet, sorted
  double dirty_idle = 0, rss_idle = 0;  // MiB
  std::vector<double> dirty, rss;       // MiB, after each batch
};

/// Peels packets that are as they should be.
class Peel {
 public:
  explicit Peel(const crypto::PrivateKey& key) : x_peeler(key) {}
  sphinx::Packet operator()(const sphinx::Packet& packet) {
    const auto header = x_peeler.open_header(packet);
    CHECK(header && x_tags.remember(header->tag()));
    const auto peeled = header->finish(packet);
    CHECK(peeled);
    return std::get<sphinx::Forward>(*peeled).packet;
  }

 private:
  sphinx::Peeler x_peeler;
  sphinx::TagMemory x_tags;
};

/// What a connection a packet costs at least: takes 1372 bytes from each, brings what `turn` makes
/// of them to `next` on another.
template <class Turn>
void relay_bare(int listener, const sockaddr_in& next, Turn turn) {
  sphinx::Packet packet{};
  while (true) {
    const int from = ::accept(listener, nullptr, nullptr);
    if (from < 0 || ::recv(from, packet.data(), packet.size(), MSG_WAITALL) <= 0) return;
    ::close(from);
    packet = turn(packet);
    const int to = ::socket(AF_INET, SOCK_STREAM, 0);
    if (::connect(to, reinterpret_cast<const sockaddr*>(&next), sizeof next) != 0) return;
    if (::send(to, packet.data(), packet.size(), MSG_NOSIGNAL) < 0) return;
    ::close(to);
  }
}

/// One node, from start to end.
class World {
 public:
  World(const std::string& program, Run run) : x_run(std::move(run)) {
    x_directory.route("GET", presence::kTopologyPath, [this](const auto&) { return topology(); });
    x_directory.route("POST", presence::kMixPresencePath, [this](const auto& request) {
      x_mix = topology::mix_from_presence(request.body).value();
      x_joined.notify();
      return reply(201, R"({"ok":true})");
    });
    CHECK(x_directory.listen(anywhere()));
    x_next.serve([this](Stream stream) { return receive(std::move(stream)); });
    if (x_run.peering == Peering::bare || x_run.peering == Peering::bare_peeled) {
      start_bare();
      return;
    }
    std::vector<std::string> words{
        "run", "--host",       "127.0.0.1",   "--port",
        "0",   "--layer",      "1",           "--layers",
        "1",   "--no-metrics", "--directory", "http://" + x_directory.local().to_text()};
    words.insert(words.end(), x_run.flags.begin(), x_run.flags.end());
    x_node.start(program, words);
  }

  Measured measure() {
    x_loop.spawn(work());
    if (const int signal = x_loop.run()) throw program::Interrupted{signal};
    std::ranges::sort(x_measured.beyond);
    return x_measured;
  }

 private:
  void start_bare() {
    const auto loopback = [](std::uint16_t port) {
      sockaddr_in out{};
      out.sin_family = AF_INET;
      out.sin_port = htons(port);
      out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      return out;
    };
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in here = loopback(0);
    socklen_t size = sizeof here;
    CHECK(::bind(listener, reinterpret_cast<const sockaddr*>(&here), size) == 0);
    CHECK(::listen(listener, wire::kListenBacklog) == 0);
    CHECK(::getsockname(listener, reinterpret_cast<sockaddr*>(&here), &size) == 0);
    x_node.start([&] {
      const sockaddr_in next = loopback(x_next.local().port);
      if (x_run.peering == Peering::bare_peeled)
        relay_bare(listener, next, Peel(x_keys.secret));
      else
        relay_bare(listener, next, std::identity());
    });
    ::close(listener);
    x_mix.emplace();
    x_mix->host = "127.0.0.1:" + std::to_string(ntohs(here.sin_port));
    x_mix->public_key = x_keys.public_key;
  }
  static runtime::HttpReply reply(unsigned status, std::string body) {
    runtime::HttpReply out;
    out.status = status;
    out.body = std::move(body);
    return out;
  }
  runtime::HttpReply topology() const {
    topology::ProviderInfo info;
    info.client_listener = "127.0.0.1:1";
    info.mixnet_listener = x_next.local().to_text();
    info.public_key = x_keys.public_key;
    const bool kept =
        x_run.peering == Peering::persistent || x_run.peering == Peering::single_to_kept;
    info.version = kept ? topology::kOurVersion : "0.4.0-rc.2";
    return reply(200, topology::to_json(topology::Topology({}, {info})));
  }

  Task<> receive(Stream stream) {
    Bytes buffer(64 * wire::kPacketBytes);
    std::size_t rest = 0;
    while (true) {
      const auto got = co_await stream.read_some(buffer);
      if (!got || *got == 0) co_return;
      rest += *got;
      const Instant now = x_loop.now();
      for (; rest >= wire::kPacketBytes; rest -= wire::kPacketBytes)
        x_measured.beyond.push_back(now - x_sent[x_arrived++] - x_run.delay);
      x_room.notify();
    }
  }

  std::vector<sphinx::Packet> build(std::size_t count) {
    const std::array route{
        sphinx::Hop{{}, x_mix->public_key, x_run.delay},
        sphinx::Hop{x_next.local().encode(), x_keys.public_key, 0ns},
    };
    std::vector<sphinx::Packet> packets;
    sphinx::Builder builder;
    for (std::size_t i = 0; i < count; ++i)
      packets.push_back(builder.build(route, {}, as_bytes("bench"), x_entropy).value());
    return packets;
  }

  Task<> work() {
    while (!x_mix)
      co_await x_joined.wait();
    x_measured.dirty_idle = x_node.mib("Private_Dirty:");
    x_measured.rss_idle = x_node.mib("Rss:");
    x_node.free_other_threads();
    const Address to = sphinx::NodeAddress::from_text(x_mix->host).value();
    std::vector<Stream> streams;
    if (x_run.peering == Peering::persistent)
      for (std::size_t i = 0; i < (x_run.gap > 0ns ? 1 : kConnections); ++i)
        streams.push_back((co_await Stream::connect(x_loop, to, 5s)).value());
    Duration wall{}, cpu{}, loop_cpu{};
    while (x_arrived < x_run.packets) {
      const auto packets = build(std::min(kBatch, x_run.packets - x_arrived));
      const Duration cpu_before = x_node.cpu(), loop_before = x_node.loop_cpu();
      const Instant start = x_loop.now();
      co_await send(to, streams, packets);
      wall += x_loop.now() - start;
      cpu += x_node.cpu() - cpu_before;
      loop_cpu += x_node.loop_cpu() - loop_before;
      x_measured.dirty.push_back(x_node.mib("Private_Dirty:"));
      x_measured.rss.push_back(x_node.mib("Rss:"));
    }
    x_measured.per_s = per_second(x_run.packets, wall);
    x_measured.per_cpu_s = per_second(x_run.packets, cpu);
    x_measured.per_loop_s = per_second(x_run.packets, loop_cpu);
    x_loop.stop();
  }

  /// All of them, until the last has arrived.
  Task<> send(Address to, std::vector<Stream>& streams,
              const std::vector<sphinx::Packet>& packets) {
    const Instant start = x_loop.now();
    const std::size_t before = x_arrived;
    for (std::size_t i = 0; i < packets.size(); ++i) {
      if (x_run.gap > 0ns) co_await x_loop.sleep_until(start + x_run.gap * static_cast<long>(i));
      while (before + i - x_arrived >= kWindow)
        co_await x_room.wait();
      x_sent.push_back(x_loop.now());
      if (streams.empty()) {
        auto stream = co_await Stream::connect(x_loop, to, 5s);
        (void)co_await stream.value().write_all(packets[i]);
      } else {
        (void)co_await streams[i % streams.size()].write_all(packets[i]);
      }
    }
    while (x_arrived < before + packets.size())
      co_await x_room.wait();
  }

  Run x_run;
  Loop x_loop;
  ports::SystemEntropy x_entropy;
  crypto::KeyPair x_keys = crypto::KeyPair::generate(x_entropy);
  Listener x_next = Listener::open(x_loop, anywhere()).value();
  runtime::HttpServer x_directory{x_loop};
  runtime::Event x_joined{x_loop}, x_room{x_loop};
  std::optional<topology::MixInfo> x_mix;
  program::Process x_node;
  std::vector<Instant> x_sent;
  std::size_t x_arrived = 0;
  Measured x_measured;
};

struct Alone {
  double per_s = 0, per_cpu_s = 0;
};

/// What this process peels on the node's core, each packet checked against the tags.
Alone peel_alone(std::size_t packets) {
  ports::SystemEntropy entropy;
  const auto keys = crypto::KeyPair::generate(entropy);
  const std::array route{
      sphinx::Hop{{}, keys.public_key, 0ns},
      sphinx::Hop{anywhere().encode(), crypto::KeyPair::generate(entropy).public_key, 0ns},
  };
  std::vector<sphinx::Packet> built;
  sphinx::Builder builder;
  for (std::size_t i = 0; i < packets; ++i)
    built.push_back(builder.build(route, {}, as_bytes("bench"), entropy).value());
  program::pin(program::kNodeCore);
  Peel peel(keys.secret);
  const Duration wall = program::cpu_of(CLOCK_MONOTONIC);
  const Duration cpu = program::cpu_of(CLOCK_PROCESS_CPUTIME_ID);
  for (const sphinx::Packet& packet : built)
    peel(packet);
  const Alone out{
      .per_s = per_second(packets, program::cpu_of(CLOCK_MONOTONIC) - wall),
      .per_cpu_s = per_second(packets, program::cpu_of(CLOCK_PROCESS_CPUTIME_ID) - cpu)};
  program::pin(program::kBenchCore);
  return out;
}

/// Everything that is compared, once in turn: a machine's speed changes within a minute, and what
/// is measured next to each other meets more or less the same.
struct Round {
  Alone alone;
  Measured persistent, recorded, single, single_to_kept, bare, bare_peeled;

  static Round play(const std::string& program, std::size_t packets, const std::string& record) {
    const auto measured = [&](Peering peering, std::vector<std::string> flags = {}) {
      Run run;
      run.packets = packets;
      run.peering = peering;
      run.flags = std::move(flags);
      return World(program, run).measure();
    };
    Round out;
    out.recorded = measured(Peering::persistent, {"--record", record});
    out.persistent = measured(Peering::persistent);
    out.alone = peel_alone(packets);
    out.single = measured(Peering::connection_per_packet);
    out.bare_peeled = measured(Peering::bare_peeled);
    out.single_to_kept = measured(Peering::single_to_kept);
    out.bare = measured(Peering::bare);
    return out;
  }
};

/// The median over all rounds of what `figure` makes of one.
template <class Figure>
double median_of(const std::vector<Round>& rounds, Figure figure) {
  std::vector<double> values;
  for (const Round& round : rounds)
    values.push_back(figure(round));
  return crypto::median(std::move(values));
}

void report_rates(program::Report& report, const std::vector<Round>& rounds) {
  const auto rates = [&](const char* title, auto kind) {
    report.title(title);
    report.line("packets a second",
                median_of(rounds, [&](const Round& r) { return (r.*kind).per_s; }));
    report.line("packets a processor second",
                median_of(rounds, [&](const Round& r) { return (r.*kind).per_cpu_s; }));
  };
  const auto by_clock = [&](auto kind, auto beside) {
    return median_of(rounds, [&](const Round& r) { return (r.*kind).per_s / (r.*beside).per_s; });
  };
  const auto by_processor = [&](auto kind, auto beside) {
    return median_of(rounds,
                     [&](const Round& r) { return (r.*kind).per_cpu_s / (r.*beside).per_cpu_s; });
  };
  rates("peeling alone, on the node's core", &Round::alone);
  rates("through the node, kept connections", &Round::persistent);
  report.at_least("over peeling alone, by the clock", by_clock(&Round::persistent, &Round::alone),
                  0.8);
  report.at_least("over peeling alone, by processor time",
                  by_processor(&Round::persistent, &Round::alone), 0.8);
  rates("through the node, a connection a packet", &Round::single);
  report.at_least("over peeling alone, by the clock", by_clock(&Round::single, &Round::alone), 0.8);
  report.at_least("over peeling alone, by processor time",
                  by_processor(&Round::single, &Round::alone), 0.8);
  rates("a connection a packet comes in, a kept one goes out", &Round::single_to_kept);
  report.line("over peeling alone, by the clock", by_clock(&Round::single_to_kept, &Round::alone));
  report.line("over peeling alone, by processor time",
              by_processor(&Round::single_to_kept, &Round::alone));
  rates("a connection a packet, and no peel (the system's share)", &Round::bare);
  report.line("the node over peeling and this together, by processor time",
              median_of(rounds, [](const Round& r) {
                return r.single.per_cpu_s * (1 / r.alone.per_cpu_s + 1 / r.bare.per_cpu_s);
              }));
  rates("the same by turns with a peel (the most a mix can reach)", &Round::bare_peeled);
  report.line("over peeling alone, by processor time",
              by_processor(&Round::bare_peeled, &Round::alone));
  report.at_least("the node over this, by processor time",
                  by_processor(&Round::single, &Round::bare_peeled), 0.9);
  rates("with --record, kept connections", &Round::recorded);
  report.at_least("over the same without, by the clock",
                  by_clock(&Round::recorded, &Round::persistent), 0.9);
  report.at_least(
      "over the same without, the loop's processor time",
      median_of(rounds,
                [](const Round& r) { return r.recorded.per_loop_s / r.persistent.per_loop_s; }),
      0.9);
  report.line("over the same without, with the writer's processor time",
              by_processor(&Round::recorded, &Round::persistent));
}

void report_latency(program::Report& report, const Measured& latency) {
  const auto at = [&](double q) {
    const auto i = static_cast<std::size_t>(q * static_cast<double>(latency.beyond.size() - 1));
    return static_cast<double>(latency.beyond[i].count()) / 1e3;
  };
  report.title("beyond the asked delay of 20 ms, at half of that load");
  report.line("least", at(0), "us");
  report.line("median", at(0.5), "us");
  report.line("99th percentile", at(0.99), "us");
}

/// `flat` had 1 MiB of tags, which are full after some 65,000 packets: four batches.
void report_memory(program::Report& report, const Measured& idle, const Measured& flat,
                   std::size_t packets) {
  report.title("memory");
  report.at_most("private dirty memory of an idle node", idle.dirty_idle, 4, "MiB");
  report.line("its resident memory (with what all programs share)", idle.rss_idle, "MiB");
  const std::size_t full = std::min<std::size_t>(4, flat.dirty.size());
  const auto batches =
      std::to_string(std::min(packets, full * kBatch)) + " packets, 1 MiB of tags full";
  report.line(("private dirty memory after " + batches).c_str(), flat.dirty[full - 1], "MiB");
  report.line("its resident memory then", flat.rss[full - 1], "MiB");
  const auto most =
      *std::ranges::max_element(flat.dirty.begin() + static_cast<long>(full) - 1, flat.dirty.end());
  const std::string rest = "growth from there to " + std::to_string(packets) + " packets";
  report.at_most(rest.c_str(), most - flat.dirty[full - 1], 0.1, "MiB");
}

int bench(const std::string& program, std::size_t packets, const std::string& folder) {
  program::Report report;
  std::vector<Round> rounds;
  for (int round = 0; round < kRounds; ++round)
    rounds.push_back(
        Round::play(program, packets, folder + "/bench-" + std::to_string(round) + ".sqlite"));
  report_rates(report, rounds);

  const double rate = median_of(rounds, [](const Round& r) { return r.persistent.per_s; });
  Run half;
  half.packets = packets;
  half.delay = 20ms;
  half.gap = Duration(static_cast<std::int64_t>(2e9 / rate));
  report_latency(report, World(program, half).measure());

  Run flood;
  flood.packets = packets * kLonger;
  flood.flags = {"--tag-memory", "1MiB"};
  Measured idle;
  for (const Round& round : rounds) {
    idle.dirty_idle = std::max(idle.dirty_idle, round.persistent.dirty_idle);
    idle.rss_idle = std::max(idle.rss_idle, round.persistent.rss_idle);
  }
  report_memory(report, idle, World(program, flood).measure(), flood.packets);
  return report.end();
}

}  // namespace
}  // namespace mix::mixnode

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_mixnode NYM_MIXNODE [PACKETS] [FOLDER]\n");
    return 2;
  }
  mix::runtime::raise_descriptor_limit(mix::wire::kWantedDescriptors);
  mix::program::pin(mix::program::kBenchCore);
  const std::size_t packets = argc > 2 ? std::stoul(argv[2]) : 5'000;
  std::string folder = argc > 3 ? argv[3] : "";
  char made[] = "/tmp/mixlab-bench-XXXXXX";
  if (folder.empty()) folder = ::mkdtemp(made);
  int status = 0;
  try {
    status = mix::mixnode::bench(argv[1], packets, folder);
  } catch (const mix::program::Interrupted& interrupted) {
    status = interrupted.exit_status();
  }
  if (argc <= 3) std::filesystem::remove_all(folder);
  return status;
}
