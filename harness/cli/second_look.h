// SPDX-License-Identifier: Apache-2.0
// The other run of --check: the same scenario and seed in a process of its own, with another
// working folder, environment size, descriptor count and CPU, and address randomisation on.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "harness/cli/commands.h"

namespace lab::cli {

struct Look {
  std::string chain, memory;
  std::string recording;
};

class SecondLook {
 public:
  /// Starts it; `folder` takes its recording.
  SecondLook(const RunFlags& flags, std::uint64_t seed, const std::string& folder);
  /// Kills it if it still runs.
  ~SecondLook();
  SecondLook(const SecondLook&) = delete;
  SecondLook& operator=(const SecondLook&) = delete;
  /// Waits for its end. Nothing: it could not do its job; `problem` says why.
  std::optional<Look> result(std::string& problem);

 private:
  std::string x_recording;
  pid_t x_child = -1;
  int x_output = -1;
};

}  // namespace lab::cli
