// SPDX-License-Identifier: Apache-2.0
#include "src/store/store.h"

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <iterator>
#include <mutex>
#include <thread>
#include <utility>

#include "src/prelude/check.h"
#include "src/prelude/log.h"
#include "src/store/tags.h"
#include "src/wire/limits.h"

namespace mix::store {
namespace {

constexpr std::string_view kSchema =
#include "src/store/schema.sql.inc"
    ;
constexpr std::string_view kDatedSchema =
#include "src/store/dated.sql.inc"
    ;
constexpr std::int64_t kDatedVersion = 2, kNewestVersion = 2;

sqlite::Error no_account() {
  return {0, "no such account"};
}

std::int64_t seconds(WallTime t) {
  return std::chrono::duration_cast<std::chrono::seconds>(t.time_since_epoch()).count();
}

sqlite::Result<void> date_messages(sqlite::Database& db, std::int64_t version, WallTime now) {
  if (version < kDatedVersion)
    if (auto done = db.run(std::string(kDatedSchema)); !done) return done;
  auto update = db.prepare("UPDATE message SET kept_s = ? WHERE kept_s IS NULL");
  if (!update) return std::unexpected(update.error());
  return update->run(seconds(now));
}

sqlite::Result<sqlite::Database> open_database(const std::string& path,
                                               std::optional<WallTime> dated) {
  auto db = sqlite::Database::open(path, sqlite::Database::Mode::create, 0ns);
  if (!db) return db;
  // Exclusive: one provider a folder, and no shared-memory file. FULL: what was answered survives a
  // loss of power too. Deleted messages are overwritten.
  if (auto done = db->run("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
                          "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON");
      !done)
    return std::unexpected(done.error());
  auto transaction = sqlite::Transaction::begin(*db);
  if (!transaction) return std::unexpected(transaction.error());
  auto version = db->integer("PRAGMA user_version");
  if (!version) return std::unexpected(version.error());
  if (*version == 0)
    if (auto done = db->run(std::string(kSchema)); !done) return std::unexpected(done.error());
  if (*version > kNewestVersion)
    return std::unexpected(sqlite::Error{0, "written by a newer version of this program"});
  if (dated)
    if (auto done = date_messages(db.value(), *version, *dated); !done)
      return std::unexpected(done.error());
  if (auto done = transaction->commit(); !done) return std::unexpected(done.error());
  return db;
}

/// The database with everything in it. It stays at its address: parts point to `db`.
struct Tables {
  sqlite::Database db;
  std::optional<Accounts> accounts;
  std::optional<Mailboxes> mailboxes;
  std::optional<Tags> tags;

  explicit Tables(sqlite::Database database) : db(std::move(database)) {}

  sqlite::Result<void> prepare(std::size_t tags_per_generation, bool dated) {
    auto a = Accounts::open(db);
    if (!a) return std::unexpected(a.error());
    auto m = Mailboxes::open(db, dated);
    if (!m) return std::unexpected(m.error());
    auto t = Tags::open(db, tags_per_generation);
    if (!t) return std::unexpected(t.error());
    accounts = std::move(*a);
    mailboxes = std::move(*m);
    tags = std::move(*t);
    return {};
  }
  void begin() {
    mailboxes->begin();
    tags->begin();
  }
  void roll_back() {
    mailboxes->roll_back();
    tags->roll_back();
  }
};

enum class Kind : std::uint8_t {
  reading,
  writing,
  deletion,  // has to be made some time: see Store::Impl::owed
};

/// One request. `work` may run again: alone, after a transaction that failed; and when it is owed.
struct Request {
  std::move_only_function<sqlite::Result<void>(Tables&)> work;
  std::move_only_function<void(sqlite::Result<void>)> done;
  Kind kind = Kind::writing;
};

sqlite::Result<void> run_in_transaction(Tables& tables, std::span<Request> requests) {
  auto transaction = sqlite::Transaction::begin(tables.db);
  if (!transaction) return std::unexpected(transaction.error());
  tables.begin();
  for (Request& request : requests)
    if (auto done = request.work(tables); !done) {
      tables.roll_back();
      return done;
    }
  auto done = transaction->commit();
  if (!done) tables.roll_back();
  return done;
}

}  // namespace

struct Store::Impl {
  Impl(std::unique_ptr<Tables> opened_tables, Opened found, Post to_loop)
      : tables(std::move(opened_tables)), opened(std::move(found)), post(std::move(to_loop)) {}

  void add(Request request) {
    CHECK(!stopping, "a request after close");
    ++queued;
    unflushed.push_back(std::move(request));
  }

  void flush() {
    if (unflushed.empty()) return;
    {
      const std::unique_lock lock(mutex);
      const bool knows = !requests.empty();  // the thread, already
      requests.insert(requests.end(), std::make_move_iterator(unflushed.begin()),
                      std::make_move_iterator(unflushed.end()));
      unflushed.clear();
      if (knows) return;
    }
    wake.notify_one();
  }

  void add_and_flush(Request request) {
    add(std::move(request));
    flush();
  }

  void work() {
    while (true) {
      std::vector<Request> batch;
      {
        std::unique_lock lock(mutex);
        wake.wait(lock, [&] { return stopping || !requests.empty(); });
        if (requests.empty()) break;
        batch.swap(requests);
      }
      answer(std::move(batch));
    }
    pay_owed();
  }

  void answer(std::vector<Request> batch) {
    auto results = carry_out(batch);
    bool written = false;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (results[i])
        written |= batch[i].kind != Kind::reading;
      else if (batch[i].kind == Kind::deletion && owed.size() < wire::kMaxOwedDeletions)
        owe(std::exchange(batch[i], {}), results[i].error());
    }
    // One turn of the loop for the whole batch.
    post([count = alive, answered = std::move(batch), results = std::move(results)]() mutable {
      for (std::size_t i = 0; i < answered.size(); ++i) {
        if (const auto waiting = count.lock()) --*waiting;
        if (answered[i].done) answered[i].done(std::move(results[i]));
      }
    });
    if (written) pay_owed();
  }

  std::vector<sqlite::Result<void>> carry_out(std::span<Request> batch) {
    std::vector<sqlite::Result<void>> results(batch.size());
    if (!run_in_transaction(*tables, batch))
      for (std::size_t i = 0; i < batch.size(); ++i)
        results[i] = run_in_transaction(*tables, batch.subspan(i, 1));
    return results;
  }

  void owe(Request deletion, const sqlite::Error& why) {
    owed.push_back(std::move(deletion));
    if (!std::exchange(owing_said, true))
      log::error("cannot delete mail that was fetched: ", why.text,
                 "; it is when there is room again (said once)");
  }

  /// In pieces, so that trying costs little while it fails.
  void pay_owed() {
    while (!owed.empty()) {
      const auto end =
          owed.begin() + static_cast<std::ptrdiff_t>(std::min(owed.size(), wire::kCommitPackets));
      if (!run_in_transaction(*tables, {owed.begin(), end})) return;
      post([paid =
                std::vector(std::move_iterator(owed.begin()), std::move_iterator(end))]() mutable {
        for (Request& request : paid)
          request.done({});
      });
      owed.erase(owed.begin(), end);
    }
  }

  std::unique_ptr<Tables> tables;  // the thread's while it runs
  Opened opened;
  Post post;
  std::shared_ptr<std::size_t> queued_count = std::make_shared<std::size_t>(0);
  std::weak_ptr<std::size_t> alive = queued_count;
  std::size_t& queued = *queued_count;  // the loop's
  std::vector<Request> unflushed;       // the loop's
  std::mutex mutex;
  std::condition_variable wake;
  std::vector<Request> requests;
  bool stopping = false;
  std::vector<Request> owed;  // the thread's: deletions that could not be made
  bool owing_said = false;    // the thread's
  std::thread thread;
};

std::expected<std::unique_ptr<Store>, std::string> Store::open(const std::string& folder,
                                                               std::size_t tags_per_generation,
                                                               ports::Entropy& entropy, Post post,
                                                               std::optional<WallTime> dated) {
  const std::string path = folder + "/provider.sqlite";
  const auto refuse = [&](const sqlite::Error& error) {
    return std::unexpected(path + ": " +
                           (error.busy() ? "in use by another provider" : error.text));
  };
  std::error_code failure;
  if (std::filesystem::create_directories(folder, failure))
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, failure);
  if (failure) return std::unexpected("cannot make " + folder + ": " + failure.message());

  auto db = open_database(path, dated);
  if (!db) return refuse(db.error());
  auto tables = std::make_unique<Tables>(std::move(*db));
  if (auto done = tables->prepare(tags_per_generation, dated.has_value()); !done)
    return refuse(done.error());
  auto keys = tables->accounts->keys(entropy);
  if (!keys) return refuse(keys.error());
  auto accounts = tables->accounts->all();
  if (!accounts) return refuse(accounts.error());
  std::vector<sphinx::Tag> tags;
  if (auto done = tables->tags->each([&](const sphinx::Tag& tag) { tags.push_back(tag); }); !done)
    return refuse(done.error());

  auto impl = std::make_unique<Impl>(
      std::move(tables), Opened{*keys, std::move(*accounts), std::move(tags)}, std::move(post));
  impl->thread = std::thread([raw = impl.get()] { raw->work(); });
  return std::unique_ptr<Store>(new Store(std::move(impl)));
}

Store::Store(std::unique_ptr<Impl> impl) : x(std::move(impl)) {}
Store::~Store() {
  close();
}

Store::Opened Store::take_opened() {
  return std::move(x->opened);
}

void Store::add_account(const wire::ClientAddress& address, Done<void> done) {
  x->add_and_flush(
      {[address](Tables& tables) { return tables.accounts->add(address); }, std::move(done)});
}

void Store::replace_account(const wire::ClientAddress& old, const wire::ClientAddress& address,
                            Done<void> done) {
  x->add_and_flush({[old, address](Tables& tables) {
                      auto gone = tables.accounts->remove(old);
                      return gone ? tables.accounts->add(address) : gone;
                    },
                    std::move(done)});
}

void Store::keep(const sphinx::Tag& tag, std::optional<Letter> letter, Done<void> done) {
  x->add({[tag, letter = std::move(letter)](Tables& tables) -> sqlite::Result<void> {
            if (auto kept = tables.tags->remember(tag); !kept || !letter) return kept;
            const auto account = tables.accounts->find(letter->to);
            if (!account) return std::unexpected(account.error());
            if (!*account) return std::unexpected(no_account());
            return tables.mailboxes->put(**account, letter->body, seconds(letter->kept));
          },
          std::move(done)});
}

void Store::offer(const wire::ClientAddress& to, std::size_t limit, Done<std::vector<Mail>> done) {
  auto found = std::make_shared<std::vector<Mail>>();
  x->add_and_flush({[to, limit, found](Tables& tables) -> sqlite::Result<void> {
                      const auto account = tables.accounts->find(to);
                      if (!account) return std::unexpected(account.error());
                      if (!*account) return std::unexpected(no_account());
                      auto mail = tables.mailboxes->offer(**account, limit);
                      if (!mail) return std::unexpected(mail.error());
                      *found = std::move(*mail);
                      return {};
                    },
                    [found, done = std::move(done)](sqlite::Result<void> result) mutable {
                      if (!result) return done(std::unexpected(result.error()));
                      done(std::move(*found));
                    },
                    Kind::reading});
}

void Store::settle(std::vector<std::int64_t> ids, bool arrived, Done<void> done) {
  const Kind kind = arrived && !ids.empty() ? Kind::deletion : Kind::reading;
  x->add_and_flush({[ids = std::move(ids), arrived](Tables& tables) {
                      return tables.mailboxes->settle(ids, arrived);
                    },
                    std::move(done), kind});
}

void Store::expire(WallTime before, std::size_t limit,
                   Done<std::vector<wire::ClientAddress>> done) {
  auto found = std::make_shared<std::vector<wire::ClientAddress>>();
  x->add_and_flush({[before, limit, found](Tables& tables) -> sqlite::Result<void> {
                      auto whose = tables.mailboxes->expire(seconds(before), limit);
                      if (!whose) return std::unexpected(whose.error());
                      *found = std::move(*whose);
                      return {};
                    },
                    [found, done = std::move(done)](sqlite::Result<void> result) mutable {
                      if (!result) return done(std::unexpected(result.error()));
                      done(std::move(*found));
                    }});
}

void Store::flush() {
  x->flush();
}

std::size_t Store::unflushed() const {
  return x->unflushed.size();
}

std::size_t Store::queued() const {
  return x->queued;
}

void Store::close() {
  if (!x->thread.joinable()) return;
  x->flush();
  {
    const std::unique_lock lock(x->mutex);
    x->stopping = true;
  }
  x->wake.notify_one();
  x->thread.join();
  x->tables.reset();
}

}  // namespace mix::store
