// SPDX-License-Identifier: Apache-2.0
#include "harness/recorder/sources.h"

namespace lab::recorder {

mix::sqlite::Result<void> keep_sources(mix::sqlite::Database& db,
                                       const std::vector<Source>& sources) {
  if (sources.empty()) return {};
  auto transaction = mix::sqlite::Transaction::begin(db);
  if (!transaction) return std::unexpected(transaction.error());
  auto row = db.prepare("INSERT INTO source (program, path, mode, bytes) VALUES (?, ?, ?, ?)");
  if (!row) return std::unexpected(row.error());
  for (const Source& source : sources)
    if (auto done =
            row->run(source.program, source.path, source.mode, mix::BytesView(source.bytes));
        !done)
      return done;
  return transaction->commit();
}

mix::sqlite::Result<std::vector<Source>> kept_sources(mix::sqlite::Database& db) {
  auto rows = db.prepare("SELECT program, path, mode, bytes FROM source ORDER BY program, path");
  if (!rows) return std::unexpected(rows.error());
  rows->start();
  std::vector<Source> out;
  while (true) {
    const auto row = rows->next();
    if (!row) return std::unexpected(row.error());
    if (!*row) return out;
    const mix::BytesView bytes = rows->blob(3);
    out.push_back(
        {rows->text(0), rows->text(1), rows->integer(2), mix::Bytes(bytes.begin(), bytes.end())});
  }
}

}  // namespace lab::recorder
