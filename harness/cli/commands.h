// SPDX-License-Identifier: Apache-2.0
// The commands of `mixlab`. Each returns the exit status: 0 all expectations hold; 1 one failed, or
// two runs differ; 2 usage or scenario error; 3 the lab itself could not do its job; 4
// inconclusive.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/recorder/sources.h"
#include "harness/runner/runner.h"

namespace lab::cli {

enum Status {
  kHolds = 0,
  kFailed = 1,
  kUsage = 2,
  kLab = 3,
  kInconclusive = 4,
  kInterrupted = 130
};

struct RunFlags {
  std::string scenario;
  std::optional<std::uint64_t> seed;
  std::string out;
  std::vector<std::string> settings;
  bool check = false, quiet = false, json = false, force = false;
  bool silent = false;  // no word about verdicts, and no report beside the recording
  bool keep_memory = false;
  bool no_interpose = false;
  bool no_look_ahead = false;
  std::string trap = "seccomp";
  std::string cpu = "masked";
  std::string until;
  /// What [[program]] files hold, where they are not read from disk: a recording's.
  std::optional<std::vector<recorder::Source>> sources;
  /// What the programs are, where they are not looked for: a recording's.
  runner::FindBinary find;
  bool second_look = false;  // the other run of --check: addresses random, another CPU
};

struct ReplayFlags {
  std::string file;
  std::string until;
  bool anyway = false;  // other binaries, another machine, a changed file
};

struct FullFlags {
  std::string file, out;
  bool anyway = false, force = false;
};

struct DiffFlags {
  std::string a, b;
  std::string node;                  // only this one's events
  std::vector<std::string> kinds;    // only these
  std::vector<std::string> ignored;  // kinds, or fields of an event
  bool first = false;                // the event only
  bool json = false;
};

int run(const RunFlags& flags);
int check(const std::string& scenario, const std::vector<std::string>& settings, bool reference,
          bool canonical);
int show(const std::string& file, bool json);
int trace(const std::string& file, std::int64_t packet);
int replay(const ReplayFlags& flags);
/// The recorded run again, recorded with full payloads; refused where it is another run.
int record_in_full(const FullFlags& flags);
int pack(const std::string& file);
int diff(const DiffFlags& flags);
int doctor(bool calls, bool json);

/// From then on SIGINT, SIGTERM and SIGHUP set this once, and end the program at the second time.
const std::atomic<bool>* catch_signals();
/// The folder that this program lies in, where the other programs and the shim are.
std::string bin_folder();
inline constexpr const char* kToolVersion = "mixlab 0.1.0";

}  // namespace lab::cli
