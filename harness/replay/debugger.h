// SPDX-License-Identifier: Apache-2.0
// gdb beside a program that is fed from a recording (solo.h). gdb attaches to the process while it
// waits for its first turn; wall time does not matter to it, so breakpoints and steps change
// nothing. Its commands `lab next`, `lab packet`, `lab until`, `lab end` (debugger_gdb.py) say over
// a pipe how far to feed, and the shim's lab_debug_stop() is the breakpoint there.
//
// The terminal is gdb's as long as it runs. Threads: one, the one that feeds.
#pragma once

#include <sys/types.h>

#include <expected>
#include <optional>
#include <string>

#include "harness/replay/solo.h"

namespace lab::replay {

class Debugger {
 public:
  Debugger() = default;
  /// Lets gdb go, if it still runs.
  ~Debugger();
  Debugger(const Debugger&) = delete;
  Debugger& operator=(const Debugger&) = delete;

  /// Attaches to the process. With `go`, it runs on by itself to the first stop. The error says
  /// what is missing.
  std::expected<void, std::string> begin(int pid, const std::string& shim, bool go);
  bool begun() const { return x_pid > 0; }
  /// Whether gdb is still there.
  bool alive();
  /// Whether the person at gdb asked to stop at this activation; waits until something was asked.
  bool stops_at(const Solo::Next& next);
  /// Where it stops, for gdb to show.
  void announce(const Solo::Next& next);
  /// Nothing more is fed: says why, gives gdb its prompt back, and waits until it is left.
  void end(int pid, const std::string& why);

 private:
  enum class Goal { none, next, packet, until, end };
  bool take_word(bool wait);
  void obey(const std::string& word);

  pid_t x_pid = -1;
  int x_to = -1, x_from = -1, x_script_fd = -1;
  std::string x_heard;
  bool x_left = false;
  Goal x_goal = Goal::none;
  VirtualTime x_time;
  std::int64_t x_seq = -1;
};

}  // namespace lab::replay
