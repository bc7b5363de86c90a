// SPDX-License-Identifier: Apache-2.0
#include "harness/cli/solo.h"

#include <unistd.h>

#include <iostream>

#include "harness/cli/commands.h"
#include "harness/cli/files.h"
#include "harness/judge/query.h"
#include "harness/replay/debugger.h"
#include "harness/replay/solo.h"
#include "harness/scenario/parse.h"
#include "harness/scenario/units.h"

namespace lab::cli {
namespace {

using mix::sqlite::Database;
using replay::Solo;
using replay::SoloDifference;

int refuse(int status, const std::string& why) {
  std::cerr << "mixlab: " << why << "\n";
  return status;
}

/// Where to stop: at the first activation at or after a time or an event.
struct Until {
  std::optional<VirtualTime> time;
  std::optional<std::int64_t> seq;

  bool reached(const Solo::Next& next) const {
    return (time && next.time >= *time) || (seq && next.seq >= *seq);
  }
};

std::optional<Until> read_until(const std::string& text) {
  Until out;
  if (text.empty()) return out;
  if (text.find_first_not_of("0123456789") == std::string::npos) {
    out.seq = std::stoll(text);
    return out;
  }
  const auto time = scenario::read_duration(text);
  if (!time) return std::nullopt;
  out.time = kStart + *time;
  return out;
}

std::optional<scenario::Plan> recorded_plan(Database& db, const std::string& file) {
  judge::Query run(db, "SELECT scenario, seed FROM run");
  if (!run.next()) throw judge::QueryFailed{"it has no run"};
  auto plan =
      scenario::parse(file, run.text(0), {"scenario.seed=" + std::to_string(run.integer(1))});
  if (plan) return std::move(*plan);
  return std::nullopt;
}

class Session {
 public:
  Session(const SoloFlags& flags, Solo& solo, Until until)
      : x_flags(flags), x_solo(solo), x_until(until) {}

  int run() { return x_flags.gdb ? under_gdb() : alone(); }

 private:
  int alone() {
    while (true) {
      const auto next = x_solo.next();
      if (!next) return refuse(kLab, x_flags.file + ": " + next.error());
      if (!*next) return finish();
      if (x_until.reached(**next)) return show_stop(**next);
      const auto fed = x_solo.feed();
      if (!fed) return refuse(kLab, x_flags.file + ": " + fed.error());
      if (*fed && !goes_on(**fed)) return finish();
    }
  }

  int under_gdb() {
    replay::Debugger debugger;
    bool until = x_until.time || x_until.seq;
    while (true) {
      const auto next = x_solo.next();
      if (!next) return refuse(kLab, x_flags.file + ": " + next.error());
      if (!*next) break;
      if (!debugger.begun())
        if (auto begun =
                debugger.begin(x_solo.process_id(), bin_folder() + "/libmixlab-shim.so", until);
            !begun)
          return refuse(kLab, begun.error());
      const bool asked = debugger.stops_at(**next);  // waits until gdb lets it run
      const bool stop = until ? x_until.reached(**next) : asked;
      if (!debugger.alive()) return finish(false);
      if (stop) {
        until = false;
        debugger.announce(**next);
      }
      const auto fed = x_solo.feed(stop);
      if (!debugger.alive()) return finish(false);
      if (!fed) {
        debugger.end(x_solo.process_id(), fed.error());
        return refuse(kLab, x_flags.file + ": " + fed.error());
      }
      if (*fed && !goes_on(**fed)) break;
    }
    debugger.end(x_solo.process_id(),
                 x_difference ? to_text(*x_difference, x_flags.node) + "(quit ends gdb)"
                              : "the recording of " + x_flags.node + " ends here (quit ends gdb)");
    return finish();
  }

  /// Another build may do the same by other calls: that is said, and is no end.
  bool goes_on(const SoloDifference& difference) {
    if (difference.only_calls() && !x_solo.other_builds().empty()) {
      if (!x_calls) x_calls = difference;
      return true;
    }
    x_difference = difference;
    return false;
  }

  int show_stop(const Solo::Next& next) {
    std::cout << "stopped before event " << next.seq << ", at " << mix::to_text(next.time - kStart)
              << "; " << x_flags.node << " is process " << x_solo.process_id() << "\n";
    for (const std::string& line : x_solo.state())
      std::cout << "  " << line << "\n";
    if (::isatty(STDIN_FILENO) == 1) {
      std::cout << "it lives until you press Enter" << std::flush;
      std::string line;
      std::getline(std::cin, line);
    }
    return kHolds;
  }

  int finish(bool whole = true) {
    for (const std::string& name : x_solo.other_builds())
      std::cout << "note  " << name << " is another build than the recorded one\n";
    if (x_difference) {
      if (!x_flags.gdb) std::cout << to_text(*x_difference, x_flags.node);
      std::cout << "as recorded until then: " << x_solo.activations() - 1 << " activations\n";
      return kFailed;
    }
    if (x_calls)
      std::cout << "note  from event " << x_calls->seq
                << " on it makes other system calls to the same effect\n";
    std::cout << "identical: " << x_solo.activations() << " activations of " << x_flags.node;
    if (x_solo.lives() > 1) std::cout << ", " << x_solo.lives() << " lives";
    std::cout << (whole ? "\n" : ", then left\n");
    return kHolds;
  }

  const SoloFlags& x_flags;
  Solo& x_solo;
  Until x_until;
  std::optional<SoloDifference> x_difference, x_calls;
};

}  // namespace

int solo(const SoloFlags& flags) {
  const auto until = read_until(flags.until);
  if (!until)
    return refuse(kUsage, "--until " + shell_word(flags.until) +
                              " is neither a time (\"12.5 s\") nor the number of an event");
  auto db = Database::open(flags.file, Database::Mode::read_only);
  if (!db) return refuse(kUsage, flags.file + ": " + db.error().text);
  try {
    const auto plan = recorded_plan(*db, flags.file);
    if (!plan)
      return refuse(kUsage, flags.file + ": its scenario is none for this version of mixlab");
    const WorkFolder work;
    if (work.path().empty()) return refuse(kLab, "no temporary folder can be made");
    replay::SoloSettings settings;
    settings.bin = bin_folder();
    settings.work = work.path() + "/hosts";
    settings.options.shim = settings.bin + "/libmixlab-shim.so";
    settings.options.wall_epoch_ns = plan->epoch_unix_ns;
    settings.life = flags.gdb && flags.life == 0 ? 1 : flags.life;
    if (flags.gdb) settings.options.watchdog = std::chrono::hours(24 * 365);
    auto solo = Solo::open(*db, *plan, flags.node, settings);
    if (!solo) return refuse(kUsage, flags.file + ": " + solo.error());
    return Session(flags, **solo, *until).run();
  } catch (const judge::QueryFailed& failed) {
    return refuse(kUsage, flags.file + " is not a recording of the lab: " + failed.text);
  }
}

}  // namespace lab::cli
