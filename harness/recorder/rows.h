// SPDX-License-Identifier: Apache-2.0
// The rows that the lab writes, as values on their way from the run's thread to the writer's. Node
// numbers are those of the recording: a program's place in the plan, counted from 1.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "harness/model/digest.h"
#include "src/record/hop.h"

namespace lab::recorder {

using NodeNumber = std::optional<std::int64_t>;

/// Written for every program before the run, and again when the program said who it is.
struct ProgramRow {
  std::int64_t node = 0;
  mix::record::NodeRow row;
};
/// What a program recorded; times already on the run's line.
struct HopRow {
  std::int64_t node = 0;
  mix::record::Row row;
};
struct SegmentRow {
  std::optional<std::int64_t> connection;
  NodeNumber from, to;
  std::int64_t sent_ns = 0;
  std::optional<std::int64_t> delivered_ns;
  std::int64_t size = 0;
  Digest digest{};
  std::optional<mix::Bytes> payload;
  const char* fate = "delivered";
};
struct WirePacketRow {
  std::int64_t connection = 0;
  NodeNumber from, to;
  std::int64_t sent_ns = 0;
  std::optional<std::int64_t> delivered_ns;
  Digest digest{};
  std::optional<std::string> fate;
  std::optional<std::int64_t> ended_ns;
};
struct EventRow {
  mix::Bytes canonical;
  NodeNumber node;
};
struct CheckpointRow {
  std::int64_t seq = 0, time_ns = 0;
  std::string chain;
};
struct FaultRow {
  std::int64_t time_ns = 0;
  std::string verb, target;
};
struct LogRow {
  std::int64_t time_ns = 0;
  NodeNumber node;
  const char* stream = "stdout";
  std::string line;
};

struct LifeRow {
  std::int64_t seq = 0, node = 0, birth = 0, slot = 0, clock_offset_ns = 0;
  Digest host{};
};
struct FolderFileRow {
  std::int64_t life = 0;
  std::string path;
  std::int64_t mode = 0, number = 0;
  std::optional<Digest> digest;
};
struct BlobRow {
  Digest digest{};
  mix::Bytes bytes;
};
struct InboxRow {
  std::int64_t seq = 0;
  mix::Bytes entries;
  std::optional<Digest> host;
  std::optional<std::int64_t> clock_offset_ns;
};

using AnyRow = std::variant<ProgramRow, HopRow, SegmentRow, WirePacketRow, EventRow, CheckpointRow,
                            FaultRow, LogRow, LifeRow, FolderFileRow, BlobRow, InboxRow>;
using Batch = std::vector<AnyRow>;

}  // namespace lab::recorder
