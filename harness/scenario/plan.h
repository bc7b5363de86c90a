// SPDX-License-Identifier: Apache-2.0
// What a run consists of, as a checked value: every host, program, wire law, fault and expectation,
// with nothing left to look up, default or draw. parse.h makes one from a scenario file;
// controller, network, recorder and judge read it and nothing else.
//
// All collections are ordered (hosts and programs as the scenario expands, faults by time then by
// order in the file). HostId is an index into `hosts`, NodeId into `programs`: nodes of one host
// are programs of it. Times are since the start of the run. Nothing here reads a file or fails.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/model/ids.h"
#include "harness/model/ratio.h"
#include "harness/model/virtual_time.h"

namespace lab::scenario {

struct Latency {
  enum class Law { constant, uniform, normal, exponential };
  Law law = Law::constant;
  Duration mean{};  // of uniform: (min + max) / 2
  Duration sd{};
  Duration min{};
  Duration max{};  // uniform only
  friend bool operator==(const Latency&, const Latency&) = default;
};

/// Independent losses when `bursts` is false: loss_good is the ratio. Otherwise the two-state chain
/// of Gilbert and Elliott, which moves once for each segment or datagram.
struct Loss {
  bool bursts = false;
  Ratio good_to_bad, bad_to_good, loss_good, loss_bad;
  friend bool operator==(const Loss&, const Loss&) = default;
};

struct LinkLaw {
  Latency latency;
  Loss loss;
  std::uint64_t bandwidth_bit_per_s = 0;  // 0: unlimited
  std::uint64_t queue_bytes = 64 * 1024;  // beyond them a segment is lost; only with a bandwidth
  Ratio duplicate, corrupt, reorder;      // datagrams only
  Duration reorder_delay{};
  bool fragment = false;  // segments arrive cut at seeded points
  friend bool operator==(const LinkLaw&, const LinkLaw&) = default;
};

enum class Role { directory, mix, provider, client, other };
const char* to_text(Role role);

struct Host {
  std::string name;
  std::string address;  // numeric IPv4 or IPv6
  Role role = Role::other;
  int layer = 0;  // mixes only: 1 to layers
  Duration clock_offset{};
  std::int64_t clock_drift_ppm = 0;
  Duration cpu_cost_per_activation{};
};

/// A program of a host. `command[0]` is looked up beside mixlab, then as a path from the scenario's
/// folder, then on PATH; the argument "{record}" is replaced by "fd:N", a descriptor for hop
/// records.
struct Program {
  HostId host = kNoHost;
  std::string name;
  std::vector<std::string> command;
  Duration start{};
  std::optional<Duration> stop;                 // SIGTERM then
  std::optional<NodeId> after;                  // start when that program has exited with 0
  std::map<std::string, std::string> files;     // path in its folder -> path of the source
  std::map<std::string, std::string> contents;  // path in its folder -> text the lab wrote
  std::map<std::string, NodeId> fetch;  // path in its folder <- same path under that program's
                                        // folder, copied when this program starts
  std::optional<int> expect_exit;
  Role role = Role::other;      // of the node it is in the recording; init and talk are `other`
  int layer = -1;               // client 0, mix 1.., provider layers + 1, else -1 (NULL)
  std::string public_key_file;  // under its folder, for `fetch` of others; empty: none
  // Where the scenario says so, for messages: "x.toml:8:1: [[program]] command"; empty: [mixnet]'s.
  std::string command_place, files_place;
};
/// Whether it is one of this project's: those speak TCP only, and give one chain on any machine.
bool is_own(const Program& program);

/// Traffic between `from` and `to` uses `law`. Several may match: the last one counts.
struct Connect {
  std::vector<HostId> from, to;
  std::string link;
  bool directed = false;
};

enum class Verb { crash, restart, stop, pause, resume, partition, heal, set_link, step_clock };
const char* to_text(Verb verb);

/// One concrete misfortune. Its end (`for`) is an Action of its own.
struct Action {
  VirtualTime time;
  Verb verb = Verb::crash;
  bool undo = false;  // the end of an earlier one's `for`: a heal that opens only what that one cut
  std::vector<HostId> hosts;     // crash to resume with whole hosts, step_clock
  std::vector<NodeId> programs;  // the programs these verbs act on
  std::vector<HostId> from, to;  // partition, heal, set_link: the ordered pairs from x to ...
  bool both_ways = false;        // ... and also to x from
  std::optional<LinkLaw> law;    // set_link; nullopt gives back the law of the scenario
  std::string link;              // set_link on a whole [link.X]: its name, `from` and `to` empty
  Duration by{};                 // step_clock; may be negative
  std::string target;            // as the table `fault` shows it
};

struct Window {
  VirtualTime begin = kStart;
  VirtualTime end = kNever;
};

struct Expectation {
  std::string that, mode;  // "layer-order", "always"
  Window window;
  Ratio ratio{1, 1};
  Duration within{};
  std::string packet_class = "loop";    // loop-returns: "loop" or "any"
  bool exactly_once = true;             // real-delivered
  std::vector<std::string> except;      // no-drop
  std::vector<HostId> hosts, to_hosts;  // exit: `on`; constant-size: link(hosts -> to_hosts)
  std::vector<NodeId> programs;
  std::string on;  // as written
  int code = 0;
};

struct Plan {
  std::string name, about, file;  // file: as given; its folder is where sources are looked up
  std::string canonical;          // TOML
  Duration duration{};
  std::uint64_t seed = 1;
  std::string epoch;
  std::int64_t epoch_unix_ns = 0;
  int layers = 0;  // 0 without [mixnet]
  bool payload_full = false;
  std::uint64_t checkpoint_every = 0;  // events
  std::vector<Host> hosts;
  std::vector<Program> programs;
  std::map<std::string, LinkLaw> links;  // has "default"
  std::vector<Connect> connects;
  std::vector<Action> actions;  // by time, then by order in the file
  std::vector<Expectation> expectations;

  /// The name of the link that the wire from one host to another uses.
  const std::string& link_between(HostId from, HostId to) const;
  /// Whether nothing runs but this project's programs.
  bool own_programs_only() const;
};

}  // namespace lab::scenario
