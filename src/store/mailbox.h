// SPDX-License-Identifier: Apache-2.0
// Messages waiting for their recipients, oldest first.
//
// A message that was handed out (`offer`) stays until it is known to have arrived (`settle`), and
// is handed to nobody else meanwhile; who takes what is out is forgotten with the program, so that
// after a crash everything not yet settled is offered again: at least once.
// Where mail expires, messages are dated; the column is there then (dated.sql).
// Synchronous; one connection, the storage thread's. Bounds are the caller's. Errors are SQLite's.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <vector>

#include "src/prelude/bytes.h"
#include "src/sqlite/database.h"
#include "src/wire/request.h"

namespace mix::store {

struct Mail {
  std::int64_t id = 0;
  Bytes body;
};

class Mailboxes {
 public:
  static sqlite::Result<Mailboxes> open(sqlite::Database& db, bool dated);

  /// Written down is `kept_s` only where messages are dated.
  sqlite::Result<void> put(std::int64_t account, BytesView body, std::int64_t kept_s);
  /// Offers of an account that may be out at once: one more finds nothing. Else each would walk
  /// over all that is out, and whoever takes no reply could make that a whole mailbox. Mail whose
  /// deletion is owed is out, too: so little can come twice if the program dies before it is made.
  static constexpr std::size_t kOffersOut = 8;
  /// The oldest `limit` that are not out already; from now on they are.
  sqlite::Result<std::vector<Mail>> offer(std::int64_t account, std::size_t limit);
  /// Arrived: deleted. Not arrived: to be offered again, in their old place.
  sqlite::Result<void> settle(std::span<const std::int64_t> ids, bool arrived);
  /// Of the `limit` oldest messages of all accounts, deletes those kept before `kept_s` that are
  /// not out; whose each was.
  sqlite::Result<std::vector<wire::ClientAddress>> expire(std::int64_t kept_s, std::size_t limit);

  /// Around a transaction: what is out follows the database when that rolls back.
  void begin() { x_changes.clear(); }
  void roll_back();

 private:
  struct Change {
    std::int64_t id;
    bool went_out;
  };
  Mailboxes(sqlite::Database& db, bool dated, sqlite::Statement put, sqlite::Statement oldest,
            sqlite::Statement remove)
      : x_db(&db),
        x_dated(dated),
        x_put(std::move(put)),
        x_oldest(std::move(oldest)),
        x_remove(std::move(remove)) {}

  sqlite::Database* x_db;
  bool x_dated;
  sqlite::Statement x_put, x_oldest, x_remove;
  std::set<std::int64_t> x_out;
  std::vector<Change> x_changes;  // since begin()
};

}  // namespace mix::store
