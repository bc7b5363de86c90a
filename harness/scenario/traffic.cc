// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/traffic.h"

#include <algorithm>

#include "harness/scenario/mixnet.h"

namespace lab::scenario {
namespace {

using namespace std::chrono_literals;

constexpr Duration kFetchEvery = 1s;

struct Line {
  VirtualTime time;
  std::string text;  // after the time
  const char* verb;
};

struct Talk {
  std::vector<Line> lines;
  std::vector<HostId> peers;
  bool fetches = false;
};

/// "client-0>client-1#3 abcdef...", `size` bytes.
std::string message(const std::string& tag, std::size_t size, Stream& chance) {
  std::string out = tag + " ";
  while (out.size() < size)
    out += static_cast<char>('a' + chance.below(26));
  return out;
}

class Expansion {
 public:
  explicit Expansion(Plan& plan) : x_plan(plan) {}

  Read<bool> add(const Flow& flow, std::size_t number) {
    for (HostId from : flow.from)
      for (HostId to : flow.to)
        if (from != to)
          if (auto done = pair(flow, number, from, to); !done) return done;
    return true;
  }

  void finish() {
    for (auto& [host, talk] : x_talks)
      program(host, talk);
  }

 private:
  Read<bool> pair(const Flow& flow, std::size_t number, HostId from, HostId to) {
    const std::string& sender = x_plan.hosts[index(from)].name;
    const std::string& receiver = x_plan.hosts[index(to)].name;
    Stream chance =
        stream(x_plan.seed, "traffic", sender + "->" + receiver + "#" + std::to_string(number));
    const Duration gap = mean_gap(flow.rate);
    VirtualTime time = flow.window.begin;
    Talk& talk = x_talks[from];
    if (std::ranges::find(talk.peers, to) == talk.peers.end()) talk.peers.push_back(to);
    for (std::uint64_t i = 0; !flow.count || i < *flow.count; ++i) {
      time += flow.poisson ? chance.exponential(gap) : gap;
      if (time >= flow.window.end) break;
      const std::string tag = sender + ">" + receiver + "#" + std::to_string(x_sent[{from, to}]++);
      if (tag.size() + 2 > flow.size)
        return std::unexpected("a message of " + std::to_string(flow.size) +
                               " bytes cannot hold its name '" + tag + "'");
      talk.lines.push_back({time, receiver + " " + message(tag, flow.size, chance), "send"});
    }
    x_talks[to].fetches = true;
    return true;
  }

  std::int64_t wall(HostId host, VirtualTime time) const {
    return x_plan.epoch_unix_ns + x_plan.hosts[index(host)].clock_offset.count() + ns(time);
  }

  void program(HostId host, Talk& talk) {
    const VirtualTime end = kStart + x_plan.duration;
    if (talk.fetches)
      for (VirtualTime t = kStart + kFetchEvery; t < end; t += kFetchEvery)
        talk.lines.push_back({t, "", "fetch"});
    std::ranges::stable_sort(talk.lines, {}, &Line::time);
    const std::string& name = x_plan.hosts[index(host)].name;
    Program out;
    out.host = host;
    out.name = name + ".talk";
    out.command = {"mixlab-talk", "--port", "9001", "--schedule", "talk.schedule"};
    std::string schedule;
    for (HostId peer : talk.peers) {
      const std::string& other = x_plan.hosts[index(peer)].name;
      schedule += "peer " + other + " peers/" + other + ".pem\n";
      out.fetch["peers/" + other + ".pem"] = init_of(other);
    }
    for (const Line& line : talk.lines)
      schedule += std::string(line.verb) + " " + std::to_string(wall(host, line.time)) +
                  (line.text.empty() ? "" : " ") + line.text + "\n";
    out.contents["talk.schedule"] = schedule;
    out.after = init_of(name);
    out.start = program_named(name).start;
    x_plan.programs.push_back(std::move(out));
  }

  NodeId init_of(const std::string& client) const {
    for (std::size_t i = 0; i < x_plan.programs.size(); ++i)
      if (x_plan.programs[i].name == client + ".init") return NodeId(i);
    return kNoNode;
  }
  const Program& program_named(const std::string& name) const {
    return *std::ranges::find(x_plan.programs, name, &Program::name);
  }

  Plan& x_plan;
  std::map<HostId, Talk> x_talks;
  std::map<std::pair<HostId, HostId>, std::uint64_t> x_sent;
};

}  // namespace

Read<bool> expand_traffic(const std::vector<Flow>& flows, Plan& plan) {
  Expansion expansion(plan);
  for (std::size_t i = 0; i < flows.size(); ++i)
    if (auto done = expansion.add(flows[i], i); !done) return done;
  expansion.finish();
  return true;
}

}  // namespace lab::scenario
