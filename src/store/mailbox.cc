// SPDX-License-Identifier: Apache-2.0
#include "src/store/mailbox.h"

#include <ranges>

#include "src/prelude/cursor.h"

namespace mix::store {

sqlite::Result<Mailboxes> Mailboxes::open(sqlite::Database& db, bool dated) {
  auto put = db.prepare(dated ? "INSERT INTO message (account, body, kept_s) VALUES (?, ?, ?)"
                              : "INSERT INTO message (account, body) VALUES (?, ?)");
  if (!put) return std::unexpected(put.error());
  auto oldest = db.prepare("SELECT id, body FROM message WHERE account = ? ORDER BY id");
  if (!oldest) return std::unexpected(oldest.error());
  auto remove = db.prepare("DELETE FROM message WHERE id = ?");
  if (!remove) return std::unexpected(remove.error());
  return Mailboxes(db, dated, std::move(*put), std::move(*oldest), std::move(*remove));
}

sqlite::Result<void> Mailboxes::put(std::int64_t account, BytesView body, std::int64_t kept_s) {
  return x_dated ? x_put.run(account, body, kept_s) : x_put.run(account, body);
}

sqlite::Result<std::vector<Mail>> Mailboxes::offer(std::int64_t account, std::size_t limit) {
  std::vector<Mail> mail;
  std::size_t passed = 0;  // that are out
  x_oldest.start(account);
  while (mail.size() < limit) {
    auto row = x_oldest.next();
    if (!row) return std::unexpected(row.error());
    if (!*row) break;
    const std::int64_t id = x_oldest.integer(0);
    if (x_out.contains(id)) {
      if (++passed >= kOffersOut * limit) break;
      continue;
    }
    const BytesView body = x_oldest.blob(1);
    mail.push_back({id, Bytes(body.begin(), body.end())});
  }
  x_oldest.reset();
  for (const Mail& one : mail) {
    x_out.insert(one.id);
    x_changes.push_back({one.id, true});
  }
  return mail;
}

sqlite::Result<void> Mailboxes::settle(std::span<const std::int64_t> ids, bool arrived) {
  for (const std::int64_t id : ids) {
    if (arrived)
      if (auto done = x_remove.run(id); !done) return done;
    if (x_out.erase(id) == 1) x_changes.push_back({id, false});
  }
  return {};
}

sqlite::Result<std::vector<wire::ClientAddress>> Mailboxes::expire(std::int64_t kept_s,
                                                                   std::size_t limit) {
  // CROSS: by message, in their order.
  auto query = x_db->prepare(
      "SELECT message.id, kept_s, address FROM message CROSS JOIN account "
      "ON account.id = message.account ORDER BY message.id LIMIT ?");
  if (!query) return std::unexpected(query.error());
  std::vector<std::int64_t> ids;
  std::vector<wire::ClientAddress> whose;
  query->start(static_cast<std::int64_t>(limit));
  while (true) {
    auto row = query->next();
    if (!row) return std::unexpected(row.error());
    if (!*row) break;
    if (query->integer(1) >= kept_s || x_out.contains(query->integer(0))) continue;
    ids.push_back(query->integer(0));
    whose.push_back(Reader(query->blob(2)).array<32>());
  }
  for (const std::int64_t id : ids)
    if (auto done = x_remove.run(id); !done) return std::unexpected(done.error());
  return whose;
}

void Mailboxes::roll_back() {
  for (const Change& change : std::views::reverse(x_changes)) {
    if (change.went_out)
      x_out.erase(change.id);
    else
      x_out.insert(change.id);
  }
  x_changes.clear();
}

}  // namespace mix::store
