// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <iostream>

#include "harness/cli/commands.h"
#include "harness/cli/files.h"
#include "harness/cli/solo.h"
#include "harness/scenario/keys.h"

namespace {

constexpr const char* kAbout =
    "Runs unmodified mixnet programs under a seeded clock and a simulated network, records every "
    "hop, and says which "
    "packet broke which promise.";
constexpr const char* kFooter =
    "Exit status: 0 all expectations hold; 1 one failed, or two runs differ; 2 usage or scenario "
    "error; 3 the lab "
    "itself could not do its job; 4 inconclusive.\n"
    "A recording links senders to receivers: it is for test networks.";

/// What the scenario's own key `seed` takes as well.
std::string is_seed(const std::string& text) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (read.ec == std::errc{} && read.ptr == end && value <= INT64_MAX) return {};
  return "takes a whole number from 0 to " + std::to_string(INT64_MAX) + ", not '" + text + "'";
}

/// Of a word that is no command, CLI11 would only say that a command, or what it needs, is missing.
bool is_known(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands(nullptr))
    names.push_back(command->get_name());
  const bool option = word.starts_with("-");
  if (option ? app.get_option_no_throw(word) != nullptr
             : std::ranges::find(names, word) != names.end())
    return true;
  std::cerr << "mixlab: there is no " << (option ? "option" : "command") << " '" << word << "'"
            << (option ? " before a command" : "") << lab::scenario::suggestion(word, names)
            << "\nThe commands are";
  for (std::size_t i = 0; i < names.size(); ++i)
    std::cerr << (i == 0 ? " " : i + 1 < names.size() ? ", " : " and ") << names[i];
  std::cerr << "; " << lab::cli::called() << " --help says what each does.\n";
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace lab::cli;
  CLI::App app(kAbout, "mixlab");
  app.footer(kFooter);
  app.require_subcommand(1);
  app.set_version_flag("--version", kToolVersion);

  RunFlags flags;
  CLI::App* run_command = app.add_subcommand("run", "Run a scenario and judge it");
  run_command->add_option("SCENARIO", flags.scenario, "A scenario file (TOML)")->required();
  std::string seed;
  run_command
      ->add_option("--seed", seed,
                   "Everything left to chance follows from it (else the scenario's)")
      ->type_name("N")
      ->check(is_seed);
  run_command
      ->add_option("--out", flags.out,
                   "The recording (else results/<scenario>-<seed>-<chain>.sqlite)")
      ->type_name("FILE");
  run_command
      ->add_option("--set", flags.settings,
                   "Change a key: mixnet.width=3, link.default.latency=50 ms, at[0].t=5 s")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  auto* check_flag = run_command->add_flag(
      "--check", flags.check, "Run a second time in other surroundings, and compare the chains");
  run_command->add_flag("--quiet", flags.quiet, "Say only what failed");
  auto* run_json =
      run_command->add_flag("--json", flags.json, "Print the result as JSON, and nothing else");
  run_command->add_flag("--force", flags.force, "Overwrite an existing recording");
  run_command->add_flag("--memory", flags.keep_memory,
                        "Digest every node's memory at its end as well");
  run_command->add_option("--trap", flags.trap, "What catches system calls")
      ->check(CLI::IsMember({"seccomp", "sud"}))
      ->capture_default_str();
  run_command->add_option("--cpu", flags.cpu, "Whether CPUID and RDTSC are answered from a table")
      ->check(CLI::IsMember({"masked", "plain"}))
      ->capture_default_str();
  run_command->add_flag("--no-interpose", flags.no_interpose,
                        "Catch every call by the trap (slow; equal chain)");
  run_command->add_flag("--no-look-ahead", flags.no_look_ahead,
                        "Run every instant by itself (slow; equal chain)");
  run_command
      ->add_option("--until", flags.until,
                   "Stand still there and show every program: \"3 s\", 1042 (an event), "
                   "\"hop(packet=17, layer=2)\"")
      ->excludes(check_flag)
      ->excludes(run_json);
  run_command->add_flag("--second-look", flags.second_look)->group("");

  std::string scenario;
  std::vector<std::string> settings;
  bool reference = false, canonical = false;
  CLI::App* check_command = app.add_subcommand(
      "check", "Explain a scenario, and say what it names that is not there; run nothing");
  auto* file = check_command->add_option("SCENARIO", scenario, "A scenario file (TOML)");
  check_command->add_option("--set", settings, "As for run")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  check_command->add_flag("--reference", reference, "Print the reference of all keys");
  check_command->add_flag("--canonical", canonical,
                          "Print the canonical form, every default written out");

  std::string recording;
  bool json = false, calls = false;
  CLI::App* show_command = app.add_subcommand("show", "A recording on one screen");
  show_command->add_option("FILE", recording, "A recording")->required();
  show_command->add_flag("--json", json, "As JSON");
  std::int64_t packet = 0;
  CLI::App* trace_command = app.add_subcommand("trace", "One packet's life, hop by hop");
  trace_command->add_option("FILE", recording, "A recording")->required();
  trace_command->add_option("--packet", packet, "Its id in the view packet")->required();
  CLI::App* replay_command =
      app.add_subcommand("replay", "Have a recorded run again, and compare every event");
  ReplayFlags replay_flags;
  replay_command->add_option("FILE", replay_flags.file, "A recording")->required();
  replay_command->add_flag("--anyway", replay_flags.anyway,
                           "Although binaries, machine or the file itself are not as they were");
  replay_command->add_option("--until", replay_flags.until,
                             "As for run; with --node a time or an event");
  FullFlags full_flags;
  auto* full = replay_command
                   ->add_option("--full", full_flags.out,
                                "Record it anew in OUT, with the full payloads that --node needs")
                   ->type_name("OUT");
  replay_command->add_flag("--force", full_flags.force, "Overwrite what --full names")->needs(full);
  SoloFlags solo_flags;
  auto* node =
      replay_command
          ->add_option("--node", solo_flags.node,
                       "One program alone, fed from the recording (needs full payloads): mix-2")
          ->type_name("NAME");
  node->excludes(full);
  replay_command->add_flag("--gdb", solo_flags.gdb, "That program under gdb, in virtual time")
      ->needs(node);
  replay_command->add_option("--life", solo_flags.life, "Only its n-th life, if it was restarted")
      ->needs(node)
      ->check(CLI::PositiveNumber);
  CLI::App* pack_command = app.add_subcommand(
      "pack", "Put binaries and libraries of a run beside its recording, for a later replay");
  pack_command->add_option("FILE", recording, "A recording")->required();
  DiffFlags diff_flags;
  CLI::App* diff_command = app.add_subcommand("diff", "The first event where two recordings part");
  diff_command->add_option("A", diff_flags.a, "A recording")->required();
  diff_command->add_option("B", diff_flags.b, "Another")->required();
  diff_command->add_option("--node", diff_flags.node, "Only this program's events");
  diff_command->add_option("--kind", diff_flags.kinds,
                           "Only events of this kind: activation, network, ...");
  diff_command->add_option("--ignore", diff_flags.ignored,
                           "Leave out events of this kind, or this field: calls, time");
  diff_command->add_flag("--first", diff_flags.first,
                         "Only the event: not how they differ as wholes, which takes longer");
  diff_command->add_flag("--json", diff_flags.json, "As JSON");
  CLI::App* doctor_command =
      app.add_subcommand("doctor", "What this machine can and cannot make deterministic");
  doctor_command->add_flag("--calls", calls, "Every system call's policy and its reason");
  doctor_command->add_flag("--json", json, "As JSON");

  remember_call(argc > 0 ? argv[0] : nullptr);
  if (argc > 1 && !is_known(app, argv[1])) return kUsage;
  try {
    app.parse(argc, argv);
    if (*check_command && !reference && file->count() == 0) throw CLI::RequiredError("SCENARIO");
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kHolds : kUsage;
  }
  if (!seed.empty()) flags.seed = std::stoull(seed);
  if (*run_command) return run(flags);
  if (*check_command) return check(scenario, settings, reference, canonical);
  if (*show_command) return show(recording, json);
  if (*trace_command) return trace(recording, packet);
  if (*replay_command && *node) {
    solo_flags.file = replay_flags.file;
    solo_flags.until = replay_flags.until;
    solo_flags.anyway = replay_flags.anyway;
    return solo(solo_flags);
  }
  if (*replay_command && *full) {
    full_flags.file = replay_flags.file;
    full_flags.anyway = replay_flags.anyway;
    return record_in_full(full_flags);
  }
  if (*replay_command) return replay(replay_flags);
  if (*pack_command) return pack(recording);
  if (*diff_command) return diff(diff_flags);
  return doctor(calls, json);
}
