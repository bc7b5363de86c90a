// SPDX-License-Identifier: Apache-2.0
// Keeps the inputs of every program in a recording with full payloads: the tables life,
// folder_file, inbox and blob, in the forms of inbox.h. Part of the Recorder, and like it on the
// run's thread; decides nothing.
#pragma once

#include <map>
#include <set>

#include "harness/recorder/inbox.h"
#include "harness/recorder/writer.h"

namespace lab::recorder {

class Inputs {
 public:
  explicit Inputs(Writer& writer) : x_writer(writer) {}

  /// `seq`: the place that the program's event "start" gets; `node`: its number.
  void starts(std::int64_t seq, std::int64_t node, NodeId id, const StartView& start);
  /// Segment row number `row` went into this program's inbox.
  void handed_in(NodeId id, std::int64_t row) { x_programs[id].arrived.push_back(row); }
  /// `seq`: the place of its event.
  void activation(std::int64_t seq, const Activation& activation);

 private:
  struct Program {
    std::deque<std::int64_t> arrived;
    std::int64_t clock_offset_ns = 0;
  };
  Digest keep(mix::BytesView bytes);

  Writer& x_writer;
  std::map<NodeId, Program> x_programs;
  std::map<std::int64_t, std::int64_t> x_births;  // by node
  std::set<Digest> x_kept;
};

}  // namespace lab::recorder
