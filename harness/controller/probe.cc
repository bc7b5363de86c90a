// SPDX-License-Identifier: Apache-2.0
// What this machine can close, asked by trying, in children where trying has consequences.
#include <asm/prctl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/controller/controller.h"
#include "harness/controller/cpu_mask.h"

namespace lab::controller {
namespace {

/// Exit status 0 of a child that tried.
template <class Try>
bool in_child(Try&& attempt) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(attempt() ? 0 : 1);
  int status = 0;
  return pid > 0 && ::waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
         WEXITSTATUS(status) == 0;
}

bool can_dispatch() {
  return ::prctl(59 /* PR_SET_SYSCALL_USER_DISPATCH */, 0, 0, 0, 0) == 0;
}

bool can_filter() {
  std::uint32_t action = SECCOMP_RET_TRAP;
  return ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

}  // namespace

std::vector<Ability> probe_machine() {
  std::vector<Ability> out;
  const auto add = [&](std::string name, bool can, std::string with, std::string without) {
    out.push_back({std::move(name), can, can ? std::move(with) : std::move(without)});
  };
  utsname u{};
  ::uname(&u);
  add("kernel", true, std::string(u.sysname) + " " + u.release + " " + u.machine, "");
  add("seccomp trap", in_child(can_filter), "every system call outside the shim is caught",
      "no run is possible with the default trap");
  add("syscall user dispatch", in_child(can_dispatch), "the second trap is available",
      "only the seccomp trap is available");
  add("address layout", in_child([] { return ::personality(ADDR_NO_RANDOMIZE) != -1; }),
      "address randomisation can be switched off for nodes",
      "refused (a container's profile?): addresses differ between runs");
  add("ptrace at exec", in_child([] { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0; }),
      "AT_RANDOM is set and the vDSO hidden before the first instruction",
      "refused: nodes cannot be started");
  add("rdtsc faulting", in_child([] { return ::prctl(PR_SET_TSC, PR_TSC_SIGSEGV) == 0; }),
      "RDTSC counts virtual time", "RDTSC shows the machine");
  add("cpuid faulting", cpuid_can_fault(), "CPUID answers from the lab's table",
      "CPUID, and what libraries choose by it, is this machine's: in the manifest. It tells which "
      "CPU runs the program, and that is not covered then");
  add("random_device", true,
      "std::random_device draws from the node's stream; only a program that carries libstdc++ "
      "within "
      "itself (-static-libstdc++) takes RDRAND where CPUID does not fault",
      "");
  // Rows of the checklist that nothing here can close: a run says so in its manifest.
  const auto open = [&](std::string name, std::string why) {
    out.push_back({std::move(name), false, std::move(why)});
  };
  open("rdrand without cpuid",
       "RDRAND and RDSEED cannot be trapped: a program that executes them unasked is not covered; "
       "the memory digest sees it");
  open("cpu number without cpuid",
       "RDPID, and LSL of the segment 0x7b, cannot be trapped: a program that reads the number of "
       "its CPU so is covered on that CPU only; a run has one");
  open(
      "another processor",
      "where CPUID faults, TSX and AVX-512 are masked and libm and libc choose by the lab's table; "
      "no test runs on two processors, and a program that uses these instructions "
      "unasked is not covered");
  open(
      "another kernel",
      "the auxiliary vector's length is the kernel's: addresses of the stack repeat for one kernel "
      "release; chains of programs that show no address do not depend on it");
  open("files outside",
       "users, hosts, locales and time zones are read from this machine's files: they repeat while "
       "those do; each is in the manifest with its sum");
  cpu_set_t set;
  const int cpus = ::sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 0;
  add("cpus", cpus > 0, std::to_string(cpus) + " usable; a run uses one", "unknown");
  return out;
}

}  // namespace lab::controller
