// SPDX-License-Identifier: Apache-2.0
// How a program that is a node starts and ends: its command line, its loop, its record. What the
// node does in between is its own (mixnode, provider).
//
// Exit status: 0; 1 when the node could not start, or was given no command; 2 for wrong flags.
// Threads: the loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "src/record/hop_log.h"
#include "src/runtime/loop.h"

namespace CLI {
class App;
}

namespace mix::program {

class Program {
 public:
  virtual ~Program() = default;
  /// Resolves, binds, begins; answers what went wrong, or nothing. What it makes of the loop and
  /// the record may refer to them as long as the program lives.
  virtual runtime::Task<std::string> open(runtime::Loop& loop, record::HopLog& log) = 0;
  /// After the loop's run, if open() went well. The record is still open.
  virtual void finish() = 0;
  /// The last words; `unrecorded` rows are missing in the record.
  virtual void say_goodbye(std::uint64_t unrecorded) = 0;
};

/// Until SIGINT or SIGTERM. `record` is the value of --record. Answers the exit status.
int run(std::unique_ptr<Program> program, const std::string& record, std::uint64_t descriptors);

struct CommandLine {
  std::string name, about, footer;
  std::function<void(CLI::App& run)> add_flags;
  /// What flags allow each alone, but not together; nothing when all is well.
  std::function<std::string()> problem;
};
/// Reads `NAME run FLAGS`. Answers the exit status of a program that is not to run, having said
/// why; nothing when it is to.
std::optional<int> read_command_line(const CommandLine& line, int argc, const char* const* argv);

}  // namespace mix::program
