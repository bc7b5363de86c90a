// SPDX-License-Identifier: Apache-2.0
// For benchmarks: one of the programs as a process with a core of its own, and what it costs.
// Threads: none of its own.
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <concepts>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "src/prelude/check.h"
#include "src/prelude/instant.h"

namespace mix::program {

/// The program under test has the first core, whoever feeds it the second.
inline constexpr int kNodeCore = 0, kBenchCore = 1;

/// On a machine with one core everything shares it.
inline void pin(int core, pid_t thread = 0) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(core), &set);
  ::sched_setaffinity(thread, sizeof set, &set);
}

inline Duration cpu_of(clockid_t clock) {
  timespec t{};
  CHECK(::clock_gettime(clock, &t) == 0);
  return std::chrono::seconds(t.tv_sec) + Duration(t.tv_nsec);
}

inline double per_second(std::size_t count, Duration time) {
  return static_cast<double>(count) / std::chrono::duration<double>(time).count();
}

/// Thrown where a loop that measures was ended by a signal: what it has so far says nothing.
struct Interrupted {
  int signal = 0;
  /// As a shell has it.
  int exit_status() const { return 128 + signal; }
};

/// Ends with this process.
class Process {
 public:
  Process() = default;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() { stop(); }

  /// Its first thread, and what that starts, is pinned; it says nothing. `inherit`, if not -1, is
  /// the only other descriptor it gets.
  void start(const std::string& program, std::vector<std::string> words, int inherit = -1) {
    words.insert(words.begin(), program);
    std::vector<char*> argv;
    for (std::string& word : words)
      argv.push_back(word.data());
    argv.push_back(nullptr);
    start([&] {
      const int null = ::open("/dev/null", O_WRONLY);
      ::dup2(null, STDOUT_FILENO);
      ::dup2(null, STDERR_FILENO);
      if (inherit >= 0) ::fcntl(inherit, F_SETFD, 0);
      ::execv(argv[0], argv.data());
    });
  }
  /// Runs it in a process forked from this one.
  template <class Run>
    requires std::invocable<Run>
  void start(Run run) {
    x_pid = ::fork();
    CHECK(x_pid >= 0);
    if (x_pid > 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    pin(kNodeCore);
    run();
    ::_exit(127);
  }
  void stop() {
    if (x_pid == 0) return;
    ::kill(x_pid, SIGTERM);
    ::waitpid(x_pid, nullptr, 0);
    x_pid = 0;
  }

  /// Lets threads that write to disks run on any core: the first one's is for packets.
  void free_other_threads() const {
    cpu_set_t all;
    CPU_ZERO(&all);
    for (unsigned core = 0; core < CPU_SETSIZE; ++core)
      CPU_SET(core, &all);
    const std::filesystem::path tasks = "/proc/" + std::to_string(x_pid) + "/task";
    for (const auto& task : std::filesystem::directory_iterator(tasks)) {
      const pid_t thread = std::stoi(task.path().filename().string());
      if (thread != x_pid) ::sched_setaffinity(thread, sizeof all, &all);
    }
  }
  /// Processor time of all its threads.
  Duration cpu() const {
    clockid_t clock{};
    CHECK(::clock_getcpuclockid(x_pid, &clock) == 0);
    return cpu_of(clock);
  }
  /// Of its first thread, the loop's.
  Duration loop_cpu() const {
    const std::string id = std::to_string(x_pid);
    std::ifstream file("/proc/" + id + "/task/" + id + "/schedstat");
    std::int64_t ns = 0;
    file >> ns;
    return Duration(ns);
  }
  /// A line of smaps_rollup: "Private_Dirty:", "Rss:".
  double mib(const char* what) const {
    std::ifstream file("/proc/" + std::to_string(x_pid) + "/smaps_rollup");
    for (std::string word; file >> word;)
      if (word == what) {
        double kib = 0;
        file >> kib;
        return kib / 1024;
      }
    return 0;
  }

 private:
  pid_t x_pid = 0;
};

}  // namespace mix::program
