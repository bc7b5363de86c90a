// SPDX-License-Identifier: Apache-2.0
#include "harness/recorder/writer.h"

#include <condition_variable>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <mutex>
#include <thread>
#include <utility>

#include "harness/recorder/follower.h"
#include "harness/recorder/seal.h"
#include "harness/recorder/tables.h"

namespace lab::recorder {
namespace {

namespace fs = std::filesystem;
using mix::sqlite::Database;

std::string explain(const std::string& path, const mix::sqlite::Error& error) {
  return path + ": " + error.text;
}

}  // namespace

class Writer::Impl {
 public:
  Impl(std::string path, Database db) : x_path(std::move(path)), x_db(std::move(db)) {}

  explicit Impl(ChainWatch& watch) : x_follower(watch) {
    x_thread = std::thread([this] { work(); });
  }
  ~Impl() { join(); }

  std::expected<void, std::string> begin(const RunRow& run) {
    if (auto done = create_schema(*x_db, run.payload_full); !done)
      return std::unexpected(explain(x_path, done.error()));
    auto row = x_db->prepare(
        "INSERT INTO run (id, scenario, seed, clock, epoch, origin_ns, duration_ns, tool_version) "
        "VALUES (1, ?, ?, 'virtual', ?, 0, ?, ?)");
    if (!row) return std::unexpected(explain(x_path, row.error()));
    if (auto done = row->run(run.scenario, run.seed, run.epoch, run.duration_ns, run.tool_version);
        !done)
      return std::unexpected(explain(x_path, done.error()));
    auto indexes = put_off_indexes(*x_db);
    if (!indexes) return std::unexpected(explain(x_path, indexes.error()));
    x_indexes = std::move(*indexes);
    auto tables = Tables::open(*x_db, run.payload_full);
    if (!tables) return std::unexpected(explain(x_path, tables.error()));
    x_tables = std::move(*tables);
    x_thread = std::thread([this] { work(); });
    return {};
  }

  Slice keep(mix::BytesView bytes) {
    const std::size_t offset = x_filling.bytes.size();
    x_filling.bytes.insert(x_filling.bytes.end(), bytes.begin(), bytes.end());
    return {static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(bytes.size())};
  }

  void put(AnyRow row) {
    x_filling.rows.push_back(std::move(row));
    if (x_filling.rows.size() >= kBatchRows || x_filling.bytes.size() >= kBatchBytes) hand_over();
  }

  std::string chain() {
    hand_over();
    std::unique_lock lock(x_mutex);
    x_idle.wait(lock, [&] { return x_batches.empty() && !x_busy; });
    return x_follower ? x_follower->chain() : x_tables->chain();
  }

  std::expected<void, std::string> flush() {
    hand_over();
    std::unique_lock lock(x_mutex);
    x_idle.wait(lock, [&] { return x_batches.empty() && !x_busy; });
    if (!x_error.empty()) return std::unexpected(x_error);
    // The thread waits for the next batch: the database is ours.
    if (auto done = x_db->run(std::exchange(x_indexes, {})); !done)
      return std::unexpected(explain(x_path, done.error()));
    return {};
  }

  std::expected<void, std::string> seal(const std::string& chain, const std::string& manifest) {
    if (auto done = flush(); !done) return done;
    join();
    auto row = x_db->prepare("UPDATE run SET chain = ?, manifest = ? WHERE id = 1");
    if (!row) return std::unexpected(explain(x_path, row.error()));
    if (auto done = row->run(chain, manifest); !done)
      return std::unexpected(explain(x_path, done.error()));
    return {};
  }

  const std::string& path() const { return x_path; }

 private:
  void hand_over() {
    if (x_filling.rows.empty()) return;
    std::unique_lock lock(x_mutex);
    x_room.wait(lock, [&] { return x_batches.size() < kMostWaiting; });
    x_batches.push_back(std::exchange(x_filling, std::exchange(x_spare, {})));
    x_wake.notify_one();
  }

  void join() {
    if (!x_thread.joinable()) return;
    {
      std::lock_guard lock(x_mutex);
      x_stopping = true;
    }
    x_wake.notify_one();
    x_thread.join();
  }

  void work() {
    std::unique_lock lock(x_mutex);
    while (true) {
      x_wake.wait(lock, [&] { return x_stopping || !x_batches.empty(); });
      if (x_batches.empty()) return;
      Batch batch = std::move(x_batches.front());
      x_batches.pop_front();
      x_busy = true;
      const bool broken = !x_error.empty();
      lock.unlock();
      x_room.notify_one();
      std::string error;
      if (x_follower)
        x_follower->follow(batch);
      else if (!broken)
        if (auto done = x_tables->write(batch); !done) error = explain(x_path, done.error());
      batch.rows.clear();
      batch.bytes.clear();
      lock.lock();
      x_spare = std::move(batch);  // its memory is used again
      if (!error.empty()) x_error = error;
      x_busy = false;
      if (x_batches.empty()) x_idle.notify_all();
    }
  }

  const std::string x_path;
  std::optional<Database> x_db;
  std::unique_ptr<Tables> x_tables;
  std::optional<Follower> x_follower;  // instead of both
  Batch x_filling;
  std::string x_indexes;  // statements that make them, until flush()

  std::mutex x_mutex;
  std::condition_variable x_wake, x_room, x_idle;
  std::deque<Batch> x_batches;
  Batch x_spare;
  bool x_busy = false, x_stopping = false;
  std::string x_error;
  std::thread x_thread;
};

Writer::Writer(std::unique_ptr<Impl> impl) : x_impl(std::move(impl)) {}
Writer::~Writer() = default;

std::expected<std::unique_ptr<Writer>, std::string> Writer::create(const std::string& path,
                                                                   const RunRow& run) {
  const std::string incomplete = path + ".incomplete";
  std::error_code ignored;
  fs::remove(incomplete, ignored);
  if (const fs::path folder = fs::path(path).parent_path(); !folder.empty())
    fs::create_directories(folder, ignored);
  auto db = Database::open(incomplete, Database::Mode::create);
  if (!db) return std::unexpected(explain(incomplete, db.error()));
  auto impl = std::make_unique<Impl>(incomplete, std::move(*db));
  if (auto begun = impl->begin(run); !begun) return std::unexpected(begun.error());
  return std::unique_ptr<Writer>(new Writer(std::move(impl)));
}

std::unique_ptr<Writer> Writer::follow(ChainWatch& watch) {
  return std::unique_ptr<Writer>(new Writer(std::make_unique<Impl>(watch)));
}

Slice Writer::keep(mix::BytesView bytes) {
  return x_impl->keep(bytes);
}
std::string Writer::chain() {
  return x_impl->chain();
}
void Writer::put(AnyRow row) {
  x_impl->put(std::move(row));
}
std::expected<void, std::string> Writer::flush() {
  return x_impl->flush();
}
std::expected<void, std::string> Writer::seal(const std::string& chain,
                                              const std::string& manifest) {
  return x_impl->seal(chain, manifest);
}
const std::string& Writer::incomplete_path() const {
  return x_impl->path();
}

std::expected<void, std::string> publish(const std::string& incomplete, const std::string& path,
                                         const std::vector<VerdictRow>& verdicts,
                                         const std::string& verdict) {
  {
    auto db = Database::open(incomplete, Database::Mode::read_write);
    if (!db) return std::unexpected(explain(incomplete, db.error()));
    auto transaction = mix::sqlite::Transaction::begin(*db);
    if (!transaction) return std::unexpected(explain(incomplete, transaction.error()));
    auto row = db->prepare(
        "INSERT INTO expectation (that, mode, verdict, first_bad_event, detail) VALUES (?, ?, ?, "
        "?, ?)");
    auto run = db->prepare("UPDATE run SET verdict = ? WHERE id = 1");
    if (!row || !run) return std::unexpected(explain(incomplete, (row ? run : row).error()));
    for (const VerdictRow& v : verdicts)
      if (auto done = row->run(v.that, v.mode, v.verdict, v.first_bad_event, v.detail); !done)
        return std::unexpected(explain(incomplete, done.error()));
    if (auto done = run->run(verdict); !done)
      return std::unexpected(explain(incomplete, done.error()));
    if (auto done = transaction->commit(); !done)
      return std::unexpected(explain(incomplete, done.error()));
  }
  if (auto sealed = seal(incomplete); !sealed) return sealed;
  std::error_code error;
  fs::rename(incomplete, path, error);
  if (error) return std::unexpected(path + ": " + error.message());
  return {};
}

}  // namespace lab::recorder
