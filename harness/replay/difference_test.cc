// SPDX-License-Identifier: Apache-2.0
// Finding where two recordings part, among many events, without reading them.
#include "harness/replay/difference.h"

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "harness/model/digest.h"

using namespace lab::replay;
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kEvents = 100'000, kEvery = 1000;

struct Folder {
  Folder() : path(fs::temp_directory_path() / ("mixlab-diff-" + std::to_string(::getpid()))) {
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
  fs::path path;
};

/// A recording of `count` events of three nodes, of which one may be another; checkpoints as the
/// lab makes them.
mix::sqlite::Database recording(const fs::path& file, std::int64_t count, std::int64_t other = -1,
                                const std::string& as = "") {
  fs::remove(file);
  auto db = mix::sqlite::Database::open(file.string(), mix::sqlite::Database::Mode::create);
  BOOST_REQUIRE(db.has_value());
  BOOST_REQUIRE(db->run("CREATE TABLE node (id INTEGER PRIMARY KEY, name TEXT);"
                        "INSERT INTO node VALUES (1, 'mix-0'), (2, 'mix-1'), (3, 'mix-2');"
                        "CREATE TABLE event (seq INTEGER PRIMARY KEY, time_ns, node, kind, detail);"
                        "CREATE TABLE checkpoint (seq INTEGER PRIMARY KEY, chain TEXT);"
                        "BEGIN")
                    .has_value());
  auto event = db->prepare("INSERT INTO event VALUES (?, ?, ?, ?, ?)");
  auto checkpoint = db->prepare("INSERT INTO checkpoint VALUES (?, ?)");
  lab::Hasher chain;
  const auto check = [&](std::int64_t seq) {
    lab::Digest digest;
    chain.digest(digest);
    BOOST_REQUIRE(checkpoint->run(seq, std::string_view(mix::to_hex(digest))).has_value());
  };
  for (std::int64_t seq = 0; seq < count; ++seq) {
    const std::string detail = seq == other ? as
                                            : R"({"inbox": ")" + std::to_string(seq * 7919) +
                                                  R"(", "calls": "00e800000001"})";
    const std::string kind = seq % 10 == 9 ? "network" : "activation";
    chain.add(mix::as_bytes(detail));
    BOOST_REQUIRE(
        event->run(seq, seq * 1000, 1 + seq % 3, std::string_view(kind), std::string_view(detail))
            .has_value());
    if ((seq + 1) % kEvery == 0) check(seq + 1);
  }
  if (count % kEvery != 0) check(count);
  BOOST_REQUIRE(db->run("COMMIT").has_value());
  return std::move(*db);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_planted_difference_is_found_without_reading_everything) {
  const Folder folder;
  auto a = recording(folder.path / "a", kEvents);
  for (const std::int64_t at : {std::int64_t{0}, std::int64_t{999}, std::int64_t{1000},
                                std::int64_t{61'803}, kEvents - 1}) {
    auto b =
        recording(folder.path / "b", kEvents, at, R"({"inbox": "x", "calls": "00e800000002"})");
    std::uint64_t rows = 0;
    const auto found = first_difference(a, b, {}, &rows);
    BOOST_REQUIRE(found.has_value());
    BOOST_REQUIRE(found->has_value());
    BOOST_TEST((*found)->seq == at);
    BOOST_TEST((*found)->before.size() == std::min<std::size_t>(10, static_cast<std::size_t>(at)));
    BOOST_TEST((*found)->after_a.size() ==
               std::min<std::size_t>(10, static_cast<std::size_t>(kEvents - 1 - at)));
    // One interval between checkpoints of both, its neighbours, and a few checkpoints.
    BOOST_TEST(rows < 2 * (kEvery + 256) + 600, rows);
  }
}

BOOST_AUTO_TEST_CASE(equal_recordings_have_no_difference_and_an_end_is_one) {
  const Folder folder;
  auto a = recording(folder.path / "a", 2500), same = recording(folder.path / "b", 2500);
  std::uint64_t rows = 0;
  const auto none = first_difference(a, same, {}, &rows);
  BOOST_REQUIRE(none.has_value());
  BOOST_TEST(!none->has_value());
  BOOST_TEST(rows < 100u);
  auto shorter = recording(folder.path / "c", 2400);
  const auto found = first_difference(a, shorter);
  BOOST_REQUIRE(found.has_value() && found->has_value());
  BOOST_TEST((*found)->seq == 2400);
  BOOST_TEST((*found)->a.has_value());
  BOOST_TEST(!(*found)->b.has_value());
}

BOOST_AUTO_TEST_CASE(a_filter_looks_past_what_it_leaves_out) {
  const Folder folder;
  auto a = recording(folder.path / "a", 3000);
  auto b =
      recording(folder.path / "b", 3000, 1501, R"({"inbox": "11886419", "calls": "00e800000002"})");
  BOOST_TEST(first_difference(a, b, {"mix-1", {}, {}})->has_value());  // 1501 % 3 == 1
  BOOST_TEST(!first_difference(a, b, {"mix-0", {}, {}})->has_value());
  BOOST_TEST(!first_difference(a, b, {"", {"network"}, {}})->has_value());
  BOOST_TEST(first_difference(a, b, {"", {"activation"}, {}})->has_value());
  BOOST_TEST(!first_difference(a, b, {"", {}, {"activation"}})->has_value());
  const auto other = first_difference(a, b, {"", {}, {"inbox"}});
  BOOST_REQUIRE(other->has_value());
  BOOST_TEST((**other).seq == 1501);
  BOOST_TEST(!first_difference(a, b, {"", {}, {"calls", "inbox"}})->has_value());
}

BOOST_AUTO_TEST_CASE(fields_that_differ_are_named_and_calls_are_spelt) {
  const EventLine a{7, 10, "mix-0", "activation", R"({"entropy": 3, "calls": "00e800000001"})"};
  EventLine b = a;
  BOOST_TEST(fields_that_differ(a, a).empty());
  b.detail = R"({"entropy": 3, "calls": "00e800000002"})";
  b.time_ns = 11;
  const auto found = fields_that_differ(a, b);
  BOOST_REQUIRE(found.size() == 2u);
  BOOST_TEST(found[0].field == "time");
  BOOST_TEST(found[1].field == "calls");
  BOOST_TEST(found[1].a == "epoll_wait 1");
  BOOST_TEST(found[1].b == "epoll_wait 2");
}

BOOST_AUTO_TEST_CASE(what_is_no_recording_is_an_error) {
  const Folder folder;
  auto a = recording(folder.path / "a", 10);
  auto b = mix::sqlite::Database::open((folder.path / "b").string(),
                                       mix::sqlite::Database::Mode::create);
  BOOST_TEST(!first_difference(a, *b).has_value());
}
