// SPDX-License-Identifier: Apache-2.0
// `mixlab replay FILE --full OUT`: what one program alone needs (mixlab replay OUT --node), from a
// recording that keeps digests only.
#include <filesystem>
#include <fstream>
#include <iostream>

#include "harness/cli/commands.h"
#include "harness/cli/files.h"
#include "harness/replay/pack.h"
#include "harness/replay/recording.h"

namespace lab::cli {
namespace {

int refuse(int status, const std::string& why) {
  std::cerr << "mixlab: " << why << "\n";
  return status;
}

}  // namespace

int record_in_full(const FullFlags& flags) {
  const auto recorded = replay::open_recording(flags.file, flags.anyway);
  if (!recorded) return refuse(kUsage, recorded.error());
  const WorkFolder work;
  if (work.path().empty()) return refuse(kLab, "no temporary folder can be made");
  RunFlags run_flags;
  run_flags.scenario = work.path() + "/recorded.toml";
  std::ofstream(run_flags.scenario) << recorded->scenario;
  run_flags.seed = static_cast<std::uint64_t>(recorded->seed);
  run_flags.settings = {"record.payload=\"full\""};
  run_flags.sources = recorded->sources;
  const auto pack = replay::Pack::beside(*recorded);
  run_flags.find = [&](const scenario::Program& program) {
    return replay::find_binary(*recorded, pack, program, bin_folder(), work.path() + "/programs");
  };
  run_flags.out = flags.out;
  run_flags.force = flags.force;
  run_flags.quiet = run_flags.silent = true;
  const int status = run(run_flags);
  if (status != kHolds && status != kFailed && status != kInconclusive) return status;
  const auto full = replay::open_recording(flags.out, false);
  if (!full) return refuse(kLab, full.error());
  if (full->chain != recorded->chain) {
    std::error_code ignored;
    std::filesystem::remove(flags.out, ignored);
    return refuse(kFailed, "it is another run now, with chain " + full->chain + "; see " +
                               called() + " replay " + shell_word(flags.file));
  }
  std::cout << "the same run in full: " << flags.out << ", chain " << full->chain << "\n";
  return kHolds;
}

}  // namespace lab::cli
