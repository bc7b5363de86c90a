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
#include "harness/recorder/sources.h"
#include "harness/scenario/plan.h"

namespace lab::runner {

inline constexpr Duration kGrace = std::chrono::seconds(5);

struct Progress {
  VirtualTime now;
  std::uint64_t packets = 0;
};

/// A run that stands still.
struct Standing {
  const controller::Controller& controller;
  std::vector<std::pair<std::string, NodeId>> nodes;  // programs that were started, by place
};

/// Follows a run from inside, and may hold it up. What it does changes nothing in the run.
class Visitor : public recorder::ChainWatch, public recorder::PacketWatch {
 public:
  /// When to stand still next, before what is due then; kNever.
  virtual VirtualTime next_time() const = 0;
  /// True: stand still as soon as the present round of activations is over.
  virtual const std::atomic<bool>& halt() const = 0;
  /// Whether it is to be told of events and packets as they happen, on the run's thread.
  virtual bool follows() const = 0;
  /// It stands still. False: end it.
  virtual bool stopped(const Standing& standing) = 0;
};

/// Which file a program is, and what it is called.
struct Binary {
  std::string path;               // argv[0]
  std::string file;               // the one that is run; empty: path
  std::string loader, libraries;  // of a pack
};

/// Finds a program's binary.
using FindBinary = std::function<std::expected<Binary, std::string>(const scenario::Program&)>;

struct Settings {
  std::string bin;                        // where our own programs are
  std::string work;                       // an empty folder for the hosts' folders
  std::vector<recorder::Source> sources;  // read_sources(), or a recording's
  FindBinary find;                        // without it, find_program()
  Visitor* visitor = nullptr;
  controller::Options options;
  bool keep_memory = false;
  std::function<void(const Progress&)> progress;  // about every virtual second
  const std::atomic<bool>* interrupted = nullptr;
};

struct Outcome {
  std::optional<controller::Stop> stop;
  bool interrupted = false;
  bool left = false;  // the visitor ended it
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
