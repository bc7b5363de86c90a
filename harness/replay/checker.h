// SPDX-License-Identifier: Apache-2.0
// Compares a run, while it goes, with a recording: event by event, in order. The recording is read
// ahead by a thread of its own, a bounded number of events at a time, and only read.
//
// Threads: make it before the run pins its thread; event() and the rest belong to the run's thread.
#pragma once

#include <deque>
#include <expected>
#include <memory>
#include <optional>

#include "harness/model/event.h"
#include "harness/replay/difference.h"

namespace lab::replay {

class Checker {
 public:
  /// `path`: a recording. The error names it.
  static std::expected<std::unique_ptr<Checker>, std::string> open(const std::string& path);
  ~Checker();

  /// The run's next event. After the first that differs, up to kAfter more are kept to be shown.
  void event(mix::BytesView canonical);
  /// The run is over: a recording that goes on is a difference too.
  void finish();

  bool differs() const { return x_difference.has_value(); }
  /// a: recorded, b: seen. Complete after finish().
  const std::optional<Difference>& difference() const { return x_difference; }
  /// Events compared and found equal.
  std::uint64_t equal() const { return x_equal; }
  /// The recording could not be read on; empty: it could.
  const std::string& problem() const { return x_problem; }

 private:
  class Reader;
  explicit Checker(std::unique_ptr<Reader> reader);
  std::string name(NodeId node) const;
  EventLine line(const EventView& view) const;

  std::unique_ptr<Reader> x_reader;
  std::deque<EventLine> x_before;
  std::optional<Difference> x_difference;
  std::uint64_t x_equal = 0;
  std::string x_problem;
};

}  // namespace lab::replay
