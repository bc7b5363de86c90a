// SPDX-License-Identifier: Apache-2.0
#include "harness/runner/runner.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "harness/network/network.h"
#include "harness/runner/folders.h"
#include "harness/runner/manifest.h"
#include "harness/runner/specs.h"

namespace lab::runner {
namespace {

using namespace std::chrono_literals;
using controller::Controller;
using scenario::Action;
using scenario::Program;
using scenario::Verb;
using Wrong = std::unexpected<std::string>;

constexpr Duration kLook = 1ms;  // how often programs that wait are looked after
constexpr Duration kProgress = 1s;

/// Tells the recorder what the network decided.
class Ear final : public network::Witness {
 public:
  recorder::Recorder* recorder = nullptr;
  void decided(VirtualTime when, const Parcel& parcel, network::Decision decision) override {
    recorder->decided(when, parcel, network::to_text(decision));
  }
};

class Runner {
 public:
  Runner(const scenario::Plan& plan, const Settings& settings, recorder::Writer& writer)
      : x_plan(plan),
        x_settings(settings),
        x_recorder(plan, writer),
        x_links(plan, plan.seed, x_ear),
        x_lives(plan.programs.size()) {
    x_ear.recorder = &x_recorder;
    if (settings.visitor != nullptr && settings.visitor->follows())
      x_recorder.watch(settings.visitor, settings.visitor);
    for (const scenario::Expectation& e : plan.expectations)
      x_watch_order |= e.that == "layer-order" && e.mode == "always" && e.window.end == kNever;
  }

  std::expected<Outcome, std::string> run() {
    x_surroundings = surroundings(x_settings.options);
    auto made = Controller::create(x_settings.options, x_links, x_recorder);
    if (!made) return Wrong(made.error());
    x_controller = std::move(*made);
    x_controller->keep_memory(x_settings.keep_memory);
    if (x_settings.visitor != nullptr) x_controller->halt_when(&x_settings.visitor->halt());
    if (auto done = add_hosts(); !done) return Wrong(done.error());
    if (auto done = prepare_programs(); !done) return Wrong(done.error());
    Outcome out;
    if (auto done = play(out); !done) return Wrong(done.error());
    x_controller->finish();
    close(out);
    return out;
  }

  const recorder::Recorder& recorder() const { return x_recorder; }

 private:
  enum class State { waiting, added, down };  // down: a fault took it, and may bring it back
  struct Life {
    State state = State::waiting;
    std::optional<NodeId> node;  // of the controller; the latest
    int births = 0;
    Binary binary;
  };

  std::expected<void, std::string> add_hosts() {
    for (std::uint32_t i = 0; i < x_plan.hosts.size(); ++i) {
      const std::string& name = x_plan.hosts[i].name;
      const auto id = x_controller->add_host(host_spec(x_plan, HostId{i}));
      if (!id) return Wrong("host " + name + ": " + id.error());
      if (index(*id) != i) return Wrong("host " + name + ": the controller counts otherwise");
    }
    return {};
  }

  std::expected<void, std::string> prepare_programs() {
    for (std::size_t i = 0; i < x_plan.programs.size(); ++i) {
      const Program& program = x_plan.programs[i];
      if (auto done = prepare(x_plan, x_settings.work, program, x_settings.sources); !done)
        return done;
      auto binary = find(program);
      if (!binary) return Wrong(program.name + ": " + binary.error());
      x_lives[i].binary = std::move(*binary);
      if (!waits(program))
        if (auto done = start(i, kStart + program.start); !done) return done;
    }
    return {};
  }

  std::expected<Binary, std::string> find(const Program& program) const {
    if (x_settings.find) return x_settings.find(program);
    auto path = find_program(program.command[0], x_settings.bin, x_plan.file);
    if (!path) return Wrong(path.error());
    return Binary{std::move(*path), {}, {}, {}};
  }

  static bool waits(const Program& program) { return program.after || !program.fetch.empty(); }

  std::expected<void, std::string> start(std::size_t i, VirtualTime time) {
    const Program& program = x_plan.programs[i];
    Life& life = x_lives[i];
    controller::ProgramSpec spec = program_spec_at(x_plan, NodeId{static_cast<std::uint32_t>(i)},
                                                   life.births++, life.binary.path);
    spec.binary = life.binary.file;
    spec.loader = life.binary.loader;
    spec.libraries = life.binary.libraries;
    spec.start = time;
    spec.folder = folder_of(x_plan, x_settings.work, program.host);
    const auto node = x_controller->add_program(std::move(spec));
    if (!node) return Wrong(program.name + ": " + node.error());
    life.node = *node;
    life.state = State::added;
    x_recorder.add_node(*node, i);
    return {};
  }

  // ---- time ----

  /// Goes from one moment at which something is to be done to the next.
  std::expected<void, std::string> play(Outcome& out) {
    VirtualTime end = kStart + x_plan.duration;
    VirtualTime now = kStart;
    while (now < end) {
      if (x_watch_order && x_recorder.out_of_order()) end = now;  // what must always hold does not
      if (now == end) break;
      const VirtualTime next = std::min(end, next_moment(now));
      if (!advance(next, out)) return {};
      now = next;
      if (auto done = start_waiting(now); !done) return done;
      stop_planned(now);
      while (x_next_action < x_plan.actions.size() && x_plan.actions[x_next_action].time <= now)
        if (auto done = act(x_plan.actions[x_next_action++], now); !done) return done;
    }
    out.ended = end;
    x_recorder.fault(end, "end", "*");
    for (Life& life : x_lives)
      if (running(life)) stop(life, end);
    advance(end + kGrace, out);
    return {};
  }

  VirtualTime next_moment(VirtualTime now) const {
    VirtualTime next = now + kProgress;
    next -= (next - kStart) % kProgress;
    if (x_next_action < x_plan.actions.size())
      next = std::min(next, x_plan.actions[x_next_action].time);
    for (std::size_t i = 0; i < x_lives.size(); ++i) {
      if (x_lives[i].state == State::waiting)
        next = std::min(next, now + kLook - (now - kStart) % kLook);
      const auto& planned = x_plan.programs[i].stop;
      if (planned && kStart + *planned > now) next = std::min(next, kStart + *planned);
    }
    return next;
  }

  /// With a visitor: in as many pieces as it wants.
  bool run_to(VirtualTime to, Outcome& out) {
    Visitor* visitor = x_settings.visitor;
    while (true) {
      const VirtualTime stop = visitor != nullptr ? visitor->next_time() : kNever;
      const auto ended = x_controller->run_until(std::min(to, stop));
      if (!ended) {
        out.stop = ended.error();
        return false;
      }
      if (*ended != controller::Ended::halted && stop > to) return true;
      if (visitor == nullptr) return true;
      Standing standing{*x_controller, {}};
      for (std::size_t i = 0; i < x_lives.size(); ++i)
        if (x_lives[i].node) standing.nodes.emplace_back(x_plan.programs[i].name, *x_lives[i].node);
      if (visitor->stopped(standing)) continue;
      out.left = true;
      return false;
    }
  }

  /// False: the run is over, and `out` says why.
  bool advance(VirtualTime to, Outcome& out) {
    if (!run_to(to, out)) return false;
    if (x_settings.interrupted != nullptr && x_settings.interrupted->load()) {
      out.interrupted = true;
      return false;
    }
    if (x_settings.progress && (to - kStart) % kProgress == 0ns)
      x_settings.progress({to, x_recorder.packets()});
    return true;
  }

  bool ended_well(NodeId program) const {
    const Life& life = x_lives[index(program)];
    if (!life.node) return false;
    const auto exited = x_controller->exited(*life.node);
    return exited && exited->wait_status == 0;
  }

  std::expected<void, std::string> start_waiting(VirtualTime now) {
    for (std::size_t i = 0; i < x_lives.size(); ++i) {
      const Program& program = x_plan.programs[i];
      if (x_lives[i].state != State::waiting || kStart + program.start > now) continue;
      bool ready = !program.after || ended_well(*program.after);
      for (const auto& [path, from] : program.fetch)
        ready = ready && ended_well(from);
      if (!ready) continue;
      if (auto done = fetch(x_plan, x_settings.work, program); !done) return done;
      if (auto done = start(i, now); !done) return done;
    }
    return {};
  }

  void stop_planned(VirtualTime now) {
    for (std::size_t i = 0; i < x_lives.size(); ++i)
      if (const auto& planned = x_plan.programs[i].stop)
        if (kStart + *planned == now && running(x_lives[i])) stop(x_lives[i], now);
  }

  // ---- faults ----

  bool running(const Life& life) const {
    return life.state == State::added && life.node && !x_controller->exited(*life.node);
  }
  void stop(Life& life, VirtualTime now) {
    x_recorder.stopped(now, *life.node);
    x_controller->stop(*life.node);
  }

  std::expected<void, std::string> act(const Action& action, VirtualTime now) {
    x_recorder.fault(now, to_text(action.verb), action.target);
    x_links.apply(now, action);
    for (HostId host : action.hosts)
      if (action.verb == Verb::step_clock) x_controller->step_clock(host, action.by);
    for (NodeId program : action.programs)
      if (auto done = act_on(action.verb, index(program), now); !done) return done;
    return {};
  }

  std::expected<void, std::string> act_on(Verb verb, std::size_t i, VirtualTime now) {
    Life& life = x_lives[i];
    const bool up = running(life);
    switch (verb) {
      case Verb::crash:
        if (!up) return {};
        x_recorder.crashed(now, *life.node);
        x_controller->crash(*life.node);
        life.state = State::down;
        return {};
      case Verb::stop:
        if (!up) return {};
        stop(life, now);
        life.state = State::down;
        return {};
      case Verb::restart:
        if (life.state != State::down) return {};
        // One that was asked to stop and has not yet would hold its ports.
        if (!x_controller->exited(*life.node)) {
          x_recorder.crashed(now, *life.node);
          x_controller->crash(*life.node);
        }
        return start(i, now);
      case Verb::pause:
        if (up) x_controller->pause(*life.node);
        return {};
      case Verb::resume:
        if (up) x_controller->resume(*life.node);
        return {};
      default:
        return {};
    }
  }

  // ---- the end ----

  void close(Outcome& out) {
    const VirtualTime end = x_controller->now();
    if (!out.stop && !out.interrupted && !out.left) {
      for (std::size_t i = 0; i < x_plan.hosts.size(); ++i) {
        const FolderDigest left = digest_folder(folder_of(x_plan, x_settings.work, HostId(i)));
        x_recorder.folder(end, HostId(i), left.digest, left.files);
      }
    }
    x_recorder.finish(end);
    out.chain = x_recorder.chain();
    std::set<std::string> mapped;
    std::map<std::string, std::string> programs;
    for (std::size_t i = 0; i < x_lives.size(); ++i)
      programs[x_plan.programs[i].name] = x_lives[i].binary.path;
    Hasher memory;
    for (const Life& life : x_lives) {
      if (!life.node) continue;
      out.activations += x_controller->figures(*life.node).activations;
      for (std::string& path : x_controller->mapped_files(*life.node))
        mapped.insert(std::move(path));
      if (const controller::MemoryDigest* digest = x_controller->memory(*life.node))
        memory.add(digest->all);
    }
    if (x_settings.keep_memory) {
      Digest digest;
      memory.digest(digest);
      out.memory = mix::to_hex(digest);
    }
    out.manifest = manifest(std::move(x_surroundings), {mapped.begin(), mapped.end()},
                            x_recorder.files_read(), programs);
  }

  const scenario::Plan& x_plan;
  const Settings& x_settings;
  Ear x_ear;
  recorder::Recorder x_recorder;
  network::Links x_links;
  std::unique_ptr<Controller> x_controller;
  std::vector<Life> x_lives;
  boost::json::object x_surroundings;
  std::size_t x_next_action = 0;
  bool x_watch_order = false;
};

}  // namespace

std::expected<Outcome, std::string> run(const scenario::Plan& plan, const Settings& settings,
                                        recorder::Writer& writer,
                                        std::vector<recorder::Ending>& endings,
                                        std::vector<std::string>& notes) {
  Runner runner(plan, settings, writer);
  auto out = runner.run();
  endings = runner.recorder().endings();
  notes = runner.recorder().notes();
  return out;
}

}  // namespace lab::runner
