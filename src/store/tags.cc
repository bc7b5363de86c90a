// SPDX-License-Identifier: Apache-2.0
#include "src/store/tags.h"

#include <string>

#include "src/prelude/cursor.h"

namespace mix::store {
namespace {

std::string table(int which) {
  return which == 0 ? "tag_0" : "tag_1";
}

}  // namespace

sqlite::Result<Tags> Tags::open(sqlite::Database& db, std::size_t per_generation) {
  State now;
  auto young = db.integer("SELECT young FROM tag_generation");
  if (!young) return std::unexpected(young.error());
  now.young = *young == 0 ? 0 : 1;
  auto size = db.integer("SELECT count(*) FROM " + table(now.young));
  if (!size) return std::unexpected(size.error());
  now.size = static_cast<std::uint64_t>(*size);
  auto insert_0 = db.prepare("INSERT INTO tag_0 (tag) VALUES (?)");
  if (!insert_0) return std::unexpected(insert_0.error());
  auto insert_1 = db.prepare("INSERT INTO tag_1 (tag) VALUES (?)");
  if (!insert_1) return std::unexpected(insert_1.error());
  return Tags(db, std::move(*insert_0), std::move(*insert_1), per_generation, now);
}

sqlite::Result<void> Tags::each(const std::function<void(const sphinx::Tag&)>& use) {
  for (const int which : {1 - x_now.young, x_now.young}) {
    auto query = x_db->prepare("SELECT tag FROM " + table(which) + " ORDER BY rowid");
    if (!query) return std::unexpected(query.error());
    while (true) {
      auto row = query->next();
      if (!row) return std::unexpected(row.error());
      if (!*row) break;
      use(Reader(query->blob(0)).array<16>());
    }
  }
  return {};
}

sqlite::Result<void> Tags::remember(const sphinx::Tag& tag) {
  if (x_now.size >= x_per_generation)
    if (auto done = change_generation(); !done) return done;
  ++x_now.size;
  return x_insert[x_now.young].run(tag);
}

sqlite::Result<void> Tags::change_generation() {
  x_now = {1 - x_now.young, 0, x_now.forgotten + 1};
  // Without a condition SQLite drops the pages at once, instead of the rows one by one.
  return x_db->run("DELETE FROM " + table(x_now.young) +
                   "; UPDATE tag_generation SET young = " + std::to_string(x_now.young));
}

}  // namespace mix::store
