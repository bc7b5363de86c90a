// SPDX-License-Identifier: Apache-2.0
#include "src/program/program.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <utility>

#include "src/prelude/log.h"
#include "src/runtime/settings.h"
#include "src/topology/version.h"

namespace mix::program {
namespace {

runtime::Task<> start(Program& program, runtime::Loop& loop, record::HopLog& log, bool& open) {
  const std::string problem = co_await program.open(loop, log);
  open = problem.empty();
  if (open) co_return;
  mix::log::error(problem);
  loop.stop();
}

}  // namespace

int run(std::unique_ptr<Program> given, const std::string& record, std::uint64_t descriptors) {
  runtime::raise_descriptor_limit(descriptors);
  runtime::Loop loop;
  auto log = record::HopLog::open(
      record, loop, [&loop](std::function<void()> job) { loop.post(std::move(job)); });
  if (!log) {
    mix::log::error(log.error());
    return 1;
  }
  const auto program = std::move(given);  // goes before the loop and the record do
  bool open = false;
  loop.spawn(start(*program, loop, *log, open));
  loop.run();
  if (!open) return 1;
  program->finish();
  log->close();
  program->say_goodbye(log->lost());
  std::cout << "Refused: " << loop.refusals().to_text() << std::endl;
  return 0;
}

std::optional<int> read_command_line(const CommandLine& line, int argc, const char* const* argv) {
  CLI::App app(line.about, line.name);
  app.footer(line.footer);
  app.set_version_flag("--version", std::string(topology::kOurVersion));
  CLI::App* run_command = app.add_subcommand("run", "Start the node");
  line.add_flags(*run_command);
  run_command->footer(line.footer);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;  // --help is not a mistake
  }
  if (!run_command->parsed()) {
    std::cerr << app.help();
    return 1;
  }
  if (const std::string problem = line.problem(); !problem.empty()) {
    std::cerr << problem << "\nRun with --help for more information.\n";
    return 2;
  }
  return std::nullopt;
}

}  // namespace mix::program
