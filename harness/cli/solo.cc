// SPDX-License-Identifier: Apache-2.0
#include "harness/cli/solo.h"

#include <unistd.h>

#include <iostream>

#include "harness/cli/commands.h"
#include "harness/cli/files.h"
#include "harness/cli/stops.h"
#include "harness/model/time_text.h"
#include "harness/replay/debugger.h"
#include "harness/replay/pack.h"
#include "harness/replay/recording.h"
#include "harness/replay/solo.h"
#include "harness/scenario/parse.h"

namespace lab::cli {
namespace {

using mix::sqlite::Database;
using replay::Solo;
using replay::SoloDifference;

int refuse(int status, const std::string& why) {
  std::cerr << "mixlab: " << why << "\n";
  return status;
}

/// Where to stop: before the first activation at or after a time or an event.
bool reached(const std::vector<Until>& wishes, const Solo::Next& next) {
  for (const Until& wish : wishes)
    if ((wish.time && next.time >= *wish.time) ||
        (wish.event && next.seq >= static_cast<std::int64_t>(*wish.event)))
      return true;
  return false;
}

class Session {
 public:
  Session(const SoloFlags& flags, Solo& solo, std::vector<Until> until)
      : x_flags(flags), x_solo(solo), x_until(std::move(until)) {}

  int run() { return x_flags.gdb ? under_gdb() : alone(); }

 private:
  int alone() {
    while (true) {
      const auto next = x_solo.next();
      if (!next) return refuse(kLab, x_flags.file + ": " + next.error());
      if (!*next) return finish();
      if (reached(x_until, **next)) return show_stop(**next);
      const auto fed = x_solo.feed();
      if (!fed) return refuse(kLab, x_flags.file + ": " + fed.error());
      if (*fed && !goes_on(**fed)) return finish();
    }
  }

  int under_gdb() {
    replay::Debugger debugger;
    bool until = !x_until.empty();
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
      const bool stop = until ? reached(x_until, **next) : asked;
      if (!debugger.alive()) return finish(false);
      if (stop) {
        until = false;
        debugger.announce(**next);
      }
      const auto fed = x_solo.feed(stop);  // whether gdb was left is asked when there is more
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
    std::cout << "stopped before event " << next.seq << ", at " << exact_text(next.time) << "; "
              << x_flags.node << " is process " << x_solo.process_id() << "\n";
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
  const std::vector<Until> x_until;
  std::optional<SoloDifference> x_difference, x_calls;
};

}  // namespace

int solo(const SoloFlags& flags) {
  std::vector<Until> wishes;
  if (!flags.until.empty()) {
    auto read = read_until(flags.until);
    if (!read) return refuse(kUsage, "--until: " + read.error());
    wishes = std::move(*read);
    for (const Until& wish : wishes)
      if (wish.packet)
        return refuse(kUsage, "--until " + shell_word(wish.text) +
                                  ": one program alone stops at a time or an event");
  }
  const auto recorded = replay::open_recording(flags.file, flags.anyway);
  if (!recorded) return refuse(kUsage, recorded.error());
  if (!recorded->remark.empty()) std::cout << "note  " << recorded->remark << "\n";
  auto db = Database::open(flags.file, Database::Mode::read_only);
  if (!db) return refuse(kUsage, flags.file + ": " + db.error().text);
  const auto plan = scenario::parse(flags.file, recorded->scenario,
                                    {"scenario.seed=" + std::to_string(recorded->seed)});
  if (!plan)
    return refuse(kUsage, flags.file + ": the scenario in it cannot be read by this mixlab");
  const WorkFolder work;
  if (work.path().empty()) return refuse(kLab, "no temporary folder can be made");
  const auto pack = replay::Pack::beside(*recorded);
  if (pack)
    std::cout << "note  the binary and its libraries are those of " << pack->folder() << "\n";
  replay::SoloSettings settings;
  settings.work = work.path() + "/hosts";
  settings.options = replay::options_of(*recorded, *plan, bin_folder());
  settings.life = flags.gdb && flags.life == 0 ? 1 : flags.life;
  if (flags.gdb) settings.options.watchdog = std::chrono::hours(24 * 365);
  for (const scenario::Program& program : plan->programs) {
    if (program.name != flags.node) continue;
    auto binary =
        replay::find_binary(*recorded, pack, program, bin_folder(), work.path() + "/programs");
    if (!binary) return refuse(kUsage, binary.error());
    settings.binary = std::move(*binary);
  }
  auto solo = Solo::open(*db, *plan, flags.node, settings);
  if (!solo) return refuse(kUsage, flags.file + ": " + solo.error());
  return Session(flags, **solo, std::move(wishes)).run();
}

}  // namespace lab::cli
