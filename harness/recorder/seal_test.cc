// SPDX-License-Identifier: Apache-2.0
// A seal holds for the very bytes it was put on, and for no others.
#include "harness/recorder/seal.h"

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

#include "src/sqlite/database.h"

using namespace lab::recorder;
namespace fs = std::filesystem;

namespace {

struct Sealed {
  Sealed() : path(fs::temp_directory_path() / ("mixlab-seal-" + std::to_string(::getpid()))) {
    fs::remove(path);
    auto db = mix::sqlite::Database::open(path.string(), mix::sqlite::Database::Mode::create);
    BOOST_REQUIRE(db.has_value());
    // Somebody's own line with the mark in it, in pages after the seal's.
    BOOST_REQUIRE(db->run("CREATE TABLE seal (mark BLOB NOT NULL); CREATE TABLE log (line TEXT);"
                          "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i "
                          "< 3000) INSERT INTO log SELECT 'mixlab-seal:' || i || "
                          "'00000000000000000000000000000000' FROM n")
                      .has_value());
  }
  ~Sealed() { fs::remove(path); }

  void flip(std::uintmax_t at) const {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const char byte = static_cast<char>(file.get());
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(byte ^ 1));
  }
  fs::path path;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_sealed_file_is_whole_and_its_rows_are_as_they_were) {
  const Sealed file;
  BOOST_TEST((check_seal(file.path.string()).error() == Broken::unsealed));
  BOOST_REQUIRE(seal(file.path.string()).has_value());
  BOOST_TEST(check_seal(file.path.string()).has_value());
  auto db = mix::sqlite::Database::open(file.path.string(), mix::sqlite::Database::Mode::read_only);
  BOOST_TEST(db->text("PRAGMA integrity_check").value() == "ok");
  BOOST_TEST(db->integer("SELECT count(*) FROM log WHERE line = 'mixlab-seal:' || rowid || "
                         "'00000000000000000000000000000000'")
                 .value() == 3000);
}

BOOST_AUTO_TEST_CASE(sealing_again_is_allowed_and_holds) {
  const Sealed file;
  BOOST_REQUIRE(seal(file.path.string()).has_value());
  BOOST_REQUIRE(seal(file.path.string()).has_value());
  BOOST_TEST(check_seal(file.path.string()).has_value());
}

BOOST_AUTO_TEST_CASE(a_flipped_bit_anywhere_breaks_it) {
  const Sealed file;
  BOOST_REQUIRE(seal(file.path.string()).has_value());
  const auto size = fs::file_size(file.path);
  for (std::uintmax_t at = 100; at < size; at += 997) {
    file.flip(at);
    BOOST_TEST(!check_seal(file.path.string()).has_value(), at);
    file.flip(at);
  }
  BOOST_TEST(check_seal(file.path.string()).has_value());
}

BOOST_AUTO_TEST_CASE(a_changed_row_and_a_missing_end_break_it) {
  const Sealed file;
  BOOST_REQUIRE(seal(file.path.string()).has_value());
  {
    auto db =
        mix::sqlite::Database::open(file.path.string(), mix::sqlite::Database::Mode::read_write);
    BOOST_REQUIRE(db->run("UPDATE log SET line = 'x' WHERE rowid = 7").has_value());
  }
  BOOST_TEST((check_seal(file.path.string()).error() == Broken::changed));
  BOOST_REQUIRE(seal(file.path.string()).has_value());
  fs::resize_file(file.path, fs::file_size(file.path) - 1);
  BOOST_TEST(!check_seal(file.path.string()).has_value());
  BOOST_TEST((check_seal("/nowhere/at/all").error() == Broken::unreadable));
}
