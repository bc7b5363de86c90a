// SPDX-License-Identifier: Apache-2.0
// A 64-byte TCP echo between two hosts: round trips per second of wall time beside the floor (two
// controller-node hand-overs, bare) and beside the same programs natively, all measured in one run,
// each several times in turn; medians. And what many nodes cost: start, memory.
//
//   bench_echo [rounds (50000)] [nodes (300)]
#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "harness/conformance/lab_run.h"

namespace {

using namespace lab::conformance;
using namespace std::chrono_literals;
using Seconds = std::chrono::duration<double>;

template <class Do>
double seconds(Do&& what) {
  const auto begin = std::chrono::steady_clock::now();
  what();
  return Seconds(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double> v) {
  std::ranges::sort(v);
  return v[v.size() / 2];
}

void pin(bool on) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int cpu = 0; cpu < (on ? 1 : 1024) && cpu < CPU_SETSIZE; ++cpu)
    CPU_SET(static_cast<std::size_t>(cpu), &set);
  ::sched_setaffinity(0, sizeof(set), &set);
}

struct alignas(64) Word {
  std::uint32_t value;
};

void wait_word(Word& w) {
  while (__atomic_exchange_n(&w.value, 0, __ATOMIC_ACQUIRE) != 1)
    ::syscall(SYS_futex, &w.value, FUTEX_WAIT, 0, nullptr, nullptr, 0);
}
void wake_word(Word& w) {
  __atomic_store_n(&w.value, 1, __ATOMIC_RELEASE);
  ::syscall(SYS_futex, &w.value, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

/// ctl -> A -> ctl -> B -> ctl, `rounds` times.
double floor_of(long rounds) {
  Word* words = static_cast<Word*>(
      ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  const sched_param batch{};
  ::sched_setscheduler(0, SCHED_BATCH, &batch);
  pid_t children[2];
  for (int i = 0; i < 2; ++i) {
    children[i] = ::fork();
    if (children[i] != 0) continue;
    for (long r = 0; r < rounds; ++r) {
      wait_word(words[i + 1]);
      wake_word(words[0]);
    }
    ::_exit(0);
  }
  const double time = seconds([&] {
    for (long r = 0; r < rounds; ++r)
      for (int i = 1; i <= 2; ++i) {
        wake_word(words[i]);
        wait_word(words[0]);
      }
  });
  for (const pid_t child : children)
    ::waitpid(child, nullptr, 0);
  ::munmap(words, 4096);
  return time;
}

double lab_echo(const std::vector<std::vector<std::string>>& programs, lab::Observer& observer) {
  PlainNetwork network(10us);
  lab::controller::Options options;
  options.shim = shim();
  options.pin_cpu = 0;
  auto made = lab::controller::Controller::create(options, network, observer);
  auto& x = **made;
  for (std::uint32_t i = 0; i < programs.size(); ++i) {
    (void)x.add_host({"h" + std::to_string(i), 0x0a000001 + i, {}, 0, {}, {}});
    lab::controller::ProgramSpec spec;
    spec.host = lab::HostId{i};
    spec.argv = programs[i];
    spec.folder = std::filesystem::temp_directory_path().string();
    spec.start = lab::at_ns(i * 1000);
    (void)x.add_program(spec);
  }
  (void)x.run_until(lab::at_ns(1500));  // the first has started
  return seconds([&] { (void)x.run_until(lab::kNever); });
}

bool g_missed = false;

void bound(const char* what, double seen, const char* relation, double limit) {
  const bool holds = relation[0] == '>' ? seen >= limit : seen < limit;
  g_missed = g_missed || !holds;
  std::printf("%-64s %6.2f  (%s %.2f)  %s\n", what, seen, relation, limit, holds ? "PASS" : "MISS");
}

void echo(long rounds) {
  const auto plain = [&](const char* ip, const char* port) {
    return std::vector<std::vector<std::string>>{
        {program("tcp_echo"), "server", port},
        {program("tcp_echo"), "client", ip, port, std::to_string(rounds), "64"}};
  };
  const auto many = [&](const char* ip, const char* port) {
    return std::vector<std::vector<std::string>>{
        {program("asio_echo"), "server", port, "16"},
        {program("asio_echo"), "client", ip, port, "16", std::to_string(rounds / 16), "64"}};
  };
  std::vector<double> floor, silent, digests, pinned, unpinned, lab16, native16;
  for (int run = 0; run < 5; ++run) {
    pin(true);
    floor.push_back(floor_of(rounds));
    lab::Observer nobody;
    silent.push_back(lab_echo(plain("10.0.0.1", "7000"), nobody));
    Keeper keeper;
    digests.push_back(lab_echo(plain("10.0.0.1", "7000"), keeper));
    lab16.push_back(lab_echo(many("10.0.0.1", "7000"), nobody));
    const std::string port = std::to_string(21000 + run);
    pinned.push_back(seconds([&] { (void)run_natively(plain("127.0.0.1", port.c_str())); }));
    const std::string other = std::to_string(21010 + run);
    native16.push_back(seconds([&] { (void)run_natively(many("127.0.0.1", other.c_str())); }));
    pin(false);
    const std::string third = std::to_string(21020 + run);
    unpinned.push_back(seconds([&] { (void)run_natively(plain("127.0.0.1", third.c_str())); }));
  }
  const double base = median(floor);
  const auto line = [&](const char* name, const std::vector<double>& v) {
    const double t = median(v);
    std::printf("%-44s %7.2f us  %8.0f /s  %5.2f of the floor's rate\n", name,
                t / static_cast<double>(rounds) * 1e6, static_cast<double>(rounds) / t, base / t);
  };
  line("floor: two hand-overs", floor);
  line("lab, nobody observes", silent);
  line("lab, inbox and outbox digested", digests);
  line("native, one CPU", pinned);
  line("native, free", unpinned);
  line("16 connections, lab", lab16);
  line("16 connections, native, one CPU", native16);
  bound("rate without an observer over the floor's", base / median(silent), ">=", 0.70);
  bound("rate with digests over the floor's", base / median(digests), ">=", 0.55);
  bound("16 connections: time over the native one on one CPU", median(lab16) / median(native16),
        "<", 1.0);
}

std::uint64_t rollup(pid_t pid, const std::string& key) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/smaps_rollup");
  for (std::string word; in >> word;)
    if (word == key) {
      std::uint64_t kib = 0;
      in >> kib;
      return kib;
    }
  return 0;
}

void many_nodes(std::uint32_t count) {
  PlainNetwork network(10ms);
  lab::Observer nobody;
  lab::controller::Options options;
  options.shim = shim();
  auto x = std::move(*lab::controller::Controller::create(options, network, nobody));
  for (std::uint32_t i = 0; i < count; ++i) {
    (void)x->add_host({"h" + std::to_string(i), 0x0a000001 + i, {}, 0, {}, {}});
    lab::controller::ProgramSpec spec;
    spec.host = lab::HostId{i};
    spec.argv = {program("asio_echo"), "server", "7000"};
    spec.folder = std::filesystem::temp_directory_path().string();
    spec.start = lab::at_ns(i * 1000);
    (void)x->add_program(spec);
  }
  const double start = seconds([&] { (void)x->run_until(lab::at_ns(1'000'000'000)); });
  std::ifstream children("/proc/self/task/" + std::to_string(::getpid()) + "/children");
  std::uint64_t dirty = 0, pss = 0, n = 0;
  for (pid_t pid = 0; children >> pid; ++n) {
    dirty = std::max(dirty, rollup(pid, "Private_Dirty:"));
    pss += rollup(pid, "Pss:");
  }
  std::printf(
      "%u small servers: %.2f ms each to start, at most %llu KiB private dirty, %llu KiB PSS on "
      "average\n",
      count, start * 1e3 / count, static_cast<unsigned long long>(dirty),
      static_cast<unsigned long long>(n > 0 ? pss / n : 0));
  bound("seconds to start them all", start, "<", 10);
  bound("MiB private dirty, the largest", static_cast<double>(dirty) / 1024, "<", 4);
  bound("MiB PSS on average", n > 0 ? static_cast<double>(pss) / static_cast<double>(n) / 1024 : 0,
        "<", 8);
}

}  // namespace

int main(int argc, char** argv) {
  echo(argc > 1 ? std::atol(argv[1]) : 50'000);
  many_nodes(argc > 2 ? static_cast<std::uint32_t>(std::atoi(argv[2])) : 300);
  return g_missed ? 1 : 0;
}
