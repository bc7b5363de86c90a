// SPDX-License-Identifier: Apache-2.0
// The commands of `mixlab`. Each returns the exit status: 0 all expectations hold; 1 one failed, or
// two runs differ; 2 usage or scenario error; 3 the lab itself could not do its job; 4
// inconclusive.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

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
  bool keep_memory = false;
  bool no_interpose = false;
  std::string trap = "seccomp";
  std::string cpu = "masked";
  bool second_look = false;  // the other run of --check: addresses random, another CPU
};

int run(const RunFlags& flags);
int check(const std::string& scenario, const std::vector<std::string>& settings, bool reference,
          bool canonical);
int show(const std::string& file, bool json);
int trace(const std::string& file, std::int64_t packet);
int replay(const std::string& file);
int diff(const std::string& a, const std::string& b);
int doctor(bool calls, bool json);

/// The folder that this program lies in, where the other programs and the shim are.
std::string bin_folder();
inline constexpr const char* kToolVersion = "mixlab 0.1.0";

}  // namespace lab::cli
