// SPDX-License-Identifier: Apache-2.0
#include "src/record/schema.h"

#include <chrono>
#include <thread>

#include "src/record/hop.h"

namespace mix::record {

const std::string_view kSchema =
#include "src/record/schema.sql.inc"
    ;

namespace {

sqlite::Result<void> make(sqlite::Database& db, const ports::Clock& clock) {
  auto transaction = sqlite::Transaction::begin(db);
  if (!transaction) return std::unexpected(transaction.error());
  // Somebody else may have made it since we looked.
  auto version = db.integer("PRAGMA user_version");
  if (!version) return std::unexpected(version.error());
  if (*version != 0) return {};
  if (auto done = db.run(std::string(kSchema)); !done) return done;
  auto run = db.prepare(
      "INSERT INTO run (id, clock, epoch, origin_ns, tool_version) VALUES (1, 'wall', ?, ?, ?)");
  if (!run) return std::unexpected(run.error());
  if (auto done = run->run(to_text(clock.wall_now()), ns(clock.now()), kToolVersion); !done)
    return done;
  return transaction->commit();
}

sqlite::Result<sqlite::Database> open_or_make(const std::string& path, const ports::Clock& clock) {
  auto db = sqlite::Database::open(path, sqlite::Database::Mode::create);
  if (!db) return db;
  // The page size takes effect on an empty file only. Nothing is synced: a record outlives the
  // death of its programs, and need not outlive the machine's.
  if (auto done = db->run("PRAGMA page_size = 16384; PRAGMA journal_mode = WAL;"
                          "PRAGMA synchronous = OFF");
      !done)
    return std::unexpected(done.error());
  if (auto done = make(*db, clock); !done) return std::unexpected(done.error());
  return db;
}

}  // namespace

std::expected<sqlite::Database, std::string> open_recording(const std::string& path,
                                                            const ports::Clock& clock) {
  const auto refuse = [&](const std::string& why) {
    return std::unexpected("--record " + path + ": " + why);
  };
  auto db = open_or_make(path, clock);
  // Who turns a new file to WAL refuses others at once, whatever their busy time-out.
  const Instant give_up = clock.now() + std::chrono::seconds(5);
  while (!db && db.error().busy() && clock.now() < give_up) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    db = open_or_make(path, clock);
  }
  if (!db) return refuse(db.error().text);
  const auto version = db->integer("PRAGMA user_version");
  const auto origin = db->integer("SELECT origin_ns FROM run");
  if (!version || !origin) return refuse("not a recording");
  if (*version != kSchemaVersion)
    return refuse("a recording of version " + std::to_string(*version) + ", this program writes " +
                  std::to_string(kSchemaVersion));
  if (*origin > ns(clock.now()))
    return refuse("its run began before this machine was started; give another file");
  return std::move(*db);
}

}  // namespace mix::record
