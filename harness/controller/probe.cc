// SPDX-License-Identifier: Apache-2.0
// What this machine can close, asked by trying, in children where trying has consequences.
#include <asm/prctl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "harness/controller/child.h"
#include "harness/controller/controller.h"
#include "harness/controller/cpu_mask.h"
#include "harness/controller/impl.h"

namespace lab::controller {
namespace {

/// Exit status 0 of a child that tried.
template <class Try>
bool in_child(Try&& attempt) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(attempt() ? 0 : 1);
  int status = 0;
  return pid > 0 && wait_child(pid, &status) && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool can_dispatch() {
  return ::prctl(59 /* PR_SET_SYSCALL_USER_DISPATCH */, 0, 0, 0, 0) == 0;
}

bool can_close_vdso() {
  const std::uint64_t at = ::getauxval(AT_SYSINFO_EHDR);
  const VdsoPages pages = vdso_pages();
  return at == 0 ||
         ::mprotect(reinterpret_cast<void*>(at - pages.before), pages.size, PROT_NONE) == 0;
}

/// Who was started without randomisation needs nobody's leave.
bool can_fix_layout() {
  return ::personality(ADDR_NO_RANDOMIZE) != -1 ||
         (::personality(0xffffffff) & ADDR_NO_RANDOMIZE) != 0;
}

bool can_filter() {
  std::uint32_t action = SECCOMP_RET_TRAP;
  return ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

}  // namespace

bool addresses_stay_random() {
  return !in_child(can_fix_layout);
}

std::vector<Ability> probe_machine() {
  std::vector<Ability> out;
  const auto add = [&](std::string name, bool can, std::string with, std::string without = {},
                       std::string advice = {}) {
    out.push_back({std::move(name), can, can ? std::move(with) : std::move(without),
                   can ? std::string() : std::move(advice)});
  };
  utsname u{};
  ::uname(&u);
  add("kernel", true, std::string(u.sysname) + " " + u.release + " " + u.machine);
  add("seccomp trap", in_child(can_filter), "every system call outside the shim is caught",
      "no run is possible with the default trap",
      "run with --trap sud, or use a kernel with seccomp filters (CONFIG_SECCOMP_FILTER)");
  add("syscall user dispatch", in_child(can_dispatch),
      "the second trap is available; it does not catch the vsyscall page of very old programs",
      "--trap sud is not possible; the default trap does not need it",
      "nothing, or use Linux 5.11 or newer");
  add("address layout", !addresses_stay_random(),
      "address randomisation can be switched off for nodes",
      "refused: a program that shows an address, or orders by addresses, has another run each time",
      "in a container, start it with a seccomp profile that allows personality(2), such as docker "
      "run --security-opt seccomp=unconfined");
  add("ptrace at exec", in_child([] { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0; }),
      "AT_RANDOM is set and the vDSO hidden before the first instruction",
      "refused: nodes cannot be started", "allow ptrace(2): in a container by its seccomp profile");
  add("vdso", in_child(can_close_vdso), "nodes cannot read the pages of the vDSO",
      "nodes are not told of the vDSO, but one that looks for its pages reads the machine's time",
      "nothing for programs that ask libc; otherwise use a kernel without "
      "CONFIG_MSEAL_SYSTEM_MAPPINGS");
  add("rdtsc faulting", in_child([] { return ::prctl(PR_SET_TSC, PR_TSC_SIGSEGV) == 0; }),
      "RDTSC counts virtual time",
      "RDTSC shows the machine's time: a program that reads it has another run each time",
      "in a container, start it with a seccomp profile that allows prctl(PR_SET_TSC)");
  add("cpuid faulting", cpuid_can_fault(), "CPUID answers from the lab's table",
      "programs and libraries see this machine's processor, and on which of its CPUs they run: a "
      "program that lets it show repeats on this model and this CPU only",
      "nothing for programs that let none of it show; otherwise compare "
      "runs of one model under taskset -c N, or use a processor whose CPUID faults: Intel since "
      "2012, AMD Zen with Linux 6.17 or newer, where a hypervisor passes that on");
  add("random_device", true,
      "std::random_device draws from the node's stream; only a program that carries libstdc++ "
      "within "
      "itself (-static-libstdc++) takes RDRAND where CPUID does not fault");
  // Rows of the checklist that nothing here can close: a run says so in its manifest.
  const auto open = [&](std::string name, std::string why, std::string advice) {
    out.push_back({std::move(name), false, std::move(why), std::move(advice)});
  };
  open("rdrand without cpuid",
       "RDRAND and RDSEED cannot be trapped: a program that executes them without asking CPUID has "
       "another run each time",
       "run with --check --memory, which shows it; take chance from getrandom(2) instead");
  open("cpu number without cpuid",
       "RDPID, and LSL of the segment 0x7b, cannot be trapped: a program that reads the number of "
       "its CPU so repeats on that CPU only; a run has one",
       "run with --check, whose second run has another CPU; if it differs, use taskset -c N");
  open(
      "vector registers in use",
      "XGETBV of 1 and the instructions that save vector or x87 registers (XSAVE, FXSAVE, FNSTENV; "
      "fegetenv, getcontext) cannot be trapped: which parts are in use, and where the last x87 "
      "operation was, is lost when the real kernel switches; functions are bound at the start, so "
      "glibc 2.36's loader saves none, but a program that does may have another run each time",
      "run with --check --memory, which shows it where it happens; it is rare");
  open("another processor",
       "on another model libm and libc choose other variants where CPUID does not fault, and a "
       "program that uses TSX or AVX-512 unasked sees the difference anywhere; no test runs on two "
       "models",
       "replay on the model that recorded; write it down, the recording does not name it");
  open(
      "another kernel",
      "the length of the auxiliary vector is the kernel's: addresses of the stack repeat for one "
      "kernel release",
      "nothing for programs that show no address; otherwise replay under the release that recorded "
      "(it is in the manifest)");
  open("files outside",
       "users, hosts, locales and time zones are read from this machine's files, listings from its "
       "folders, as far as who runs the lab may read them: what a program makes of them repeats "
       "while they do",
       "leave them as they are between runs; each file is in the manifest with its sum, and mixlab "
       "replay names the one that differs");
  cpu_set_t set;
  const int cpus = ::sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 0;
  add("cpus", cpus > 0, std::to_string(cpus) + " usable; a run uses one",
      "how many CPUs may be used is unknown", "allow sched_getaffinity(2)");
  return out;
}

}  // namespace lab::controller
