// SPDX-License-Identifier: Apache-2.0
#include "src/store/accounts.h"

#include "src/prelude/cursor.h"

namespace mix::store {
namespace {

sqlite::Error damaged(std::string what) {
  return {0, "the " + std::move(what) + " in the database is damaged"};
}

}  // namespace

sqlite::Result<Accounts> Accounts::open(sqlite::Database& db) {
  auto add = db.prepare("INSERT OR IGNORE INTO account (address) VALUES (?)");
  if (!add) return std::unexpected(add.error());
  auto find = db.prepare("SELECT id FROM account WHERE address = ?");
  if (!find) return std::unexpected(find.error());
  return Accounts(db, std::move(*add), std::move(*find));
}

sqlite::Result<Keys> Accounts::keys(ports::Entropy& entropy) {
  auto query = x_db->prepare("SELECT node, token FROM keys");
  if (!query) return std::unexpected(query.error());
  auto row = query->next();
  if (!row) return std::unexpected(row.error());
  if (*row) {
    const auto node = crypto::PrivateKey::from_bytes(query->blob(0));
    const BytesView token = query->blob(1);
    if (!node) return std::unexpected(damaged("node's key"));
    if (token.size() != 32) return std::unexpected(damaged("key of the tokens"));
    return Keys{*node, crypto::Secret<32>(token.first<32>())};
  }
  const auto node = crypto::PrivateKey::generate(entropy);
  crypto::Secret<32> token;
  entropy.fill(token.mutable_bytes());
  auto insert = x_db->prepare("INSERT INTO keys (id, node, token) VALUES (1, ?, ?)");
  if (!insert) return std::unexpected(insert.error());
  if (auto done = insert->run(BytesView(node.bytes()), BytesView(token.bytes())); !done)
    return std::unexpected(done.error());
  return Keys{node, token};
}

sqlite::Result<std::vector<Account>> Accounts::all() {
  auto query = x_db->prepare(
      "SELECT address, (SELECT count(*) FROM message WHERE message.account = account.id) "
      "FROM account ORDER BY id");
  if (!query) return std::unexpected(query.error());
  std::vector<Account> accounts;
  while (true) {
    auto row = query->next();
    if (!row) return std::unexpected(row.error());
    if (!*row) return accounts;
    const BytesView address = query->blob(0);
    if (address.size() != 32) return std::unexpected(damaged("address of an account"));
    accounts.push_back(
        {Reader(address).array<32>(), static_cast<std::uint64_t>(query->integer(1))});
  }
}

sqlite::Result<void> Accounts::add(const wire::ClientAddress& address) {
  return x_add.run(address);
}

sqlite::Result<void> Accounts::remove(const wire::ClientAddress& address) {
  auto remove = x_db->prepare("DELETE FROM account WHERE address = ?");
  if (!remove) return std::unexpected(remove.error());
  return remove->run(address);
}

sqlite::Result<std::optional<std::int64_t>> Accounts::find(const wire::ClientAddress& address) {
  x_find.start(address);
  auto row = x_find.next();
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::nullopt;
  const std::int64_t id = x_find.integer(0);
  x_find.reset();
  return id;
}

}  // namespace mix::store
