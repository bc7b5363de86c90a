// SPDX-License-Identifier: Apache-2.0
// lab-try: runs any dynamically linked programs in a plain lab (constant latency, no recording) and
// prints what they wrote. For trying a program before there is a scenario for it.
//
//   lab-try [--latency-us N] [--limit-s N] [--sud] [--no-interpose] [--randomize] [--plain-cpu]
//           [--no-chain] [--free-cpu] [--pass-unknown] [--memory] [--seed N]
//           HOST[@START_MS[+FD]] PROGRAM [ARG...] [-- HOST... PROGRAM ...]
//
// HOST n has the address 10.0.0.n. +FD: that descriptor takes bytes (for --record fd:FD).
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "harness/conformance/lab_run.h"
#include "harness/protocol/syscalls.h"

namespace {

using lab::conformance::Program;
using lab::conformance::Setup;

bool read_option(int argc, char** argv, int& i, Setup& setup) {
  const std::string name = argv[i];
  const auto number = [&] { return i + 1 < argc ? std::atoll(argv[++i]) : 0; };
  auto& o = setup.options;
  if (name == "--latency-us") {
    setup.latency = std::chrono::microseconds(number());
  } else if (name == "--limit-s") {
    setup.limit = std::chrono::seconds(number());
  } else if (name == "--seed") {
    setup.seed = static_cast<std::uint64_t>(number());
  } else if (name == "--sud") {
    o.trap = lab::controller::Trap::sud;
  } else if (name == "--no-interpose") {
    o.interpose = false;
  } else if (name == "--randomize") {
    o.randomize_addresses = true;
  } else if (name == "--plain-cpu") {
    o.cpu = lab::controller::Cpu::plain;
  } else if (name == "--no-chain") {
    o.chain_hand_over = o.look_ahead = false;
  } else if (name == "--free-cpu") {
    o.pin_cpu = -2;
  } else if (name == "--pass-unknown") {
    o.pass_unknown = true;
  } else if (name == "--memory") {
    setup.memory = true;
  } else {
    return false;
  }
  return true;
}

Program read_program(int argc, char** argv, int& i) {
  Program p;
  char* rest = argv[i];
  p.host = static_cast<int>(std::strtol(rest, &rest, 10));
  if (*rest == '@') p.start = std::chrono::milliseconds(std::strtol(rest + 1, &rest, 10));
  if (*rest == '+') p.outputs.push_back(static_cast<int>(std::strtol(rest + 1, &rest, 10)));
  for (++i; i < argc && std::strcmp(argv[i], "--") != 0; ++i)
    p.argv.emplace_back(argv[i]);
  ++i;
  return p;
}

void print_figures(const lab::conformance::Result& r, double wall_s) {
  std::printf("== activations %llu, wall %.3f s, virtual %.9f s\n",
              static_cast<unsigned long long>(r.kept.activations), wall_s,
              static_cast<double>(lab::ns(r.end)) / 1e9);
  for (std::size_t i = 0; i < r.figures.size(); ++i)
    std::printf(
        "== program %zu: %llu activations, %llu calls, %llu traps, %llu bytes of entropy, "
        "%llu clock steps\n",
        i, static_cast<unsigned long long>(r.figures[i].activations),
        static_cast<unsigned long long>(r.figures[i].calls),
        static_cast<unsigned long long>(r.figures[i].traps),
        static_cast<unsigned long long>(r.figures[i].entropy_drawn),
        static_cast<unsigned long long>(r.figures[i].steps));
  for (const auto& w : r.waiting)
    std::printf("== node %u thread %u waits in %s\n", lab::index(w.node), w.thread, w.call.c_str());
  std::printf("chain %s\n", r.kept.chain_hex().c_str());
}

}  // namespace

int main(int argc, char** argv) {
  Setup setup;
  int i = 1;
  while (i < argc && std::strncmp(argv[i], "--", 2) == 0) {
    if (!read_option(argc, argv, i, setup)) {
      std::fprintf(stderr, "lab-try: unknown option %s\n", argv[i]);
      return 2;
    }
    ++i;
  }
  while (i < argc)
    setup.programs.push_back(read_program(argc, argv, i));
  if (setup.programs.empty()) {
    std::fprintf(stderr,
                 "usage: lab-try [options] HOST[@START_MS[+FD]] PROGRAM [ARG...] [-- ...]\n");
    return 2;
  }
  // Like mixlab, the shim beside this very file, where there is one.
  const auto beside = std::filesystem::read_symlink("/proc/self/exe").parent_path() /
                      std::filesystem::path(lab::conformance::shim()).filename();
  if (std::filesystem::exists(beside)) setup.options.shim = beside.string();
  const auto begin = std::chrono::steady_clock::now();
  const auto r = lab::conformance::run_in_lab(setup);
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  for (std::uint32_t n = 0; n < setup.programs.size(); ++n) {
    std::printf("---- %s on host %d\n%s", setup.programs[n].argv[0].c_str(), setup.programs[n].host,
                r.text(n).c_str());
    if (const auto e = r.kept.err.find(n); e != r.kept.err.end())
      std::printf("---- stderr\n%s", e->second.c_str());
    if (const auto e = r.kept.record.find(n); e != r.kept.record.end())
      std::printf("---- %zu bytes of record\n", e->second.size());
  }
  for (const std::string& note : r.kept.notes)
    std::printf("note: %s\n", note.c_str());
  print_figures(r, wall.count());
  for (std::size_t n = 0; n < r.memory.size(); ++n)
    for (const auto& region : r.memory[n].regions)
      std::printf("memory %zu %s %s\n", n, mix::to_hex(region.digest).c_str(),
                  region.label.c_str());
  return r.stop ? 3 : 0;
}
