// SPDX-License-Identifier: Apache-2.0
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "harness/cli/commands.h"
#include "harness/cli/files.h"
#include "harness/cli/second_look.h"
#include "harness/cli/stops.h"
#include "harness/judge/judge.h"
#include "harness/judge/query.h"
#include "harness/model/time_text.h"
#include "harness/recorder/settle.h"
#include "harness/replay/difference.h"
#include "harness/report/failure.h"
#include "harness/report/summary.h"
#include "harness/runner/folders.h"
#include "harness/runner/runner.h"

namespace lab::cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using Wall = std::chrono::steady_clock;

std::atomic<bool> interrupted = false;

void on_signal(int) {
  if (interrupted.exchange(true)) ::_exit(kInterrupted);  // the nodes die with us
}

/// The CPU after the one we run on, where there is one: the second look's.
int other_cpu() {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  if (::sched_getaffinity(0, sizeof cpus, &cpus) != 0) return -1;
  const int here = ::sched_getcpu();
  for (int i = 1; i < CPU_SETSIZE; ++i)
    if (CPU_ISSET((here + i) % CPU_SETSIZE, &cpus)) return (here + i) % CPU_SETSIZE;
  return -1;
}

class Run {
 public:
  Run(const RunFlags& flags, scenario::Plan plan, std::vector<Until> wishes)
      : x_flags(flags), x_plan(std::move(plan)) {
    std::vector<std::string> names;
    for (const scenario::Program& program : x_plan.programs)
      names.push_back(program.name);
    if (!wishes.empty()) x_stops.emplace(std::move(wishes), std::move(names));
  }

  int run() {
    if (const std::string problem = place_problem(); !problem.empty())
      return refuse(kUsage, problem);
    if (x_work.path().empty()) return refuse(kLab, "no temporary folder can be made");
    if (x_flags.sources) {
      x_sources = *x_flags.sources;
    } else {
      auto sources = runner::read_sources(x_plan);
      if (!sources) return refuse(kUsage, sources.error());
      x_sources = std::move(*sources);
    }
    while (true) {
      const int status = pass();
      if (status != kAgain) return status;
      x_outcome = {};
      x_endings.clear();
      x_notes.clear();
    }
  }

 private:
  static constexpr int kAgain = -1;  // the user wants an earlier point

  int pass() {
    const std::string draft = x_flags.out.empty()
                                  ? "results/." + x_plan.name + "-" + std::to_string(x_plan.seed) +
                                        "-" + std::to_string(::getpid())
                                  : x_flags.out;
    auto writer = recorder::Writer::create(
        draft, {x_plan.canonical, static_cast<std::int64_t>(x_plan.seed), x_plan.epoch,
                x_plan.duration.count(), kToolVersion, x_plan.payload_full});
    if (!writer) return refuse(kLab, writer.error());
    x_draft = (*writer)->incomplete_path();
    std::optional<SecondLook> second;
    if (x_flags.check) second.emplace(x_flags, x_plan.seed, x_work.path());
    if (x_stops) x_stops->start(nullptr);
    const auto begun = Wall::now();
    auto outcome = play(**writer);
    x_wall = std::chrono::duration<double>(Wall::now() - begun).count();
    clear_progress();
    if (!outcome) return give_up(kUsage, outcome.error());
    x_outcome = std::move(*outcome);
    if (x_outcome.interrupted) return give_up(kInterrupted, "interrupted");
    if (x_outcome.left) return leave(draft);
    if (auto sealed = (*writer)->seal(x_outcome.chain, x_outcome.manifest); !sealed)
      return refuse(kLab, sealed.error());
    writer->reset();
    if (x_outcome.stop)
      return refuse(
          kLab, x_outcome.stop->text + "\nmixlab: what was recorded until then is in " + x_draft);
    x_plan.duration = x_outcome.ended - kStart;  // what is judged is what was run
    return judge(second);
  }

  /// The user went back, or ended the run while it stood still.
  int leave(const std::string& draft) {
    if (x_stops->apart())
      return refuse(kLab, "event " + std::to_string(*x_stops->apart()) +
                              " was another when the run was run again");
    if (!x_stops->again()) return give_up(kInterrupted, "ended by you; nothing was kept");
    std::error_code ignored;
    fs::remove(draft + ".incomplete", ignored);
    return kAgain;
  }

  std::expected<runner::Outcome, std::string> play(recorder::Writer& writer) {
    runner::Settings settings;
    settings.bin = bin_folder();
    settings.work = x_work.path() + "/hosts";
    std::error_code ignored;
    fs::remove_all(settings.work, ignored);  // of an earlier pass
    settings.sources = x_sources;
    settings.find = x_flags.find;
    settings.visitor = x_stops ? &*x_stops : nullptr;
    settings.keep_memory = x_flags.keep_memory;
    settings.interrupted = catch_signals();
    controller::Options& options = settings.options;
    options.shim = settings.bin + "/libmixlab-shim.so";
    options.wall_epoch_ns = x_plan.epoch_unix_ns;
    options.trap = x_flags.trap == "sud" ? controller::Trap::sud : controller::Trap::seccomp;
    options.cpu = x_flags.cpu == "plain" ? controller::Cpu::plain : controller::Cpu::masked;
    options.interpose = !x_flags.no_interpose;
    options.look_ahead = !x_flags.no_look_ahead && !x_stops;  // who stands still stands at one time
    options.randomize_addresses = x_flags.second_look && x_plan.own_programs_only();
    if (x_stops) options.watchdog = std::chrono::hours(24);
    if (x_flags.second_look) options.pin_cpu = other_cpu();
    if (!x_flags.quiet && !x_flags.json && ::isatty(STDERR_FILENO) == 1)
      settings.progress = [this, begun = Wall::now()](const runner::Progress& p) {
        show_progress(p, begun);
      };
    return runner::run(x_plan, settings, writer, x_endings, x_notes);
  }

  void show_progress(const runner::Progress& p, Wall::time_point begun) {
    const double wall = std::chrono::duration<double>(Wall::now() - begun).count();
    const double now = static_cast<double>(ns(p.now)) / 1e9;
    std::fprintf(stderr, "\r%8.0f s of %s  %6.1f times real time  %8llu packets on the wire ", now,
                 exact_text(x_plan.duration).c_str(), now / std::max(wall, 1e-3),
                 static_cast<unsigned long long>(p.packets));
    x_shown = true;
  }
  void clear_progress() {
    if (x_shown) std::fprintf(stderr, "\r\033[K");
  }

  // ---- the verdict ----

  int judge(std::optional<SecondLook>& second) {
    auto db = mix::sqlite::Database::open(x_draft, mix::sqlite::Database::Mode::read_write);
    if (!db) return refuse(kLab, x_draft + ": " + db.error().text);
    if (auto kept = recorder::keep_sources(*db, x_sources); !kept)
      return refuse(kLab, x_draft + ": " + kept.error().text);
    if (auto settled = recorder::settle(*db, x_endings, x_plan.duration.count()); !settled)
      return refuse(kLab, x_draft + ": " + settled.error().text);
    const auto findings = judge::judge(*db, x_plan);
    if (!findings) return refuse(kLab, "the recording cannot be judged: " + findings.error());
    const judge::Verdict verdict = overall(*findings);
    name_recording();
    std::optional<std::string> apart;  // how the second look differs
    if (second && !compare(*second, *db, apart)) return kLab;
    int status = verdict == judge::Verdict::fail           ? kFailed
                 : verdict == judge::Verdict::inconclusive ? kInconclusive
                                                           : kHolds;
    if (apart) status = kFailed;
    std::error_code nothing;  // of an earlier recording of this name
    std::filesystem::remove(x_recording + ".failure.json", nothing);
    try {
      print(*db, *findings, status, apart);
    } catch (const judge::QueryFailed& failed) {
      return refuse(kLab, "the recording cannot be read: " + failed.text);
    }
    if (auto done =
            recorder::publish(x_draft, x_recording, judge::rows(*findings), to_text(verdict));
        !done)
      return refuse(kLab, done.error());
    return status;
  }

  /// Why the recording cannot go where it is to go: before the run, not after it.
  std::string place_problem() const {
    if (x_flags.out.empty()) return {};
    std::error_code error;
    const fs::path folder = fs::path(x_flags.out).parent_path();
    if (!folder.empty() && !fs::is_directory(folder, error))
      return x_flags.out + ": there is no folder " + folder.string();
    if (fs::is_directory(x_flags.out, error)) return x_flags.out + " is a folder";
    if (fs::exists(x_flags.out, error) && !x_flags.force)
      return x_flags.out + " exists (--force overwrites it)";
    return {};
  }

  void name_recording() {
    if (x_stops)
      for (const std::string& place : x_stops->unmet())
        x_notes.push_back("it never came to " + place);
    if (!x_plan.own_programs_only() && controller::addresses_stay_random())
      x_notes.push_back(
          "addresses are random on this machine (mixlab doctor): a program that shows one, or "
          "orders by them, has another run each time");
    x_recording = x_flags.out;
    if (!x_recording.empty()) return;
    // The name has the chain in it, but two runs with one chain may ask and keep different things.
    const std::string stem = "results/" + x_plan.name + "-" + std::to_string(x_plan.seed) + "-" +
                             x_outcome.chain.substr(0, 8);
    x_recording = stem + ".sqlite";
    if (x_flags.force) return;
    x_recording = free_name(stem, x_plan.canonical, x_outcome.chain, x_outcome.manifest);
    if (x_recording != stem + ".sqlite")
      x_notes.push_back(stem +
                        ".sqlite is kept: it is not of this scenario and settings, or was "
                        "changed (--force overwrites it)");
  }

  /// Whether the other run did its job; `apart` when its chain is another.
  bool compare(SecondLook& second, mix::sqlite::Database& db, std::optional<std::string>& apart) {
    std::string problem;
    const auto look = second.result(problem);
    if (!look) {
      refuse(kLab, "the second run could not do its job: " + problem);
      return false;
    }
    const bool memory_too = x_outcome.memory.empty() || x_outcome.memory == look->memory;
    x_second = "chain " + look->chain;
    if (look->chain == x_outcome.chain) {
      x_second = memory_too ? "agreed"
                            : "agreed, but the nodes' memory differs (addresses are random there)";
      return true;
    }
    apart = "the second run has another chain: " + look->chain;
    auto other =
        mix::sqlite::Database::open(look->recording, mix::sqlite::Database::Mode::read_only);
    if (!other) return true;
    const auto found = replay::first_difference(db, *other);
    // What is longer than a screen: the other recording, beside ours.
    const std::string kept = x_recording + ".second.sqlite";
    std::error_code error;
    fs::copy_file(look->recording, kept, fs::copy_options::overwrite_existing, error);
    if (!error) *apart += "\nits recording is " + kept;
    if (found && *found) *apart += "\n" + replay::to_text(**found, "first run", "second run");
    return true;
  }

  // ---- words ----

  std::string command() const {
    std::string out = called() + " run " + shell_word(x_flags.scenario) + " --seed " +
                      std::to_string(x_plan.seed);
    for (const std::string& setting : x_flags.settings)
      out += " --set " + shell_word(setting);
    return out + (x_flags.check ? " --check" : "");
  }

  void print(mix::sqlite::Database& db, const std::vector<judge::Finding>& findings, int status,
             const std::optional<std::string>& apart) {
    if (x_flags.silent) return;
    json::object failure;
    for (const judge::Finding& finding : findings) {
      const bool worst = finding.verdict == (status == kInconclusive ? judge::Verdict::inconclusive
                                                                     : judge::Verdict::fail);
      if (worst && failure.empty())
        failure = report::failure(db, finding, {command(), x_recording, x_second});
    }
    if (x_flags.json) return print_json(findings, status, failure, apart);
    if (!x_flags.quiet) print_findings(findings);
    if (!failure.empty())
      std::cout << (x_flags.quiet ? "" : "\n") << report::failure_text(failure) << "\n";
    if (apart) std::cout << *apart << "\n";
    if (!failure.empty()) write_twin(failure);
    if (x_flags.quiet) return;
    for (std::size_t i = 0; i < x_notes.size() && i < 5; ++i)
      std::cout << "note  " << x_notes[i] << "\n";
    if (x_notes.size() > 5)
      std::cout << "note  and " << x_notes.size() - 5 << " more in the recording's log\n";
    if (x_flags.check && !apart) std::cout << "second run " << x_second << "\n";
    std::cout << "recording " << x_recording << "\n";
    if (!x_outcome.memory.empty()) std::cout << "memory " << x_outcome.memory << "\n";
    std::cout << "chain " << x_outcome.chain << "\n";
  }

  void print_findings(const std::vector<judge::Finding>& findings) const {
    std::printf("%s, seed %llu: %s in %.2f s of real time, %llu activations\n", x_plan.name.c_str(),
                static_cast<unsigned long long>(x_plan.seed), exact_text(x_plan.duration).c_str(),
                x_wall, static_cast<unsigned long long>(x_outcome.activations));
    for (const judge::Finding& f : findings)
      std::printf("  %-12s  %s (%s): %s\n", to_text(f.verdict), f.that.c_str(), f.mode.c_str(),
                  f.detail.c_str());
    std::fflush(stdout);
  }

  void print_json(const std::vector<judge::Finding>& findings, int status, json::object& failure,
                  const std::optional<std::string>& apart) {
    json::array list;
    for (const judge::Finding& f : findings)
      list.push_back(json::object{
          {"that", f.that},
          {"mode", f.mode},
          {"verdict", to_text(f.verdict)},
          {"detail", f.detail},
          {"first_bad_event", f.event ? json::value(*f.event) : json::value(nullptr)}});
    json::object out{
        {"scenario", x_plan.name},  {"seed", x_plan.seed},
        {"status", status},         {"verdict", to_text(overall(findings))},
        {"chain", x_outcome.chain}, {"memory", x_outcome.memory},
        {"recording", x_recording}, {"duration_ns", x_plan.duration.count()},
        {"wall_s", x_wall},         {"activations", x_outcome.activations},
        {"expectations", list},     {"notes", json::array(x_notes.begin(), x_notes.end())}};
    if (x_flags.check) out["second_run"] = apart ? *apart : x_second;
    if (!failure.empty()) out["failure"] = std::move(failure);
    std::cout << json::serialize(out) << "\n";
  }

  void write_twin(const json::object& failure) {
    std::ofstream out(x_recording + ".failure.json");
    // As the recording: it says who sent a packet and who received it.
    std::error_code nothing;
    std::filesystem::permissions(
        x_recording + ".failure.json",
        std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, nothing);
    out << json::serialize(failure) << "\n";
    if (out.flush()) std::cout << "report      " << x_recording << ".failure.json\n";
  }

  /// Says why; the incomplete recording is left where it is.
  int refuse(int status, const std::string& why) {
    if (x_flags.json)
      std::cout << json::serialize(
                       json::object{{"status", status}, {"chain", ""}, {"problem", why}})
                << "\n";
    std::cerr << "mixlab: " << why << "\n";
    return status;
  }
  int give_up(int status, const std::string& why) {
    std::error_code ignored;
    fs::remove(x_draft, ignored);
    return refuse(status, why);
  }

  const RunFlags& x_flags;
  scenario::Plan x_plan;
  std::optional<Stops> x_stops;
  std::vector<recorder::Source> x_sources;
  WorkFolder x_work;
  std::string x_draft, x_recording, x_second;
  runner::Outcome x_outcome;
  std::vector<recorder::Ending> x_endings;
  std::vector<std::string> x_notes;
  double x_wall = 0;
  bool x_shown = false;
};

}  // namespace

const std::atomic<bool>* catch_signals() {
  struct sigaction action{};
  action.sa_handler = on_signal;
  for (int signal : {SIGINT, SIGTERM, SIGHUP})
    ::sigaction(signal, &action, nullptr);
  return &interrupted;
}

int run(const RunFlags& flags) {
  std::vector<std::string> settings = flags.settings;
  if (flags.seed) settings.push_back("scenario.seed=" + std::to_string(*flags.seed));
  std::vector<Until> wishes;
  if (!flags.until.empty()) {
    auto read = read_until(flags.until);
    if (!read) {
      std::cerr << "mixlab: --until: " << read.error() << "\n";
      return kUsage;
    }
    wishes = std::move(*read);
  }
  auto plan = read_plan(flags.scenario, settings);
  if (!plan) return kUsage;
  if (!flags.sources && !all_there(*plan)) return kUsage;
  catch_signals();
  return Run(flags, std::move(*plan), std::move(wishes)).run();
}

}  // namespace lab::cli
