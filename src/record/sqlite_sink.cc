// SPDX-License-Identifier: Apache-2.0
#include "src/record/sqlite_sink.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "src/prelude/check.h"
#include "src/prelude/log.h"
#include "src/record/schema.h"

namespace mix::record {
namespace {

std::optional<std::string_view> name_of(const std::optional<DropReason>& reason) {
  if (!reason) return std::nullopt;
  return record::name_of(*reason);
}

/// Rows into tables, with the origin subtracted. On the writer's thread.
class Tables {
 public:
  static sqlite::Result<Tables> open(sqlite::Database db) {
    const auto origin = db.integer("SELECT origin_ns FROM run");
    if (!origin) return std::unexpected(origin.error());
    // The same program started again keeps its row; a client is its key, others their address.
    auto find = db.prepare(
        "SELECT id FROM node WHERE role = ?1 AND name = ?2 "
        "AND CASE ?1 WHEN 'client' THEN public_key = ?4 ELSE address = ?3 END");
    auto update = db.prepare("UPDATE node SET layer = ?, address = ?, public_key = ? WHERE id = ?");
    auto node = db.prepare(
        "INSERT INTO node (role, name, layer, address, public_key) VALUES (?, ?, ?, ?, ?)");
    auto made = db.prepare(
        "INSERT INTO made (node, created_ns, sent_ns, digest, class, recipient, first_address, "
        "reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    auto handled = db.prepare(
        "INSERT INTO handled (node, received_ns, digest_in, sent_ns, digest_out, next_address, "
        "delay_ns, verdict, reason) VALUES (?, ?, ?, ?, ?, nullif(?, ''), ?, ?, ?)");
    auto fetched = db.prepare(
        "INSERT INTO fetched (node, time_ns, digest, local_id, class) VALUES (?, ?, ?, ?, ?)");
    for (auto* statement : {&find, &update, &node, &made, &handled, &fetched})
      if (!*statement) return std::unexpected(statement->error());
    return Tables{std::move(db),    *origin,          std::move(*find),    std::move(*update),
                  std::move(*node), std::move(*made), std::move(*handled), std::move(*fetched)};
  }

  /// All of a batch or nothing of it. The program's own row comes first, and again after a batch
  /// that failed with it.
  sqlite::Result<void> write(const std::vector<Row>& rows) {
    auto done = write_all(rows);
    if (!done) x_id.reset();
    return done;
  }

 private:
  Tables(sqlite::Database db, std::int64_t origin_ns, sqlite::Statement find,
         sqlite::Statement update, sqlite::Statement node, sqlite::Statement made,
         sqlite::Statement handled, sqlite::Statement fetched)
      : x_db(std::move(db)),
        x_origin_ns(origin_ns),
        x_find(std::move(find)),
        x_update(std::move(update)),
        x_node(std::move(node)),
        x_made(std::move(made)),
        x_handled(std::move(handled)),
        x_fetched(std::move(fetched)) {}

  sqlite::Result<void> write_all(const std::vector<Row>& rows) {
    auto transaction = sqlite::Transaction::begin(x_db);
    if (!transaction) return std::unexpected(transaction.error());
    for (const Row& row : rows) {
      if (const auto* self = std::get_if<NodeRow>(&row)) {
        x_self = *self;
        x_id.reset();
      }
      if (auto done = register_self(); !done) return done;
      if (auto done = std::visit([&](const auto& r) { return insert(r); }, row); !done) return done;
    }
    return transaction->commit();
  }

  std::int64_t since_origin(std::int64_t t) const { return t - x_origin_ns; }
  std::optional<std::int64_t> since_origin(std::optional<std::int64_t> t) const {
    if (!t) return std::nullopt;
    return *t - x_origin_ns;
  }

  sqlite::Result<void> register_self() {
    CHECK(x_self, "a row before the program's own");
    if (x_id) return {};
    const NodeRow& row = *x_self;
    const std::string_view role = record::name_of(row.role);
    std::optional<std::int64_t> layer;
    if (row.layer) layer = *row.layer;
    x_find.start(role, row.name, row.address, row.public_key);
    const auto known = x_find.next();
    if (!known) return std::unexpected(known.error());
    if (*known) {
      x_id = x_find.integer(0);
      x_find.reset();
      return x_update.run(layer, row.address, row.public_key, x_id);
    }
    auto done = x_node.run(role, row.name, layer, row.address, row.public_key);
    x_id = x_db.last_insert_id();
    return done;
  }
  sqlite::Result<void> insert(const NodeRow&) { return {}; }
  sqlite::Result<void> insert(const MadeRow& row) {
    return x_made.run(x_id, since_origin(row.created_ns), since_origin(row.sent_ns), row.digest,
                      record::name_of(row.packet_class), row.recipient, row.first_address,
                      name_of(row.reason));
  }
  sqlite::Result<void> insert(const HandledRow& row) {
    return x_handled.run(x_id, since_origin(row.received_ns), row.digest_in,
                         since_origin(row.sent_ns), row.digest_out, row.next_address, row.delay_ns,
                         record::name_of(row.verdict), name_of(row.reason));
  }
  sqlite::Result<void> insert(const FetchedRow& row) {
    return x_fetched.run(x_id, since_origin(row.time_ns), row.digest, row.local_id,
                         record::name_of(row.packet_class));
  }

  sqlite::Database x_db;
  std::int64_t x_origin_ns;
  sqlite::Statement x_find, x_update, x_node, x_made, x_handled, x_fetched;
  std::optional<NodeRow> x_self;
  std::optional<std::int64_t> x_id;  // of the row of `node`
};

/// What the loop's thread and the writer share; it outlives the sink if the disk hangs at close.
struct Shared {
  std::mutex mutex;
  std::condition_variable wake, finished;
  std::vector<Row> rows;                 // handed over, not yet taken
  bool stopping = false;                 // by the sink
  bool done = false;                     // by the writer
  std::atomic<std::size_t> waiting = 0;  // rows put and not yet written
  std::atomic<std::uint64_t> lost = 0;
};

void write_rows(const std::shared_ptr<Shared>& shared, Tables tables, const std::string& path) {
  bool said = false;
  for (bool last = false; !last;) {
    std::vector<Row> batch;
    {
      std::unique_lock lock(shared->mutex);
      shared->wake.wait(lock, [&] { return shared->stopping || !shared->rows.empty(); });
      shared->wake.wait_for(lock, kBatchInterval,
                            [&] { return shared->stopping || shared->rows.size() >= kBatchRows; });
      last = shared->stopping;  // nothing is handed over after that
      batch.swap(shared->rows);
    }
    auto done = tables.write(batch);
    // Another program's transaction took longer than the busy time-out: ours can wait. (A close
    // that cannot leaves this thread to itself.)
    while (!done && done.error().busy())
      done = tables.write(batch);
    shared->waiting -= batch.size();
    if (done) continue;
    shared->lost += batch.size();
    if (!std::exchange(said, true))
      log::warn("record: cannot write to ", path, ": ", done.error().text,
                "; rows are lost until it can (said once)");
  }
}

class SqliteSink final : public Sink {
 public:
  SqliteSink(Tables tables, std::string path) : x_shared(std::make_shared<Shared>()) {
    x_thread =
        std::thread([shared = x_shared, path = std::move(path), t = std::move(tables)]() mutable {
          write_rows(shared, std::move(t), path);
          const std::unique_lock lock(shared->mutex);
          shared->done = true;
          shared->finished.notify_all();
        });
  }
  ~SqliteSink() override { close(); }

  void put(Row row) override {
    if (x_shared->waiting >= kMaxWaitingRows) {
      if (x_shared->lost++ == 0)
        log::warn("record: the disk is slower than the packets; some rows are lost (said once)");
      return;
    }
    ++x_shared->waiting;
    x_rows.push_back(std::move(row));
  }

  void flush() override {
    if (x_rows.empty()) return;
    bool wake = false;
    {
      const std::unique_lock lock(x_shared->mutex);
      std::vector<Row>& rows = x_shared->rows;
      const std::size_t before = rows.size();
      rows.insert(rows.end(), std::move_iterator(x_rows.begin()), std::move_iterator(x_rows.end()));
      wake = before == 0 || (before < kBatchRows && rows.size() >= kBatchRows);
    }
    x_rows.clear();
    if (wake) x_shared->wake.notify_one();
  }

  void close() override {
    if (!x_thread.joinable()) return;
    flush();
    std::unique_lock lock(x_shared->mutex);
    x_shared->stopping = true;
    x_shared->wake.notify_one();
    const bool done =
        x_shared->finished.wait_for(lock, kCloseTimeout, [&] { return x_shared->done; });
    lock.unlock();
    if (done) return x_thread.join();
    log::warn("record: the disk does not answer; what waits is lost");
    x_shared->lost += x_shared->waiting;
    x_thread.detach();
  }

  std::uint64_t lost() const override { return x_shared->lost; }

 private:
  std::shared_ptr<Shared> x_shared;
  std::vector<Row> x_rows;  // of this turn
  std::thread x_thread;
};

}  // namespace

std::expected<std::unique_ptr<Sink>, std::string> open_sqlite_sink(const std::string& path,
                                                                   const ports::Clock& clock) {
  auto db = open_recording(path, clock);
  if (!db) return std::unexpected(db.error());
  auto tables = Tables::open(std::move(*db));
  if (!tables) return std::unexpected("--record " + path + ": " + tables.error().text);
  return std::make_unique<SqliteSink>(std::move(*tables), path);
}

}  // namespace mix::record
