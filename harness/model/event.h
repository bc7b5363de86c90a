// SPDX-License-Identifier: Apache-2.0
// One event of the chain, its canonical bytes, and the chain itself.
//
// The chain is what "the same run" means (guarantee G1): a hash over everything observable, in
// order. An event is a time, a node, a kind and a list of named fields; its canonical bytes are
//
//   u64 sequence | u64 time_ns | u32 node | u8 length, kind | u16 fields |
//   per field: u8 length, name | u8 type | type 'n': u64, 'z': i64, 'b' and 't': u32 length, bytes
//
// (integers big-endian), built once, hashed as they are, and handed as they are to the recorder,
// which shows them as JSON on its own thread. Field order is part of the event.
//
// The chain is BLAKE2b-256 (see digest.h) as a stream: bytes are absorbed once, a checkpoint or the
// end finalises a copy. So the hash costs 0.1 us for each 128 bytes of events and nothing else; the
// payloads themselves enter only as 16-byte digests.
//
// Threads: one.
#pragma once

#include <string>
#include <string_view>

#include "harness/model/digest.h"
#include "harness/model/ids.h"
#include "harness/model/virtual_time.h"

namespace lab {

/// Builds one event in a buffer that is used again for the next.
class EventBuilder {
 public:
  /// Starts an event. `kind` is a constant word: "activation", "segment", "fault", "exit".
  EventBuilder& begin(VirtualTime time, NodeId node, std::string_view kind);
  EventBuilder& number(std::string_view name, std::uint64_t value);
  EventBuilder& integer(std::string_view name, std::int64_t value);
  EventBuilder& bytes(std::string_view name, mix::BytesView value);
  EventBuilder& text(std::string_view name, std::string_view value);
  /// The canonical bytes with this place in the chain. Valid until the next begin().
  mix::BytesView finish(std::uint64_t sequence);

 private:
  void field(std::string_view name, char type);
  mix::Bytes x_bytes;
  std::size_t x_count_at = 0;
  std::uint16_t x_fields = 0;
};

/// An event read back from its canonical bytes (views into them).
struct EventView {
  std::uint64_t sequence = 0;
  VirtualTime time;
  NodeId node = kNoNode;
  std::string_view kind;
  mix::BytesView fields;  // as they lie
  std::uint16_t field_count = 0;
};
/// nullopt when the bytes are not one whole event.
std::optional<EventView> read_event(mix::BytesView canonical);
/// The fields as a JSON object, bytes in hexadecimal, in their order: the column `detail`.
std::string detail_json(const EventView& event);

class Chain {
 public:
  /// Takes the next event in; returns its canonical bytes (valid as finish() says).
  mix::BytesView add(EventBuilder& event);
  /// The same, of an event finished elsewhere: with the sequence number length().
  void add(mix::BytesView canonical);
  /// Events taken in so far, and the sequence number the next one gets.
  std::uint64_t length() const { return x_length; }
  Digest32 value() const;
  std::string hex() const;

 private:
  Hasher x_hasher{sizeof(Digest32)};
  std::uint64_t x_length = 0;
};

}  // namespace lab
