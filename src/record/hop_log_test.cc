// SPDX-License-Identifier: Apache-2.0
#include "src/record/hop_log.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "src/record/record_stream.h"
#include "src/record/schema.h"

namespace mix::record {
namespace {

struct Folder {
  Folder() {
    char name[] = "/tmp/mixlab-record-XXXXXX";
    BOOST_REQUIRE(::mkdtemp(name));
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string file(const std::string& name) const { return path + "/" + name; }
  std::string path;
};

HopLog opened(const std::string& spec, const ports::Clock& clock, HopLog::Defer defer = {}) {
  auto log = HopLog::open(spec, clock, std::move(defer));
  BOOST_REQUIRE_MESSAGE(log, (log ? "" : log.error()));
  return std::move(*log);
}
std::int64_t ask(const std::string& path, std::string_view sql) {
  auto db = sqlite::Database::open(path, sqlite::Database::Mode::read_write);
  BOOST_REQUIRE(db);
  const auto value = db->integer(sql);
  BOOST_REQUIRE_MESSAGE(value, (value ? "" : value.error().text));
  return *value;
}
NodeRow mix_row(const std::string& name) {
  return {name, Role::mix, 1, "127.0.0.1:1", "key"};
}
HandledRow dropped(std::int64_t t) {
  HandledRow row;
  row.received_ns = t;
  row.reason = DropReason::mac;
  return row;
}

BOOST_AUTO_TEST_CASE(a_log_of_nothing_takes_everything_and_is_off) {
  HopLog log;
  BOOST_TEST(!log.on());
  log.node(mix_row("a"));
  log.handled(dropped(1));
  log.flush();
  log.close();
  BOOST_TEST(log.lost() == 0u);
}

BOOST_AUTO_TEST_CASE(a_file_is_made_with_its_run_and_times_count_from_its_origin) {
  Folder folder;
  ports::ManualClock clock;
  clock.advance(1000s);
  HopLog log = opened(folder.file("r.sqlite"), clock);
  log.node(mix_row("a"));
  clock.advance(5ns);
  log.handled(dropped(ns(clock.now())));
  log.made({ns(clock.now()),
            std::nullopt,
            {},
            PacketClass::real,
            "r",
            "f",
            DropReason::peer_unreachable});
  log.fetched({ns(clock.now()), std::nullopt, 7, PacketClass::real});
  log.close();
  struct stat status{};
  BOOST_REQUIRE_EQUAL(::stat(folder.file("r.sqlite").c_str(), &status), 0);
  BOOST_TEST((status.st_mode & 07777) == 0600);
  const std::string file = folder.file("r.sqlite");
  BOOST_TEST(ask(file, "PRAGMA user_version") == 1);
  BOOST_TEST(ask(file, "PRAGMA page_size") == 16384);
  BOOST_TEST(ask(file,
                 "SELECT count(*) FROM run WHERE clock = 'wall' AND verdict IS NULL "
                 "AND epoch = '1970-01-01T00:16:40.000Z'") == 1);
  BOOST_TEST(ask(file, "SELECT received_ns FROM handled WHERE reason = 'mac'") == 5);
  BOOST_TEST(ask(file,
                 "SELECT count(*) FROM made WHERE sent_ns IS NULL AND created_ns = 5 "
                 "AND reason = 'peer_unreachable' AND length(digest) = 16") == 1);
  BOOST_TEST(ask(file, "SELECT local_id FROM fetched WHERE digest IS NULL") == 7);
}

BOOST_AUTO_TEST_CASE(a_program_started_again_keeps_its_row) {
  Folder folder;
  const ports::SystemClock clock;
  for (const char* key : {"old", "new"}) {
    HopLog log = opened(folder.file("r"), clock);
    NodeRow row = mix_row("a");
    row.public_key = key;
    log.node(row);
    log.handled(dropped(ns(clock.now())));
    log.close();
  }
  BOOST_TEST(ask(folder.file("r"), "SELECT count(*) FROM node WHERE public_key = 'new'") == 1);
  BOOST_TEST(ask(folder.file("r"), "SELECT count(*) FROM node") == 1);
  BOOST_TEST(ask(folder.file("r"), "SELECT count(*) FROM handled WHERE node = 1") == 2);
}

BOOST_AUTO_TEST_CASE(several_programs_make_and_write_one_file) {
  Folder folder;
  constexpr int kPrograms = 4, kRows = 5000;
  std::vector<pid_t> children;
  for (int i = 0; i < kPrograms; ++i) {
    const pid_t child = ::fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0) {
      const ports::SystemClock clock;
      auto log = HopLog::open(folder.file("r"), clock);
      if (!log) ::_exit(1);
      log->node(mix_row("mix-" + std::to_string(i)));
      for (int row = 0; row < kRows; ++row)
        log->handled(dropped(ns(clock.now())));
      log->close();
      ::_exit(log->lost() == 0 ? 0 : 2);
    }
    children.push_back(child);
  }
  for (pid_t child : children) {
    int status = 0;
    BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
    BOOST_TEST(WIFEXITED(status));
    BOOST_TEST(WEXITSTATUS(status) == 0);
  }
  BOOST_TEST(ask(folder.file("r"), "SELECT count(*) FROM run") == 1);
  BOOST_TEST(ask(folder.file("r"), "SELECT count(DISTINCT node) FROM handled") == kPrograms);
  BOOST_TEST(ask(folder.file("r"), "SELECT count(*) FROM handled") == kPrograms * kRows);
}

BOOST_AUTO_TEST_CASE(what_is_no_recording_is_refused_by_name) {
  Folder folder;
  const ports::SystemClock clock;
  std::ofstream(folder.file("text")) << std::string(5000, 'x');
  for (const std::string& spec :
       {folder.file("text"), folder.file("no/such/folder"), std::string("fd:"), std::string("fd:x"),
        std::string("fd:9999"), std::string("fd:-1")}) {
    const auto log = HopLog::open(spec, clock);
    BOOST_REQUIRE_MESSAGE(!log, spec);
    BOOST_TEST(log.error().starts_with("--record"), log.error());
  }
  ports::ManualClock before_boot;
  opened(folder.file("r"), clock).close();
  BOOST_TEST(!HopLog::open(folder.file("r"), before_boot));
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_survived_and_counted) {
  Folder folder;
  const pid_t child = ::fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const ports::SystemClock clock;
    HopLog log = opened(folder.file("r"), clock);
    log.node(mix_row("a"));
    const rlimit small{400'000, 400'000};  // the journal cannot grow beyond
    ::setrlimit(RLIMIT_FSIZE, &small);
    for (int i = 0; i < 20'000; ++i)
      log.handled(dropped(ns(clock.now())));
    while (log.lost() == 0)
      ::sched_yield();
    ::_exit(0);
  }
  int status = 0;
  BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
  BOOST_TEST(WIFEXITED(status));
}

struct Pair {
  Pair() { BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) == 0); }
  ~Pair() { ::close(fds[0]); }
  Bytes read() {
    Bytes bytes(1 << 20);
    const ssize_t n = ::recv(fds[0], bytes.data(), bytes.size(), MSG_DONTWAIT);
    bytes.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
    return bytes;
  }
  int fds[2];
};

BOOST_AUTO_TEST_CASE(the_rows_of_a_turn_are_one_write) {
  Pair pair;
  const ports::SystemClock clock;
  std::vector<std::function<void()>> posted;
  HopLog log = opened("fd:" + std::to_string(pair.fds[1]), clock,
                      [&](std::function<void()> f) { posted.push_back(std::move(f)); });
  log.node(mix_row("a"));
  log.handled(dropped(1));
  log.handled(dropped(2));
  BOOST_TEST(pair.read().empty());
  BOOST_REQUIRE(posted.size() == 1u);
  posted[0]();
  RowDecoder decoder;
  decoder.feed(pair.read());  // one read of a SEQPACKET socket is one write
  BOOST_TEST(pair.read().empty());
  BOOST_TEST((*decoder.next() == Row(mix_row("a"))));
  BOOST_TEST((*decoder.next() == Row(dropped(1))));
  BOOST_TEST((*decoder.next() == Row(dropped(2))));
  BOOST_TEST(!*decoder.next());
  log.handled(dropped(3));
  BOOST_REQUIRE(posted.size() == 2u);
  log.close();
  posted[1]();  // late: nothing happens
  decoder.feed(pair.read());
  BOOST_TEST((*decoder.next() == Row(dropped(3))));
}

BOOST_AUTO_TEST_CASE(a_reader_that_sleeps_delays_nobody_and_loses_only_what_is_beyond_the_bound) {
  int fds[2];
  BOOST_REQUIRE(::pipe(fds) == 0);
  const ports::SystemClock clock;
  HopLog log = opened("fd:" + std::to_string(fds[1]), clock);
  log.node(mix_row("a"));
  constexpr int kRows = 300'000;  // far more than pipe and memory take
  for (int i = 0; i < kRows; ++i)
    log.handled(dropped(i));
  const std::uint64_t lost = log.lost();
  BOOST_TEST(lost > 0u);
  BOOST_TEST(lost < static_cast<std::uint64_t>(kRows));

  // Everything that was not counted as lost arrives, in order.
  const pid_t child = ::fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0) {
    ::close(fds[1]);
    RowDecoder decoder;
    std::uint64_t rows = 0;
    std::int64_t last = -1;
    Bytes bytes(1 << 16);
    for (ssize_t n; (n = ::read(fds[0], bytes.data(), bytes.size())) > 0;) {
      decoder.feed(BytesView(bytes).first(static_cast<std::size_t>(n)));
      while (true) {
        auto row = decoder.next();
        if (!row) ::_exit(1);
        if (!*row) break;
        if (const auto* handled = std::get_if<HandledRow>(&**row)) {
          if (handled->received_ns <= last) ::_exit(2);
          last = handled->received_ns;
          ++rows;
        }
      }
    }
    ::_exit(rows + lost == kRows ? 0 : 3);
  }
  ::close(fds[0]);
  log.close();
  int status = 0;
  BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
  BOOST_REQUIRE(WIFEXITED(status));
  BOOST_TEST(WEXITSTATUS(status) == 0);
}

BOOST_AUTO_TEST_CASE(a_reader_that_is_gone_is_said_and_survived) {
  ::signal(SIGPIPE, SIG_IGN);  // as every program's main does
  int fds[2];
  BOOST_REQUIRE(::pipe(fds) == 0);
  const ports::SystemClock clock;
  HopLog log = opened("fd:" + std::to_string(fds[1]), clock);
  ::close(fds[0]);
  log.node(mix_row("a"));
  log.handled(dropped(1));
  BOOST_TEST(log.lost() > 0u);
  log.close();
  BOOST_TEST(log.lost() > 0u);
}

}  // namespace
}  // namespace mix::record
