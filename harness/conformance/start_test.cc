// SPDX-License-Identifier: Apache-2.0
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "harness/conformance/lab_run.h"
#include "harness/controller/controller.h"

using namespace lab::conformance;
using namespace std::chrono_literals;

namespace {

Result clock_program() {
  Setup setup;
  setup.programs = {{1, {program("clock")}, 5s, {}, {}}};
  return run_in_lab(setup);
}

/// What a lab says in a process that has changed itself before.
std::string said_after(const std::function<void()>& change) {
  int ends[2];
  BOOST_REQUIRE(::pipe(ends) == 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    change();
    const bool random = lab::controller::addresses_stay_random();
    const std::string text = (random ? "random " : "fixed ") + clock_program().text();
    (void)!::write(ends[1], text.data(), text.size());
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string all(4096, 0);
  std::size_t size = 0;
  for (ssize_t n = 1; n > 0; size += static_cast<std::size_t>(std::max<ssize_t>(n, 0)))
    n = ::read(ends[0], all.data() + size, all.size() - size);
  ::close(ends[0]);
  ::waitpid(pid, nullptr, 0);
  all.resize(size);
  return all;
}

/// As a container does: this call with this first argument is refused from now on.
void refuse(std::uint32_t call, std::uint32_t argument) {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[0])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, argument, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog all{std::size(filter), filter};
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &all);
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(starting)

BOOST_AUTO_TEST_CASE(a_program_reads_the_virtual_time) {
  Setup setup;
  setup.programs = {{1, {program("clock")}, 5s, {}, {}}};
  const Result r = run_in_lab(setup);
  BOOST_TEST(r.text() ==
             "monotonic 5.000000000\nrealtime 1767225605.000000000\n"
             "monotonic 6.234567891\nrealtime 1767225606.234567891\npid 1000\n");
}

/// As in a container with a common profile: the run goes on, and the doctor and the manifest say
/// it.
BOOST_AUTO_TEST_CASE(a_machine_that_keeps_addresses_random_is_told_of) {
  const std::string random = said_after([] { refuse(SYS_personality, ADDR_NO_RANDOMIZE); });
  BOOST_TEST(random.starts_with("random monotonic 5."), random);
  // Who was started without it needs nobody's leave.
  const std::string fixed = said_after([] {
    ::personality(ADDR_NO_RANDOMIZE);
    refuse(SYS_personality, ADDR_NO_RANDOMIZE);
  });
  BOOST_TEST(fixed.starts_with("fixed monotonic 5."), fixed);
}

BOOST_AUTO_TEST_CASE(a_machine_without_ptrace_is_told_of) {
  const std::string refused = said_after([] { refuse(SYS_ptrace, PTRACE_TRACEME); });
  BOOST_TEST(has(refused, "it cannot be stopped at its start (ptrace(2))"), refused);
}

BOOST_AUTO_TEST_CASE(a_stack_that_cannot_be_as_large_as_any_other_is_told_of) {
  const std::string refused = said_after([] {
    const rlimit low{4 << 20, 4 << 20};
    ::setrlimit(RLIMIT_STACK, &low);
    if (::geteuid() == 0) (void)!::setresuid(65534, 65534, 65534);  // root could raise it again
  });
  BOOST_TEST(has(refused, "its stack cannot have 8 MiB: Operation not permitted"), refused);
}

BOOST_AUTO_TEST_CASE(signals_while_programs_start_change_nothing) {
  struct sigaction action{};
  action.sa_handler = [](int) {};  // without SA_RESTART
  ::sigaction(SIGALRM, &action, nullptr);
  const std::string quiet = clock_program().text();
  const itimerval often{{0, 700}, {0, 700}}, never{};
  ::setitimer(ITIMER_REAL, &often, nullptr);
  std::vector<std::string> disturbed;
  for (int i = 0; i < 30; ++i)
    disturbed.push_back(clock_program().text());
  ::setitimer(ITIMER_REAL, &never, nullptr);
  ::signal(SIGALRM, SIG_DFL);
  for (const std::string& text : disturbed)
    BOOST_TEST(text == quiet);
}

BOOST_AUTO_TEST_SUITE_END()
