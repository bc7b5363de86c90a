// SPDX-License-Identifier: Apache-2.0
// Rows into tables: the statements of one recording, its digests and its chain. On the writer's
// thread.
#pragma once

#include <unordered_map>

#include "harness/model/event.h"
#include "harness/recorder/rows.h"
#include "src/sqlite/database.h"

namespace lab::recorder {

/// Makes both schemas in an empty database, with pages for many payloads if `payload_full`.
mix::sqlite::Result<void> create_schema(mix::sqlite::Database& db, bool payload_full);

/// The fields of the chain's event "activation"; `calls`: per number, u16 number and u32 count.
void describe(EventBuilder& event, const Digest& inbox, const Digest& outbox, VirtualTime deadline,
              std::uint64_t entropy, mix::BytesView calls);

/// Drops all indexes, and returns what makes them again: at once at the end, sorted and full, they
/// cost half as much time and space as row by row.
mix::sqlite::Result<std::string> put_off_indexes(mix::sqlite::Database& db);

class Tables {
 public:
  static mix::sqlite::Result<std::unique_ptr<Tables>> open(mix::sqlite::Database& db,
                                                           bool payload_full);
  /// All of a batch, or an error.
  mix::sqlite::Result<void> write(const Batch& batch);
  std::string chain() const { return x_chain.hex(); }

 private:
  using Done = mix::sqlite::Result<void>;
  enum Which {
    node,
    made,
    handled,
    fetched,
    segment,
    payload,
    wire_packet,
    activation,
    call_list,
    event,
    checkpoint,
    fault,
    log,
    life,
    folder_file,
    blob,
    inbox,
    kCount
  };
  Tables(mix::sqlite::Database& db, bool payload_full) : x_db(db), x_payload_full(payload_full) {}
  mix::sqlite::Statement& at(Which which) { return x_statements[which]; }

  Done insert(const ProgramRow& row);
  Done insert(const HopRow& row);
  Done insert(const SegmentRow& row);
  Done insert(const WirePacketRow& row);
  Done insert(const ActivationRow& row);
  Done insert(const EventRow& row);
  Done insert(const CheckpointRow& row);
  Done insert(const FaultRow& row);
  Done insert(const LogRow& row);
  Done insert(const LifeRow& row);
  Done insert(const FolderFileRow& row);
  Done insert(const BlobRow& row);
  Done insert(const InboxRow& row);

  /// The number of the list; a new one is written down.
  mix::sqlite::Result<std::int64_t> number_of(mix::BytesView calls);
  Done keep_payload(std::int64_t id, mix::BytesView bytes);

  mix::sqlite::Database& x_db;
  const bool x_payload_full;
  const Batch* x_batch = nullptr;  // while it is written
  Chain x_chain;
  EventBuilder x_event;
  std::unordered_map<std::string, std::int64_t> x_call_lists;
  std::vector<mix::sqlite::Statement> x_statements;
};

}  // namespace lab::recorder
