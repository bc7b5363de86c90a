// SPDX-License-Identifier: Apache-2.0
// `mixlab replay FILE`: the recorded scenario and seed once more, every event compared with the
// recording's as it happens. The recording alone is enough; it is only read, and nothing is
// written.
#include <boost/json.hpp>
#include <filesystem>
#include <iostream>
#include <optional>

#include "harness/cli/commands.h"
#include "harness/cli/files.h"
#include "harness/cli/stops.h"
#include "harness/replay/checker.h"
#include "harness/replay/pack.h"
#include "harness/replay/recording.h"
#include "harness/scenario/parse.h"

namespace lab::cli {
namespace {

namespace fs = std::filesystem;
using replay::Recorded;

int refuse(int status, const std::string& why) {
  std::cerr << "mixlab: " << why << "\n";
  return status;
}

class Replay {
 public:
  Replay(const ReplayFlags& flags, Recorded recorded, scenario::Plan plan,
         std::vector<Until> wishes)
      : x_flags(flags),
        x_recorded(std::move(recorded)),
        x_plan(std::move(plan)),
        x_options(replay::options_of(x_recorded, x_plan, bin_folder())),
        x_pack(replay::Pack::beside(x_recorded)),
        x_stops(std::move(wishes), names()) {
    if (!flags.until.empty()) x_options.watchdog = std::chrono::hours(24);
  }

  int run() {
    if (!x_recorded.remark.empty()) std::cout << "note  " << x_recorded.remark << "\n";
    if (x_pack)
      std::cout << "note  " << x_pack->files() << " binaries and libraries are those of "
                << x_pack->folder() << "\n";
    if (const int status = look_around(); status != kHolds) return status;
    std::cout << std::flush;
    while (true) {
      auto checker = replay::Checker::open(x_recorded.file);
      if (!checker) return refuse(kUsage, checker.error());
      x_stops.start(checker->get());
      const auto outcome = pass(**checker);
      if (!outcome) return refuse(kUsage, outcome.error());
      if (x_stops.again()) continue;
      return conclude(**checker, *outcome);
    }
  }

 private:
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const scenario::Program& program : x_plan.programs)
      out.push_back(program.name);
    return out;
  }

  /// Says what is not as it was; whether to go on then.
  int look_around() {
    bool matters = false;
    for (const replay::Fact& fact :
         replay::differences(x_recorded, x_pack, bin_folder(), x_options)) {
      std::cout << "note  " << fact.text << "\n";
      matters |= fact.matters;
    }
    if (x_plan.own_programs_only() || !matters || x_flags.anyway) return kHolds;
    std::cout << std::flush;
    return refuse(kUsage,
                  "with programs that are not mixlab's own, a run is promised to be the same only "
                  "on what it was recorded on (--anyway tries it; " +
                      called() +
                      " pack keeps what a "
                      "run stood on)");
  }

  /// Compares on the writer's thread, and lets the run stand still where it differs.
  class Follow final : public recorder::ChainWatch {
   public:
    Follow(replay::Checker* checker, Stops& stops) : x_checker(checker), x_stops(stops) {}
    void event(mix::BytesView canonical) override {
      if (x_checker == nullptr) return;  // Stops compares, event by event
      x_checker->event(canonical);
      if (x_checker->differs() || !x_checker->problem().empty()) x_stops.halt_now();
    }

   private:
    replay::Checker* x_checker;
    Stops& x_stops;
  };

  std::expected<runner::Outcome, std::string> pass(replay::Checker& checker) {
    const WorkFolder work;
    if (work.path().empty()) return std::unexpected("no temporary folder can be made");
    runner::Settings settings;
    settings.bin = bin_folder();
    settings.work = work.path() + "/hosts";
    settings.options = x_options;
    settings.options.look_ahead = !x_stops.follows();  // who stands still stands at one time
    settings.sources = x_recorded.sources;
    settings.interrupted = catch_signals();
    settings.visitor = &x_stops;
    settings.find = [&](const scenario::Program& program) {
      return replay::find_binary(x_recorded, x_pack, program, bin_folder(),
                                 work.path() + "/programs");
    };
    Follow follow(x_stops.follows() ? nullptr : &checker, x_stops);
    const auto writer = recorder::Writer::follow(follow);
    std::vector<recorder::Ending> endings;
    std::vector<std::string> notes;
    return runner::run(x_plan, settings, *writer, endings, notes);
  }

  int conclude(replay::Checker& checker, const runner::Outcome& outcome) {
    if (outcome.interrupted) return refuse(kInterrupted, "interrupted");
    if (!checker.problem().empty())
      return refuse(kUsage, x_recorded.file + " is damaged: " + checker.problem());
    if (x_stops.apart())
      return refuse(kLab, "event " + std::to_string(*x_stops.apart()) +
                              " was another when the run was run again");
    if (outcome.left && !checker.differs()) {
      std::cout << "ended by you; identical until then: " << checker.equal() << " events\n";
      return kInterrupted;
    }
    if (outcome.stop && !checker.differs()) return refuse(kLab, outcome.stop->text);
    checker.finish();
    if (checker.differs()) {
      std::cout << replay::to_text(*checker.difference(), "recorded", "seen now");
      return kFailed;
    }
    if (outcome.chain != x_recorded.chain)
      return refuse(kUsage, x_recorded.file + ": its events make the chain " + outcome.chain +
                                ", but it says " + x_recorded.chain + "; the file was changed");
    for (const std::string& place : x_stops.unmet())
      std::cout << "note  it never came to " << place << "\n";
    std::cout << "identical: " << checker.equal() << " events, chain " << outcome.chain << "\n";
    return kHolds;
  }

  const ReplayFlags& x_flags;
  const Recorded x_recorded;
  const scenario::Plan x_plan;
  controller::Options x_options;
  const std::optional<replay::Pack> x_pack;
  Stops x_stops;
};

}  // namespace

int replay(const ReplayFlags& flags) {
  std::vector<Until> wishes;
  if (!flags.until.empty()) {
    auto read = read_until(flags.until);
    if (!read) return refuse(kUsage, "--until: " + read.error());
    wishes = std::move(*read);
  }
  auto recorded = replay::open_recording(flags.file, flags.anyway);
  if (!recorded) return refuse(kUsage, recorded.error());
  auto plan = scenario::parse(flags.file, recorded->scenario,
                              {"scenario.seed=" + std::to_string(recorded->seed)});
  if (!plan) {
    for (const scenario::Problem& problem : plan.error())
      std::cerr << to_text(problem) << "\n";
    return refuse(kUsage, flags.file + ": the scenario in it cannot be read by this mixlab");
  }
  return Replay(flags, std::move(*recorded), std::move(*plan), std::move(wishes)).run();
}

int pack(const std::string& file) {
  const auto recorded = replay::open_recording(file, false);
  if (!recorded) return refuse(kUsage, recorded.error());
  const auto pack = replay::Pack::make(*recorded, bin_folder());
  if (!pack) return refuse(kUsage, pack.error());
  std::cout << "packed " << pack->files() << " files in " << pack->folder() << "\n";
  return kHolds;
}

}  // namespace lab::cli
