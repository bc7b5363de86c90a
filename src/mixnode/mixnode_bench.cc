// SPDX-License-Identifier: Apache-2.0
// How fast one real nym-mixnode is, measured from outside: this program is its directory, its
// senders and its next hop at once, on one core; the node has another for itself.
//
// Throughput is a ratio: packets per second of the node's processor time, over what peeling alone
// (key agreement, tag memory, symmetric work) reaches in this process on the node's core. Processor
// time, so that a machine busy with something else does not change the verdict; packets per second
// of the wall clock are shown beside it. With --record the loop's thread is judged: the writer's
// has a core of its own where there is one. A window of packets is kept in flight, so the node is
// never idle and its queues never fill. Latency is what is left when the asked delay is taken away,
// at half of the measured throughput. All delays of a run are equal, so packets arrive in the order
// sent and need no recognising.
//
// bench_mixnode NYM_MIXNODE [PACKETS] [FOLDER]   exit status 1 when a stated bound is missed
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>

#include "src/mixnode/relay.h"
#include "src/prelude/check.h"
#include "src/presence/announcer.h"
#include "src/runtime/event.h"
#include "src/runtime/http_server.h"
#include "src/runtime/settings.h"
#include "src/runtime/stream.h"
#include "src/topology/json.h"
#include "src/topology/version.h"

namespace mix::mixnode {
namespace {

using runtime::Address;
using runtime::Listener;
using runtime::Loop;
using runtime::Stream;
using runtime::Task;

constexpr int kNodeCore = 0, kBenchCore = 1;
constexpr std::size_t kWindow = 256, kConnections = 4;

Address anywhere() {
  return sphinx::NodeAddress::ipv4({127, 0, 0, 1}, 0);
}
void pin(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(core), &set);
  ::sched_setaffinity(0, sizeof set, &set);  // on a one-core machine everything shares it
}

double rate(std::size_t packets, Duration time) {
  return static_cast<double>(packets) / std::chrono::duration<double>(time).count();
}

enum class Peering { persistent, connection_per_packet };

struct Run {
  std::size_t packets = 20'000;
  Peering peering = Peering::persistent;
  Duration delay{};
  /// Between two packets; zero: as fast as the window allows.
  Duration gap{};
  std::vector<std::string> flags;  // of the node
};

struct Measured {
  double per_s = 0;              // of the wall clock
  double per_cpu_s = 0;          // of the node's processor time
  double per_loop_s = 0;         // of its loop's thread
  std::vector<Duration> beyond;  // of each packet, sorted
  long dirty_idle_kib = 0, dirty_end_kib = 0, rss_idle_kib = 0;
};

struct Node {
  pid_t pid = 0;
  ~Node() {
    if (pid == 0) return;
    ::kill(pid, SIGTERM);
    ::waitpid(pid, nullptr, 0);
  }
  void start(const std::string& program, std::vector<std::string> words) {
    words.insert(words.begin(), program);
    std::vector<char*> argv;
    for (std::string& word : words)
      argv.push_back(word.data());
    argv.push_back(nullptr);
    pid = ::fork();
    CHECK(pid >= 0);
    if (pid > 0) return;
    pin(kNodeCore);
    const int null = ::open("/dev/null", O_WRONLY);
    ::dup2(null, STDOUT_FILENO);
    ::dup2(null, STDERR_FILENO);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  /// Processor time of all its threads.
  Duration cpu() const {
    clockid_t clock{};
    timespec t{};
    CHECK(::clock_getcpuclockid(pid, &clock) == 0 && ::clock_gettime(clock, &t) == 0);
    return std::chrono::seconds(t.tv_sec) + Duration(t.tv_nsec);
  }
  /// Of its first thread, the loop's.
  Duration loop_cpu() const {
    const std::string id = std::to_string(pid);
    std::ifstream file("/proc/" + id + "/task/" + id + "/schedstat");
    std::int64_t ns = 0;
    file >> ns;
    return Duration(ns);
  }
  long kib(const char* what) const {
    std::ifstream file("/proc/" + std::to_string(pid) + "/smaps_rollup");
    for (std::string word; file >> word;)
      if (word == what) {
        long value = 0;
        file >> value;
        return value;
      }
    return 0;
  }
};

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
    std::vector<std::string> words{
        "run", "--host",       "127.0.0.1",   "--port",
        "0",   "--layer",      "1",           "--layers",
        "1",   "--no-metrics", "--directory", "http://" + x_directory.local().to_text()};
    words.insert(words.end(), x_run.flags.begin(), x_run.flags.end());
    x_node.start(program, words);
  }

  Measured measure() {
    x_loop.spawn(work());
    x_loop.run();
    std::ranges::sort(x_measured.beyond);
    return x_measured;
  }

 private:
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
    info.version = x_run.peering == Peering::persistent ? topology::kOurVersion : "0.4.0-rc.2";
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

  std::vector<sphinx::Packet> build() {
    const std::array route{
        sphinx::Hop{{}, x_mix->public_key, x_run.delay},
        sphinx::Hop{x_next.local().encode(), x_keys.public_key, 0ns},
    };
    std::vector<sphinx::Packet> packets;
    sphinx::Builder builder;
    for (std::size_t i = 0; i < x_run.packets; ++i)
      packets.push_back(builder.build(route, {}, as_bytes("bench"), x_entropy).value());
    return packets;
  }

  Task<> work() {
    while (!x_mix)
      co_await x_joined.wait();
    x_measured.dirty_idle_kib = x_node.kib("Private_Dirty:");
    x_measured.rss_idle_kib = x_node.kib("Rss:");
    const auto packets = build();
    const Address to = sphinx::NodeAddress::from_text(x_mix->host).value();
    std::vector<Stream> streams;
    if (x_run.peering == Peering::persistent)
      for (std::size_t i = 0; i < (x_run.gap > 0ns ? 1 : kConnections); ++i)
        streams.push_back((co_await Stream::connect(x_loop, to, 5s)).value());

    const Duration cpu = x_node.cpu(), loop_cpu = x_node.loop_cpu();
    const Instant start = x_loop.now();
    for (std::size_t i = 0; i < packets.size(); ++i) {
      if (x_run.gap > 0ns) co_await x_loop.sleep_until(start + x_run.gap * static_cast<long>(i));
      while (i - x_arrived >= kWindow)
        co_await x_room.wait();
      x_sent.push_back(x_loop.now());
      if (streams.empty()) {
        auto stream = co_await Stream::connect(x_loop, to, 5s);
        (void)co_await stream.value().write_all(packets[i]);
      } else {
        (void)co_await streams[i % streams.size()].write_all(packets[i]);
      }
    }
    while (x_arrived < packets.size())
      co_await x_room.wait();
    x_measured.per_s = rate(packets.size(), x_loop.now() - start);
    x_measured.per_cpu_s = rate(packets.size(), x_node.cpu() - cpu);
    x_measured.per_loop_s = rate(packets.size(), x_node.loop_cpu() - loop_cpu);
    x_measured.dirty_end_kib = x_node.kib("Private_Dirty:");
    x_loop.stop();
  }

  Run x_run;
  Loop x_loop;
  ports::SystemEntropy x_entropy;
  crypto::KeyPair x_keys = crypto::KeyPair::generate(x_entropy);
  Listener x_next = Listener::open(x_loop, anywhere()).value();
  runtime::HttpServer x_directory{x_loop};
  runtime::Event x_joined{x_loop}, x_room{x_loop};
  std::optional<topology::MixInfo> x_mix;
  Node x_node;
  std::vector<Instant> x_sent;
  std::size_t x_arrived = 0;
  Measured x_measured;
};

/// Packets per second of processor time that this process peels on the node's core, each checked
/// against the tags.
double peel_alone(std::size_t packets) {
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
  pin(kNodeCore);
  sphinx::Peeler peeler(keys.secret);
  sphinx::TagMemory tags;
  const auto cpu = [] {
    timespec t{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return std::chrono::seconds(t.tv_sec) + Duration(t.tv_nsec);
  };
  const Duration start = cpu();
  for (const sphinx::Packet& packet : built) {
    const auto header = peeler.open_header(packet);
    CHECK(header && tags.remember(header->tag()) && header->finish(packet));
  }
  const Duration end = cpu();
  pin(kBenchCore);
  return rate(packets, end - start);
}

struct Report {
  bool failed = false;
  void line(const char* what, double value, const char* unit) {
    std::printf("%-52s %10.2f %s\n", what, value, unit);
    std::fflush(stdout);
  }
  void ratio(const char* what, double value, double at_least) {
    const bool good = value >= at_least;
    std::printf("%-52s %10.2f (at least %.2f) %s\n", what, value, at_least, good ? "" : "MISSED");
    std::fflush(stdout);
    failed = failed || !good;
  }
  void most(const char* what, double value, double at_most, const char* unit) {
    const bool good = value <= at_most;
    std::printf("%-52s %10.1f %s (at most %.1f) %s\n", what, value, unit, at_most,
                good ? "" : "MISSED");
    failed = failed || !good;
  }
};

int bench(const std::string& program, std::size_t packets, const std::string& folder) {
  Report report;
  Run run;
  run.packets = packets;
  // Three rounds, the best of each: what a machine does meanwhile only ever makes things slower.
  double alone = 0;
  Measured persistent, recorded, single;
  const auto better = [](Measured& best, const Measured& next) {
    if (next.per_loop_s > best.per_loop_s) best = next;
  };
  for (int round = 0; round < 3; ++round) {
    alone = std::max(alone, peel_alone(packets / 4));
    run.peering = Peering::persistent;
    run.flags.clear();
    better(persistent, World(program, run).measure());
    run.flags = {"--record", folder + "/bench-" + std::to_string(round) + ".sqlite"};
    better(recorded, World(program, run).measure());
    run.flags.clear();
    run.peering = Peering::connection_per_packet;
    better(single, World(program, run).measure());
  }

  Run half;
  half.packets = packets / 4;
  half.delay = 20ms;
  half.gap = Duration(static_cast<std::int64_t>(2e9 / persistent.per_s));
  const Measured latency = World(program, half).measure();

  Run flood;
  flood.packets = packets * 5;
  flood.flags = {"--tag-memory", "1MiB"};
  const Measured flat = World(program, flood).measure();

  report.line("peeling alone, packets per cpu second", alone, "");
  const auto lines = [&](const char* what, const Measured& measured) {
    std::printf("%s\n", what);
    report.line("  packets per second", measured.per_s, "");
    report.line("  packets per cpu second", measured.per_cpu_s, "");
    report.line("  packets per cpu second of the loop", measured.per_loop_s, "");
  };
  lines("through the node, kept connections", persistent);
  lines("the same with --record", recorded);
  lines("through the node, a connection a packet", single);
  report.ratio("node / peeling alone", persistent.per_cpu_s / alone, 0.8);
  report.ratio("with --record / without, the loop", recorded.per_loop_s / persistent.per_loop_s,
               0.9);
  report.line("with --record / without, in all", recorded.per_cpu_s / persistent.per_cpu_s, "");
  report.line("a connection a packet / peeling alone", single.per_cpu_s / alone, "");
  const auto at = [&](double q) {
    const auto i = static_cast<std::size_t>(q * static_cast<double>(latency.beyond.size() - 1));
    return static_cast<double>(latency.beyond[i].count()) / 1e3;
  };
  report.line("beyond the asked delay at half load, median", at(0.5), "us");
  report.line("beyond the asked delay at half load, p99", at(0.99), "us");
  report.line("beyond the asked delay at half load, least", at(0), "us");
  report.most("private dirty memory of an idle node",
              static_cast<double>(persistent.dirty_idle_kib) / 1024, 4, "MiB");
  report.line("  its resident memory", static_cast<double>(persistent.rss_idle_kib) / 1024, "MiB");
  report.line("private dirty memory with 1 MiB of tags, after them",
              static_cast<double>(flat.dirty_end_kib) / 1024, "MiB");
  return report.failed ? 1 : 0;
}

}  // namespace
}  // namespace mix::mixnode

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_mixnode NYM_MIXNODE [PACKETS] [FOLDER]\n");
    return 2;
  }
  mix::runtime::raise_descriptor_limit(mix::wire::kWantedDescriptors);
  mix::mixnode::pin(mix::mixnode::kBenchCore);
  const std::size_t packets = argc > 2 ? std::stoul(argv[2]) : 20'000;
  std::string folder = argc > 3 ? argv[3] : "";
  char made[] = "/tmp/mixlab-bench-XXXXXX";
  if (folder.empty()) folder = ::mkdtemp(made);
  const int status = mix::mixnode::bench(argv[1], packets, folder);
  if (argc <= 3) std::filesystem::remove_all(folder);
  return status;
}
