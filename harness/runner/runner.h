// SPDX-License-Identifier: Apache-2.0
// A plan to a run: folders, hosts and programs into the controller, links into the network, faults
// at their times, everything that happens into the recorder. Decides nothing by itself: what it
// does follows from the plan, the seed and virtual time alone.
//
// A program that waits for others (`after`, or a file to fetch) starts at the first whole
// millisecond of virtual time at which they have ended with 0. At the plan's duration every program
// is sent SIGTERM, so that nodes account for what they hold; kGrace later the run is over.
//
// Errors: what the user can mend (a missing binary or file) is a text; what stops the lab is a Stop
// in the outcome (exit 3). Threads: the caller's, which the controller pins.
#pragma once

#include <atomic>
#include <functional>

#include "harness/controller/controller.h"
#include "harness/recorder/recorder.h"
#include "harness/scenario/plan.h"

namespace lab::runner {

inline constexpr Duration kGrace = std::chrono::seconds(5);

struct Progress {
  VirtualTime now;
  std::uint64_t packets = 0;
};

struct Settings {
  std::string bin;   // where our own programs are
  std::string work;  // an empty folder for the hosts' folders
  controller::Options options;
  bool keep_memory = false;
  std::function<void(const Progress&)> progress;  // about every virtual second
  const std::atomic<bool>* interrupted = nullptr;
};

struct Outcome {
  std::optional<controller::Stop> stop;
  bool interrupted = false;
  VirtualTime ended;  // the plan's duration, or earlier: a promise for always was broken
  std::string chain;
  std::string memory;    // digest over every node's memory, when kept; hex
  std::string manifest;  // JSON
  std::uint64_t activations = 0;
};

std::expected<Outcome, std::string> run(const scenario::Plan& plan, const Settings& settings,
                                        recorder::Writer& writer,
                                        std::vector<recorder::Ending>& endings,
                                        std::vector<std::string>& notes);

}  // namespace lab::runner
