// SPDX-License-Identifier: Apache-2.0
// SQLite in WAL mode: a writer thread, a reader beside it, a second connection's lock, a
// checkpoint.
#include <sqlite3.h>

#include <thread>

#include "harness/conformance/programs/say.h"

namespace {

using say::line;

void run(sqlite3* db, const char* sql) {
  char* error = nullptr;
  const int rc = sqlite3_exec(
      db, sql,
      [](void*, int n, char** values, char**) {
        std::string row;
        for (int i = 0; i < n; ++i)
          row += (i > 0 ? " | " : "") + std::string(values[i] != nullptr ? values[i] : "NULL");
        line("  %s", row.c_str());
        return 0;
      },
      nullptr, &error);
  line("%s: %d %s", sql, rc, error != nullptr ? error : "");
  sqlite3_free(error);
}

sqlite3* open_base(const char* name) {
  sqlite3* db = nullptr;
  line("open: %d", sqlite3_open(name, &db));
  return db;
}

}  // namespace

int main() {
  sqlite3* db = open_base("base.sqlite");
  run(db, "pragma journal_mode = wal");
  run(db, "pragma synchronous = normal");
  run(db, "create table t (id integer primary key, text)");
  std::thread writer([] {
    sqlite3* mine = open_base("base.sqlite");
    run(mine, "begin");
    for (int i = 0; i < 2000; ++i)
      sqlite3_exec(mine, "insert into t (text) values ('row')", nullptr, nullptr, nullptr);
    run(mine, "commit");
    sqlite3_close(mine);
  });
  writer.join();
  run(db, "select count(*), max(id) from t");
  sqlite3* other = open_base("base.sqlite");
  run(db, "begin immediate");
  run(other, "begin immediate");
  run(other, "select count(*) from t");
  run(db, "insert into t (text) values ('last')");
  run(db, "commit");
  run(other, "select count(*) from t");
  run(db, "pragma wal_checkpoint(truncate)");
  run(db, "pragma integrity_check");
  run(db, "select length(randomblob(16)), randomblob(16) = randomblob(16)");
  sqlite3_close(other);
  sqlite3_close(db);
  line("the log is gone: %d", access("base.sqlite-wal", F_OK) != 0);
}
