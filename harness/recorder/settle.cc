// SPDX-License-Identifier: Apache-2.0
#include "harness/recorder/settle.h"

#include <algorithm>

namespace lab::recorder {
namespace {

/// Undoes what only the stopping of all programs at the end of the run has done. Programs that were
/// stopped earlier keep their drops: theirs came before the last time they started.
mix::sqlite::Result<void> leave_as_it_stood(mix::sqlite::Database& db,
                                            const std::vector<Ending>& endings,
                                            std::int64_t end_ns) {
  auto held = db.prepare(
      "UPDATE handled SET verdict = 'forward', reason = NULL WHERE reason = 'shutting_down' AND "
      "node = ?1 AND received_ns > ?2 AND received_ns < ?3");
  auto unsent = db.prepare(
      "UPDATE made SET reason = NULL WHERE reason = 'shutting_down' AND node = ?1 AND created_ns > "
      "?2");
  auto late =
      db.prepare("DELETE FROM handled WHERE reason = 'shutting_down' AND received_ns >= ?1");
  for (const auto* statement : {&held, &unsent, &late})
    if (!*statement) return std::unexpected(statement->error());
  for (const Ending& ending : endings) {
    if (ending.crashed || ending.time_ns != end_ns) continue;
    std::int64_t since = -1;  // the last time before that this node ended
    for (const Ending& other : endings)
      if (other.node == ending.node && other.time_ns < end_ns)
        since = std::max(since, other.time_ns);
    if (auto done = held->run(ending.node, since, end_ns); !done) return done;
    if (auto done = unsent->run(ending.node, since); !done) return done;
  }
  if (auto done = late->run(end_ns); !done) return done;
  // Who received what is final now; nothing below changes it.
  if (auto done = db.run("CREATE TEMP TABLE unread AS SELECT w.* FROM wire_packet w WHERE id IN "
                         "(SELECT sending FROM link WHERE receipt IS NULL)");
      !done)
    return done;
  // Of a packet that came too late to be read, the segment did arrive: it gets a row of its own.
  auto segments = db.prepare(
      "INSERT INTO other_segment (id, connection, from_node, to_node, sent_ns, delivered_ns, size, "
      "digest, fate) SELECT id, connection, from_node, to_node, sent_ns, delivered_ns, 1372, "
      "digest, "
      "'delivered' FROM temp.unread WHERE alone AND delivered_ns >= ?1");
  auto under_way = db.prepare(
      "UPDATE wire_packet SET delivered_ns = NULL, fate = NULL, ended_ns = NULL, alone = 0 WHERE "
      "id "
      "IN (SELECT id FROM temp.unread WHERE coalesce(delivered_ns, ended_ns) >= ?1)");
  if (!segments || !under_way) return std::unexpected((segments ? under_way : segments).error());
  if (auto done = segments->run(end_ns); !done) return done;
  return under_way->run(end_ns);
}

}  // namespace

mix::sqlite::Result<void> settle(mix::sqlite::Database& db, std::vector<Ending> endings,
                                 std::int64_t end_ns) {
  auto transaction = mix::sqlite::Transaction::begin(db);
  if (!transaction) return std::unexpected(transaction.error());
  if (auto done = leave_as_it_stood(db, endings, end_ns); !done) return done;
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
    if (ending.time_ns < end_ns)
      if (auto done = (ending.crashed ? *crashed : *stopped).run(ending.node, ending.time_ns);
          !done)
        return done;
  if (auto done = db.run("DROP TABLE unread"); !done) return done;
  return transaction->commit();
}

}  // namespace lab::recorder
