// SPDX-License-Identifier: Apache-2.0
// Rows into tables: the statements of one recording, on the writer's thread.
#pragma once

#include "harness/recorder/rows.h"
#include "src/sqlite/database.h"

namespace lab::recorder {

/// Makes both schemas in an empty database of large pages.
mix::sqlite::Result<void> create_schema(mix::sqlite::Database& db);

class Tables {
 public:
  static mix::sqlite::Result<std::unique_ptr<Tables>> open(mix::sqlite::Database& db);
  /// All of a batch, or an error.
  mix::sqlite::Result<void> write(const Batch& batch);

 private:
  using Done = mix::sqlite::Result<void>;
  enum Which {
    node,
    made,
    handled,
    fetched,
    segment,
    wire_packet,
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
  explicit Tables(mix::sqlite::Database& db) : x_db(db) {}
  mix::sqlite::Statement& at(Which which) { return x_statements[which]; }

  Done insert(const ProgramRow& row);
  Done insert(const HopRow& row);
  Done insert(const SegmentRow& row);
  Done insert(const WirePacketRow& row);
  Done insert(const EventRow& row);
  Done insert(const CheckpointRow& row);
  Done insert(const FaultRow& row);
  Done insert(const LogRow& row);
  Done insert(const LifeRow& row);
  Done insert(const FolderFileRow& row);
  Done insert(const BlobRow& row);
  Done insert(const InboxRow& row);

  mix::sqlite::Database& x_db;
  std::vector<mix::sqlite::Statement> x_statements;
};

}  // namespace lab::recorder
