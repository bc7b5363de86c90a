// SPDX-License-Identifier: Apache-2.0
// The rows that the lab writes, as values on their way from the run's thread to the writer's. Node
// numbers are those of the recording: a program's place in the plan, counted from 1.
//
// What is to be hashed comes as it is: the writer's thread has the other CPU, and computes every
// digest and the chain. Bytes lie one behind the other in their batch, so that a row costs no
// allocation.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "harness/model/digest.h"
#include "harness/model/virtual_time.h"
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
/// Bytes of a batch, valid in it alone.
struct Slice {
  std::uint32_t offset = 0, size = 0;
};
/// A segment that is not exactly one packet. Its id is of one sequence with those of packets.
struct SegmentRow {
  std::int64_t id = 0;
  std::optional<std::int64_t> connection;
  NodeNumber from, to;
  std::int64_t sent_ns = 0;
  std::optional<std::int64_t> delivered_ns;
  Slice bytes;
  const char* fate = "delivered";
};
struct WirePacketRow {
  std::int64_t id = 0;
  std::int64_t connection = 0;
  NodeNumber from, to;
  std::int64_t sent_ns = 0;
  std::optional<std::int64_t> delivered_ns;
  Slice bytes;
  const char* fate = nullptr;
  std::optional<std::int64_t> ended_ns;
  bool alone = false;  // it is the segment of that id
};
/// By far the most frequent event, apart from the others.
struct ActivationRow {
  VirtualTime time, deadline;
  NodeNumber node;
  Slice inbox, outbox;
  std::uint64_t entropy = 0;
  Slice calls;  // per number: u16 number, u32 count
};
/// Any other event.
struct EventRow {
  Slice canonical;
  NodeNumber node;
};
/// The chain as it is at that row; the same row twice is one.
struct CheckpointRow {
  std::int64_t time_ns = 0;
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

using AnyRow =
    std::variant<ProgramRow, HopRow, SegmentRow, WirePacketRow, ActivationRow, EventRow,
                 CheckpointRow, FaultRow, LogRow, LifeRow, FolderFileRow, BlobRow, InboxRow>;
struct Batch {
  std::vector<AnyRow> rows;
  mix::Bytes bytes;

  mix::BytesView operator[](Slice slice) const {
    return mix::BytesView(bytes).subspan(slice.offset, slice.size);
  }
};

}  // namespace lab::recorder
