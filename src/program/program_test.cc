// SPDX-License-Identifier: Apache-2.0
#include "src/program/program.h"

#include <CLI/CLI.hpp>
#include <array>
#include <boost/test/unit_test.hpp>
#include <vector>

using namespace mix;
using namespace mix::program;

namespace {

/// A program that writes down what happens to it, and stops at once.
class Diary final : public Program {
 public:
  Diary(std::vector<std::string>& lines, std::string problem)
      : x_lines(lines), x_problem(std::move(problem)) {}
  ~Diary() override {
    // What a node does at its end: it needs the loop still.
    if (x_loop) x_lines.push_back(x_loop->now() > Instant::min() ? "gone" : "");
  }
  runtime::Task<std::string> open(runtime::Loop& loop, record::HopLog& log) override {
    x_loop = &loop;
    x_lines.emplace_back(log.on() ? "open, recorded" : "open");
    if (x_problem.empty()) loop.stop();
    co_return x_problem;
  }
  void finish() override { x_lines.emplace_back("finish"); }
  void say_goodbye(std::uint64_t unrecorded) override {
    x_lines.push_back("goodbye " + std::to_string(unrecorded));
  }

 private:
  std::vector<std::string>& x_lines;
  std::string x_problem;
  runtime::Loop* x_loop = nullptr;
};

std::optional<int> read(std::vector<const char*> words, unsigned& layer, std::string problem = {}) {
  words.insert(words.begin(), "nym-test");
  const CommandLine line{
      .name = "nym-test",
      .about = "A test.",
      .footer = "",
      .add_flags = [&](CLI::App& run) { run.add_option("--layer", layer, "Which")->required(); },
      .problem = [&] { return problem; }};
  return read_command_line(line, static_cast<int>(words.size()), words.data());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(programs)

BOOST_AUTO_TEST_CASE(a_program_opens_finishes_and_goes_before_its_loop) {
  std::vector<std::string> lines;
  BOOST_TEST(run(std::make_unique<Diary>(lines, ""), "", 64) == 0);
  const std::vector<std::string> expected{"open", "finish", "goodbye 0", "gone"};
  BOOST_TEST(lines == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_cannot_start_ends_with_1_and_is_not_finished) {
  std::vector<std::string> lines;
  BOOST_TEST(run(std::make_unique<Diary>(lines, "the port is taken"), "", 64) == 1);
  const std::vector<std::string> expected{"open", "gone"};
  BOOST_TEST(lines == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_record_that_cannot_be_written_stops_the_start) {
  std::vector<std::string> lines;
  BOOST_TEST(run(std::make_unique<Diary>(lines, ""), "no/such/folder/x.sqlite", 64) == 1);
  BOOST_TEST(lines.empty());
}

BOOST_AUTO_TEST_CASE(flags_are_read_and_mistakes_have_their_status) {
  unsigned layer = 0;
  BOOST_TEST(!read({"run", "--layer", "3"}, layer).has_value());
  BOOST_TEST(layer == 3u);
  BOOST_TEST(read({}, layer).value() == 1);
  BOOST_TEST(read({"--help"}, layer).value() == 0);
  BOOST_TEST(read({"run", "--help"}, layer).value() == 0);
  BOOST_TEST(read({"run"}, layer).value() == 2);
  BOOST_TEST(read({"run", "--layer", "x"}, layer).value() == 2);
  BOOST_TEST(read({"run", "--layer", "1", "--unknown"}, layer).value() == 2);
  BOOST_TEST(read({"run", "--layer", "1"}, layer, "not together").value() == 2);
}

BOOST_AUTO_TEST_SUITE_END()
