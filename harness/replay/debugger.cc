// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/debugger.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>

#include "harness/protocol/contract.h"
#include "harness/scenario/units.h"

namespace lab::replay {
namespace {

constexpr const char* kScript =
#include "harness/replay/debugger_gdb.py.inc"
    ;

/// A file that gdb can read by name and that is gone with us.
std::string write_script(int* fd) {
  *fd = ::memfd_create("mixlab-gdb.py", 0);
  if (*fd < 0) return {};
  if (::write(*fd, kScript, std::strlen(kScript)) < 0) return {};
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(*fd);
}

void set(const char* name, const std::string& value) {
  ::setenv(name, value.c_str(), 1);
}

}  // namespace

Debugger::~Debugger() {
  for (const int fd : {x_to, x_from, x_script_fd})
    if (fd >= 0) ::close(fd);
  if (x_pid <= 0) return;
  if (!x_left) ::kill(x_pid, SIGTERM);
  ::waitpid(x_pid, nullptr, 0);
}

std::expected<void, std::string> Debugger::begin(int pid, const std::string& shim, bool go) {
  int to_gdb[2], to_us[2], script_fd = -1;
  if (::pipe2(to_gdb, 0) != 0 || ::pipe2(to_us, 0) != 0)
    return std::unexpected(std::string("a pipe to gdb: ") + std::strerror(errno));
  const std::string script = write_script(&script_fd);
  if (script.empty()) return std::unexpected(std::string("gdb's script: ") + std::strerror(errno));
  ::fcntl(to_gdb[1], F_SETFD, FD_CLOEXEC);
  ::fcntl(to_us[0], F_SETFD, FD_CLOEXEC);
  ::signal(SIGINT, SIG_IGN);   // Ctrl-C is gdb's
  ::signal(SIGPIPE, SIG_IGN);  // it may be left at any time
  std::cout.flush();
  x_pid = ::fork();
  if (x_pid == 0) {
    ::signal(SIGINT, SIG_DFL);
    ::signal(SIGPIPE, SIG_DFL);
    ::prctl(PR_SET_TSC, PR_TSC_ENABLE);  // the controller's own flag would survive exec
    set("MIXLAB_GDB_IN", std::to_string(to_gdb[0]));
    set("MIXLAB_GDB_OUT", std::to_string(to_us[1]));
    set("MIXLAB_GDB_BUILD", std::filesystem::path(shim).parent_path().parent_path());
    set("MIXLAB_GDB_GO", go ? "1" : "0");
    // The program's loader knows the shim as /proc/self/fd/904: so may gdb.
    if (const int fd = ::open(shim.c_str(), O_RDONLY); fd >= 0 && fd != LAB_FD_SHIM)
      ::dup2(fd, LAB_FD_SHIM);
    const std::string process = std::to_string(pid);
    const std::string source = "python exec(open('" + script + "').read())";
    ::execlp("gdb", "gdb", "-q", "-iex", "set debuginfod enabled off", "-p", process.c_str(), "-ex",
             source.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(to_gdb[0]);
  ::close(to_us[1]);
  x_script_fd = script_fd;  // gdb opens it by our number
  x_to = to_gdb[1];
  x_from = to_us[0];
  if (x_pid < 0) return std::unexpected(std::string("gdb: ") + std::strerror(errno));
  return {};
}

bool Debugger::alive() {
  if (x_pid <= 0) return false;
  while (take_word(false)) {
  }
  if (x_left) return false;
  int status = 0;
  if (::waitpid(x_pid, &status, WNOHANG) != x_pid) return true;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
    std::cerr << "mixlab: there is no gdb on PATH\n";
  x_pid = 0;
  return false;
}

/// One line from gdb, if there is one (or with `wait`, when there is one). False: none.
bool Debugger::take_word(bool wait) {
  while (true) {
    if (const std::size_t end = x_heard.find('\n'); end != std::string::npos) {
      obey(x_heard.substr(0, end));
      x_heard.erase(0, end + 1);
      return true;
    }
    pollfd ready{x_from, POLLIN, 0};
    if (::poll(&ready, 1, wait ? -1 : 0) <= 0) return false;
    char text[256];
    const ssize_t n = ::read(x_from, text, sizeof text);
    if (n <= 0) return false;  // gdb was left
    x_heard.append(text, static_cast<std::size_t>(n));
  }
}

void Debugger::obey(const std::string& word) {
  if (word == "left") {  // it lets the program go before it ends itself
    x_left = true;
    return;
  }
  if (word == "go") {  // it runs; without another word, to the end
    if (x_goal == Goal::none) x_goal = Goal::end;
    return;
  }
  x_seq = -1;
  x_time = kNever;
  x_goal = word == "next" ? Goal::next : word == "packet" ? Goal::packet : Goal::end;
  if (!word.starts_with("until ")) return;
  x_goal = Goal::until;
  const std::string what = word.substr(6);
  if (what.find_first_not_of("0123456789") == std::string::npos) {
    x_seq = std::strtoll(what.c_str(), nullptr, 10);
  } else if (const auto time = scenario::read_duration(what)) {
    x_time = kStart + *time;
  } else {
    std::cerr << "mixlab: " << what << " is neither a time (\"12.5 s\") nor an event's number\n";
    x_goal = Goal::next;
  }
}

bool Debugger::stops_at(const Solo::Next& next) {
  while (take_word(x_goal == Goal::none)) {
  }
  bool stop = false;
  switch (x_goal) {
    case Goal::next:
      stop = true;
      break;
    case Goal::packet:
      stop = next.packet;
      break;
    case Goal::until:
      stop = next.time >= x_time || (x_seq >= 0 && next.seq >= x_seq);
      break;
    case Goal::none:
    case Goal::end:
      break;
  }
  return stop;
}

void Debugger::announce(const Solo::Next& next) {
  x_goal = Goal::end;  // unless something else is asked at this stop
  const std::string words =
      "event " + std::to_string(next.seq) + (next.packet ? ", a packet comes in\n" : "\n");
  (void)!::write(x_to, words.data(), words.size());
}

void Debugger::end(int pid, const std::string& why) {
  std::cout << why << std::endl;
  if (pid > 0 && alive()) ::kill(pid, SIGINT);  // gdb takes it, the program never sees it
  if (x_pid > 0) ::waitpid(x_pid, nullptr, 0);
  x_pid = 0;
}

}  // namespace lab::replay
