// SPDX-License-Identifier: Apache-2.0
// A provider's identity and whom it serves: its Sphinx key, the key of its tokens, and accounts.
// Kept on disk so that addresses, tokens and mailboxes outlive the program.
//
// Synchronous; one connection, the storage thread's (store.h) after opening. Bounds are the
// caller's (provider/desk.h). Errors are SQLite's.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "src/crypto/keys.h"
#include "src/crypto/secret.h"
#include "src/ports/entropy.h"
#include "src/sqlite/database.h"
#include "src/wire/request.h"

namespace mix::store {

struct Keys {
  crypto::PrivateKey node;
  crypto::Secret<32> token;
};

struct Account {
  wire::ClientAddress address{};
  std::uint64_t waiting = 0;  ///< messages in its mailbox
};

class Accounts {
 public:
  static sqlite::Result<Accounts> open(sqlite::Database& db);

  /// Those of the database; made and written down when there are none yet. An error also for keys
  /// that are damaged.
  sqlite::Result<Keys> keys(ports::Entropy& entropy);
  /// In order of registration.
  sqlite::Result<std::vector<Account>> all();
  /// Adding one again changes nothing.
  sqlite::Result<void> add(const wire::ClientAddress& address);
  /// An error when mail waits for it.
  sqlite::Result<void> remove(const wire::ClientAddress& address);
  /// The row of an address; nothing when it has no account.
  sqlite::Result<std::optional<std::int64_t>> find(const wire::ClientAddress& address);

 private:
  Accounts(sqlite::Database& db, sqlite::Statement add, sqlite::Statement find)
      : x_db(&db), x_add(std::move(add)), x_find(std::move(find)) {}

  sqlite::Database* x_db;
  sqlite::Statement x_add, x_find;
};

}  // namespace mix::store
