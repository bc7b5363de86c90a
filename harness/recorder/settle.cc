// SPDX-License-Identifier: Apache-2.0
#include "harness/recorder/settle.h"

#include <algorithm>

namespace lab::recorder {

mix::sqlite::Result<void> settle(mix::sqlite::Database& db, std::vector<Ending> endings) {
  auto transaction = mix::sqlite::Transaction::begin(db);
  if (!transaction) return std::unexpected(transaction.error());
  if (auto done = db.run("CREATE TEMP TABLE unread AS SELECT sending AS id FROM link "
                         "WHERE receipt IS NULL AND sending IS NOT NULL");
      !done)
    return done;
  auto crashed = db.prepare(
      "UPDATE wire_packet SET fate = 'node_crashed', ended_ns = ?2 WHERE fate IS NULL AND to_node "
      "= ?1 "
      "AND delivered_ns <= ?2 AND id IN (SELECT id FROM unread)");
  auto stopped = db.prepare(
      "UPDATE wire_packet SET fate = 'connection_reset', ended_ns = ?2 WHERE fate IS NULL "
      "AND to_node = ?1 AND delivered_ns >= ?2 AND id IN (SELECT id FROM unread)");
  if (!crashed || !stopped) return std::unexpected((crashed ? stopped : crashed).error());
  std::ranges::stable_sort(endings, {}, &Ending::time_ns);
  for (const Ending& ending : endings)
    if (auto done = (ending.crashed ? *crashed : *stopped).run(ending.node, ending.time_ns); !done)
      return done;
  if (auto done = db.run("DROP TABLE unread"); !done) return done;
  return transaction->commit();
}

}  // namespace lab::recorder
