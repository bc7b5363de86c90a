// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/checker.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "src/prelude/check.h"

namespace lab::replay {
namespace {

using mix::sqlite::Database;

constexpr std::size_t kBlock = 1024, kMostBlocks = 8;
constexpr std::size_t kBefore = 10, kAfter = 5;

}  // namespace

/// Blocks of events, read ahead.
class Checker::Reader {
 public:
  explicit Reader(Database db) : x_db(std::move(db)) {}
  ~Reader() {
    {
      std::lock_guard lock(x_mutex);
      x_stop = true;
    }
    x_room.notify_one();
    if (x_thread.joinable()) x_thread.join();
  }

  std::expected<void, std::string> begin() {
    auto nodes = x_db.prepare("SELECT id, name FROM node");
    if (!nodes) return std::unexpected(nodes.error().text);
    nodes->start();
    while (true) {
      const auto row = nodes->next();
      if (!row) return std::unexpected(row.error().text);
      if (!*row) break;
      names[nodes->integer(0)] = nodes->text(1);
    }
    auto events = x_db.prepare(
        "SELECT seq, time_ns, coalesce(node, 0), kind, detail FROM event ORDER BY seq");
    if (!events) return std::unexpected(events.error().text);
    x_events.emplace(std::move(*events));
    x_events->start();
    x_thread = std::thread([this] { read(); });
    return {};
  }

  /// The next event; nullptr: no more, or `problem` says why.
  EventLine* next(std::string& problem) {
    if (x_at == x_now.size()) {
      std::unique_lock lock(x_mutex);
      x_there.wait(lock, [&] { return !x_blocks.empty() || x_ended; });
      if (x_blocks.empty()) {
        problem = x_problem;
        return nullptr;
      }
      x_now = std::move(x_blocks.front());
      x_blocks.pop_front();
      x_at = 0;
      x_room.notify_one();
    }
    return &x_now[x_at++];
  }

  std::map<std::int64_t, std::string> names;

 private:
  /// The thread. Nodes are kept as numbers here; their names are for people.
  void read() {
    while (true) {
      std::vector<EventLine> block;
      block.reserve(kBlock);
      bool more = true;
      std::string problem;
      while (block.size() < kBlock) {
        const auto row = x_events->next();
        if (!row) problem = row.error().text;
        more = row && *row;
        if (!more) break;
        const auto name = names.find(x_events->integer(2));
        block.push_back({x_events->integer(0), x_events->integer(1),
                         name == names.end() ? "" : name->second, x_events->text(3),
                         x_events->text(4)});
      }
      std::unique_lock lock(x_mutex);
      x_room.wait(lock, [&] { return x_stop || x_blocks.size() < kMostBlocks; });
      if (x_stop) return;
      if (!block.empty()) x_blocks.push_back(std::move(block));
      x_problem = problem;
      x_ended = !more;
      x_there.notify_one();
      if (x_ended) return;
    }
  }

  Database x_db;
  std::optional<mix::sqlite::Statement> x_events;
  std::vector<EventLine> x_now;
  std::size_t x_at = 0;
  std::mutex x_mutex;
  std::condition_variable x_there, x_room;
  std::deque<std::vector<EventLine>> x_blocks;
  std::string x_problem;
  bool x_ended = false, x_stop = false;
  std::thread x_thread;
};

Checker::Checker(std::unique_ptr<Reader> reader) : x_reader(std::move(reader)) {}
Checker::~Checker() = default;

std::expected<std::unique_ptr<Checker>, std::string> Checker::open(const std::string& path) {
  auto db = Database::open(path, Database::Mode::read_only);
  if (!db) return std::unexpected(path + ": " + db.error().text);
  auto reader = std::make_unique<Reader>(std::move(*db));
  if (auto begun = reader->begin(); !begun) return std::unexpected(path + ": " + begun.error());
  return std::unique_ptr<Checker>(new Checker(std::move(reader)));
}

EventLine Checker::line(const EventView& view) const {
  const auto name = x_reader->names.find(static_cast<std::int64_t>(index(view.node)));
  return {static_cast<std::int64_t>(view.sequence), ns(view.time),
          view.node == kNoNode || name == x_reader->names.end() ? "" : name->second,
          std::string(view.kind), detail_json(view)};
}

void Checker::event(mix::BytesView canonical) {
  if (!x_problem.empty()) return;
  const auto view = read_event(canonical);
  CHECK(view.has_value());
  EventLine seen = line(*view);
  if (x_difference) {
    if (x_difference->b && x_difference->after_b.size() < kAfter)
      x_difference->after_b.push_back(std::move(seen));
    return;
  }
  EventLine* recorded = x_reader->next(x_problem);
  if (!x_problem.empty()) return;
  if (recorded != nullptr && *recorded == seen) {
    ++x_equal;
    if (x_before.size() == kBefore) x_before.pop_front();
    x_before.push_back(std::move(*recorded));
    return;
  }
  Difference& out = x_difference.emplace();
  out.seq = seen.seq;
  if (recorded != nullptr) out.a = std::move(*recorded);
  out.b = std::move(seen);
  out.before.assign(x_before.begin(), x_before.end());
}

void Checker::finish() {
  if (!x_problem.empty()) return;
  if (!x_difference) {
    EventLine* recorded = x_reader->next(x_problem);
    if (recorded == nullptr) return;
    Difference& out = x_difference.emplace();
    out.seq = recorded->seq;
    out.a = std::move(*recorded);
    out.before.assign(x_before.begin(), x_before.end());
  }
  while (x_difference->a && x_difference->after_a.size() < kAfter) {
    std::string ignored;
    EventLine* recorded = x_reader->next(ignored);
    if (recorded == nullptr) return;
    x_difference->after_a.push_back(std::move(*recorded));
  }
}

}  // namespace lab::replay
