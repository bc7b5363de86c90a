// SPDX-License-Identifier: Apache-2.0
// ending HOW: the ways in which a program ends. What counts is the status that its parent sees.
#include <signal.h>
#include <sys/resource.h>

#include <stdexcept>
#include <thread>

#include "harness/conformance/programs/say.h"

namespace {

struct Static {
  ~Static() { say::line("static destroyed"); }
} at_the_end;

volatile int* nowhere = nullptr;
volatile int zero = 0;

/// Ends only when the stack does.
int recurse(int n) {
  if (n == 0x7fffffff) return 0;
  volatile char frame[4096];
  frame[0] = static_cast<char>(n);
  return recurse(n + 1) + frame[0];
}

}  // namespace

int main(int argc, char** argv) {
  const std::string how = argc > 1 ? argv[1] : "";
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  atexit([] { say::line("atexit"); });
  say::line("%s", how.c_str());
  if (how == "return") return 41;
  if (how == "exit") exit(42);
  if (how == "_exit") _exit(43);
  if (how == "quick_exit") quick_exit(44);
  if (how == "thread_exit") std::thread([] { exit(45); }).join();
  if (how == "large") exit(0x1ff);
  if (how == "main_thread_ends") {
    std::thread([] {
      usleep(5'000);
      say::line("the last thread");
    }).detach();
    pthread_exit(nullptr);
  }
  if (how == "main_thread_joined") {
    std::thread([main_thread = pthread_self()] {
      usleep(5'000);
      say::line("joined: %d", pthread_join(main_thread, nullptr));
    }).detach();
    pthread_exit(nullptr);
  }
  if (how == "abort") abort();
  if (how == "throw") throw std::runtime_error("nobody catches");
  if (how == "terminate") std::thread([] { throw 1; }).join();
  if (how == "segv") *nowhere = 1;
  if (how == "fpe") return 7 / zero;
  if (how == "ill") __builtin_trap();
  if (how == "overflow") return recurse(0);
  if (how == "raise_term") raise(SIGTERM);
  if (how == "raise_kill") raise(SIGKILL);
  if (how == "segv_handled") {
    signal(SIGSEGV, [](int) {
      say::line("handled");
      _exit(46);
    });
    *nowhere = 1;
  }
  if (how == "segv_raised") raise(SIGSEGV);
  return 64;
}
