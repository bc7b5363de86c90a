// SPDX-License-Identifier: Apache-2.0
// For tests: a recording of a small mixnet made by hand. The writer and the recorder are the real
// ones, told by the test what the controller would tell them; the file lies in a folder of its own.
#pragma once

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <map>
#include <memory>

#include "harness/recorder/recorder.h"
#include "harness/scenario/parse.h"
#include "src/sqlite/database.h"

namespace lab::recorder {

/// The programs of `[mixnet]` with nothing else set, in its order.
enum Who : std::uint32_t { directory, mix0, mix1, mix2, provider, init, client };

struct TestRecording {
  explicit TestRecording(const char* scenario) {
    auto parsed = scenario::parse("test.toml", scenario);
    BOOST_REQUIRE_MESSAGE(parsed.has_value(), (parsed ? "" : parsed.error().front().text));
    plan = std::move(*parsed);
    static int runs = 0;
    folder = std::filesystem::temp_directory_path() /
             ("mixlab-test-" + std::to_string(::getpid()) + "-" + std::to_string(++runs));
    path = folder / "run.sqlite";
    auto made = Writer::create(
        path, {plan.canonical, 1, plan.epoch, plan.duration.count(), "test", plan.payload_full});
    BOOST_REQUIRE(made.has_value());
    writer = std::move(*made);
    recorder = std::make_unique<Recorder>(plan, *writer);
    for (std::uint32_t i = 0; i <= client; ++i)
      recorder->add_node(NodeId(i), i);
  }
  ~TestRecording() { std::filesystem::remove_all(folder); }
  TestRecording(const TestRecording&) = delete;
  TestRecording& operator=(const TestRecording&) = delete;

  /// What a program writes to its record.
  void record(Who who, const mix::record::Row& row) {
    using mix::record::kStreamMagic;
    mix::Bytes bytes;
    if (!opened[who]) bytes.assign(kStreamMagic.begin(), kStreamMagic.end());
    opened[who] = true;
    mix::record::append_row(bytes, row);
    recorder->record_bytes(now, NodeId(who), 3, bytes);
  }

  /// The run is over: the file as it is before it is settled, judged and given its name.
  mix::sqlite::Database file() {
    recorder->finish(now);
    const auto sealed = writer->seal(recorder->chain(), "{}");
    BOOST_REQUIRE_MESSAGE(sealed.has_value(), (sealed ? "" : sealed.error()));
    auto db = mix::sqlite::Database::open(writer->incomplete_path(),
                                          mix::sqlite::Database::Mode::read_write);
    BOOST_REQUIRE(db.has_value());
    return std::move(*db);
  }

  scenario::Plan plan;
  std::filesystem::path folder, path;
  std::unique_ptr<Writer> writer;
  std::unique_ptr<Recorder> recorder;
  std::map<Who, bool> opened;
  VirtualTime now = at_ns(1'000'000'000);
};

}  // namespace lab::recorder
