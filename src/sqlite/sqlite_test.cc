// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

#include "src/sqlite/database.h"

namespace mix::sqlite {
namespace {

using Mode = Database::Mode;

struct Folder {
  Folder() {
    char name[] = "/tmp/mixlab-sqlite-XXXXXX";
    BOOST_REQUIRE(::mkdtemp(name));
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string file(const std::string& name) const { return path + "/" + name; }
  std::string path;
};

template <class T>
T good(Result<T> result) {
  BOOST_REQUIRE_MESSAGE(result, (result ? "" : result.error().text));
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

BOOST_AUTO_TEST_CASE(a_created_file_is_private_whatever_the_umask) {
  Folder folder;
  const mode_t before = ::umask(0);
  auto db = good(Database::open(folder.file("a"), Mode::create));
  good(db.run("PRAGMA journal_mode = WAL; CREATE TABLE t (a)"));
  ::umask(before);
  for (const char* name : {"a", "a-wal", "a-shm"}) {
    struct stat status{};
    BOOST_REQUIRE_EQUAL(::stat(folder.file(name).c_str(), &status), 0);
    BOOST_TEST((status.st_mode & 07777) == 0600, name);
  }
}

BOOST_AUTO_TEST_CASE(values_come_back_as_they_were_bound) {
  Folder folder;
  auto db = good(Database::open(folder.file("a"), Mode::create));
  good(db.run("CREATE TABLE t (a, b, c, d, e)"));
  auto insert = good(db.prepare("INSERT INTO t VALUES (?, ?, ?, ?, ?)"));
  const Bytes blob{0, 255, 0};
  good(insert.run(std::int64_t{-1} << 62, std::string_view("g\0h", 3), BytesView(blob),
                  std::optional<std::int64_t>{}, Bytes{}));
  BOOST_TEST(db.changes() == 1);
  auto query = good(db.prepare("SELECT a, b, c, d, e FROM t"));
  BOOST_REQUIRE(good(query.next()));
  BOOST_TEST(query.integer(0) == std::int64_t{-1} << 62);
  BOOST_TEST(query.text(1) == std::string("g\0h", 3));
  BOOST_TEST(equal(query.blob(2), blob));
  BOOST_TEST(query.is_null(3));
  BOOST_TEST(!query.is_null(4));
  BOOST_TEST(query.blob(4).empty());
  BOOST_TEST(!good(query.next()));
}

BOOST_AUTO_TEST_CASE(a_transaction_that_is_not_committed_never_was) {
  Folder folder;
  auto db = good(Database::open(folder.file("a"), Mode::create));
  good(db.run("CREATE TABLE t (a)"));
  {
    auto transaction = good(Transaction::begin(db));
    good(db.run("INSERT INTO t VALUES (1)"));
  }
  BOOST_TEST(good(db.integer("SELECT count(*) FROM t")) == 0);
  {
    auto transaction = good(Transaction::begin(db));
    good(db.run("INSERT INTO t VALUES (1)"));
    good(transaction.commit());
  }
  BOOST_TEST(good(db.integer("SELECT count(*) FROM t")) == 1);
}

BOOST_AUTO_TEST_CASE(what_goes_wrong_is_a_value_that_says_so) {
  Folder folder;
  BOOST_TEST(!Database::open(folder.file("none"), Mode::read_write));
  BOOST_TEST(!Database::open(folder.file("no/such/folder"), Mode::create));
  std::ofstream(folder.file("text"))
      << "this is no database, however long it may be: " << std::string(4096, 'x');
  auto text = good(Database::open(folder.file("text"), Mode::read_write));
  BOOST_TEST(!text.integer("SELECT count(*) FROM sqlite_schema"));

  auto one = good(Database::open(folder.file("a"), Mode::create));
  auto two = good(Database::open(folder.file("a"), Mode::read_write, 1ms));
  auto held = good(Transaction::begin(one));
  auto refused = Transaction::begin(two);
  BOOST_REQUIRE(!refused);
  BOOST_TEST(refused.error().busy());
  BOOST_TEST(!refused.error().disk_full());

  auto syntax = one.prepare("SELEC 1");
  BOOST_REQUIRE(!syntax);
  BOOST_TEST(syntax.error().text.find("SELEC") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_full_database_says_that_it_is_full) {
  Folder folder;
  auto db = good(Database::open(folder.file("a"), Mode::create));
  good(db.run("CREATE TABLE t (a); PRAGMA max_page_count = 4"));
  auto insert = good(db.prepare("INSERT INTO t VALUES (?)"));
  const auto done = insert.run(Bytes(100'000));
  BOOST_REQUIRE(!done);
  BOOST_TEST(done.error().disk_full());
}

}  // namespace
}  // namespace mix::sqlite
