// SPDX-License-Identifier: Apache-2.0
// Signals a program sends to itself, masks, waiting for them, alarms, what they interrupt.
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <time.h>

#include <atomic>
#include <thread>

#include "harness/conformance/programs/say.h"

namespace {

using namespace say;

volatile sig_atomic_t seen[65];
volatile sig_atomic_t depth, deepest;

void count(int number) {
  depth = depth + 1;
  if (depth > deepest) deepest = depth;
  seen[number] = seen[number] + 1;
  depth = depth - 1;
}

void handle(int number, void (*f)(int), int flags = 0) {
  struct sigaction a{};
  a.sa_handler = f;
  a.sa_flags = flags;
  result("sigaction", sigaction(number, &a, nullptr));
}

sigset_t set_of(int number) {
  sigset_t s;
  sigemptyset(&s);
  if (number != 0) sigaddset(&s, number);
  return s;
}

void handlers() {
  handle(SIGUSR1, count);
  result("raise", raise(SIGUSR1));
  line("handled %d", static_cast<int>(seen[SIGUSR1]));
  result("kill self", kill(getpid(), SIGUSR1));
  line("handled %d", static_cast<int>(seen[SIGUSR1]));
  struct sigaction old{};
  sigaction(SIGUSR1, nullptr, &old);
  line("the handler is told: %d, flags %x", old.sa_handler == count, old.sa_flags & ~0x04000000);
  handle(SIGUSR1, count, static_cast<int>(SA_RESETHAND));
  raise(SIGUSR1);
  sigaction(SIGUSR1, nullptr, &old);
  line("SA_RESETHAND: %d", old.sa_handler == SIG_DFL);
  handle(SIGUSR1, SIG_IGN);
  raise(SIGUSR1);
  line("ignored: %d", static_cast<int>(seen[SIGUSR1]));
  result("sigaction of SIGKILL", signal(SIGKILL, count) == SIG_ERR ? -1 : 0);
  result("sigaction of no signal", signal(77, count) == SIG_ERR ? -1 : 0);
  result("signal 0 only asks", kill(getpid(), 0));
  result("a signal that is none", kill(getpid(), 77));
  result("ignored by default", raise(SIGCHLD));
}

void information() {
  struct sigaction a{};
  static volatile int number, code, value;
  a.sa_sigaction = [](int n, siginfo_t* info, void*) {
    number = n;
    code = info->si_code;
    value = info->si_pid == getpid();
  };
  a.sa_flags = SA_SIGINFO;
  sigaction(SIGUSR2, &a, nullptr);
  kill(getpid(), SIGUSR2);
  line("siginfo: number %d SI_USER %d own pid %d", number == SIGUSR2, code == SI_USER, value);
  pthread_kill(pthread_self(), SIGUSR2);
  line("siginfo of pthread_kill: SI_TKILL %d", code == SI_TKILL);
}

void masks() {
  handle(SIGUSR1, count);
  seen[SIGUSR1] = 0;
  sigset_t old, usr1 = set_of(SIGUSR1), pending;
  result("block", sigprocmask(SIG_BLOCK, &usr1, &old));
  line("was blocked before: %d", sigismember(&old, SIGUSR1));
  raise(SIGUSR1);
  raise(SIGUSR1);
  line("handled while blocked %d", static_cast<int>(seen[SIGUSR1]));
  sigpending(&pending);
  line("pending %d", sigismember(&pending, SIGUSR1));
  result("unblock", sigprocmask(SIG_UNBLOCK, &usr1, nullptr));
  line("handled once %d", static_cast<int>(seen[SIGUSR1]));
  sigpending(&pending);
  line("pending %d", sigismember(&pending, SIGUSR1));
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  sigprocmask(SIG_SETMASK, nullptr, &old);
  line("KILL and STOP cannot be blocked: %d %d, SYS can: %d", sigismember(&old, SIGKILL),
       sigismember(&old, SIGSTOP), sigismember(&old, SIGSYS));
  close(open("a_file", O_CREAT | O_RDWR, 0600));  // a call with everything blocked
  const sigset_t none = set_of(0);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  result("a strange way to mask", sigprocmask(9, &usr1, nullptr));
  // A handler's own signal is blocked while it runs; SA_NODEFER lets it in.
  deepest = 0;
  static int again;
  again = 0;
  handle(SIGUSR2, [](int n) {
    depth = depth + 1;
    if (depth > deepest) deepest = depth;
    if (again++ < 2) raise(n);
    depth = depth - 1;
  });
  raise(SIGUSR2);
  line("deferred: depth %d, runs %d", static_cast<int>(deepest), again);
  deepest = 0, again = 0;
  struct sigaction a{};
  sigaction(SIGUSR2, nullptr, &a);
  a.sa_flags = SA_NODEFER;
  sigaction(SIGUSR2, &a, nullptr);
  raise(SIGUSR2);
  line("SA_NODEFER: depth %d, runs %d", static_cast<int>(deepest), again);
}

void waiting() {
  sigset_t usr1 = set_of(SIGUSR1);
  sigprocmask(SIG_BLOCK, &usr1, nullptr);
  raise(SIGUSR1);
  int number = 0;
  line("sigwait: %d %d", sigwait(&usr1, &number), number == SIGUSR1);
  const timespec t{0, 5'000'000};
  result("sigtimedwait in vain", sigtimedwait(&usr1, nullptr, &t));
  raise(SIGUSR1);
  siginfo_t info{};
  line("sigtimedwait: %d", sigtimedwait(&usr1, &info, &t) == SIGUSR1 && info.si_signo == SIGUSR1);
  seen[SIGUSR1] = 0;
  handle(SIGUSR1, count);
  raise(SIGUSR1);
  const sigset_t none = set_of(0);
  result("sigsuspend", sigsuspend(&none));
  line("handled in it: %d", static_cast<int>(seen[SIGUSR1]));
  const int fd = signalfd(-1, &usr1, SFD_NONBLOCK);
  signalfd_siginfo got{};
  result("signalfd, nothing there", read(fd, &got, sizeof(got)));
  raise(SIGUSR1);
  ready("signalfd", fd, POLLIN);
  result("signalfd", read(fd, &got, sizeof(got)));
  line("it was SIGUSR1: %d", got.ssi_signo == SIGUSR1);
  close(fd);
  sigprocmask(SIG_UNBLOCK, &usr1, nullptr);
}

void interruptions() {
  seen[SIGALRM] = 0;
  handle(SIGALRM, count);
  itimerval soon{{0, 0}, {0, 10'000}};
  setitimer(ITIMER_REAL, &soon, nullptr);
  const timespec t{30, 0};
  timespec left{};
  result("a sleep is interrupted", nanosleep(&t, &left));
  line("time is left: %d, handled %d", left.tv_sec > 0, static_cast<int>(seen[SIGALRM]));
  int ends[2];
  pipe(ends);
  char byte;
  setitimer(ITIMER_REAL, &soon, nullptr);
  result("a read is interrupted", read(ends[0], &byte, 1));
  handle(SIGALRM, [](int n) { count(n); }, SA_RESTART);
  std::thread writer([&] {
    sigset_t alarm = set_of(SIGALRM);
    pthread_sigmask(SIG_BLOCK, &alarm, nullptr);
    usleep(60'000);
    write(ends[1], "r", 1);
  });
  setitimer(ITIMER_REAL, &soon, nullptr);
  result("SA_RESTART: a read goes on", read(ends[0], &byte, 1));
  line("handled meanwhile: %d", static_cast<int>(seen[SIGALRM]));
  writer.join();
  setitimer(ITIMER_REAL, &soon, nullptr);
  result("a poll never restarts", poll(nullptr, 0, 30'000));
  const int e = epoll_create1(0);
  epoll_event event;
  setitimer(ITIMER_REAL, &soon, nullptr);
  result("nor does epoll_wait", epoll_wait(e, &event, 1, 30'000));
  close(e), close(ends[0]), close(ends[1]);
  line("alarm tells what was left: %u %u", alarm(100), alarm(0));
  setitimer(ITIMER_REAL, &soon, nullptr);
  result("pause", pause());
}

/// Interrupted by an alarm; with SA_RESTART a call goes on, unless its socket has a time limit.
void sockets() {
  const itimerval soon{{0, 0}, {0, 10'000}};
  const auto limit = [](int fd, int name, int seconds) {
    const timeval t{seconds, 0};
    setsockopt(fd, SOL_SOCKET, name, &t, sizeof(t));
  };
  char byte;
  const int l = listener(0);
  const Connection c = connection();
  handle(SIGALRM, count);
  setitimer(ITIMER_REAL, &soon, nullptr);
  result("accept", accept(l, nullptr, nullptr));
  setitimer(ITIMER_REAL, &soon, nullptr);
  result("recv", recv(c.near, &byte, 1, 0));
  handle(SIGALRM, count, SA_RESTART);
  limit(l, SO_RCVTIMEO, 30);
  setitimer(ITIMER_REAL, &soon, nullptr);
  result("SA_RESTART: accept with a time limit", accept(l, nullptr, nullptr));
  limit(c.near, SO_RCVTIMEO, 30);
  setitimer(ITIMER_REAL, &soon, nullptr);
  result("SA_RESTART: recv with a time limit", recv(c.near, &byte, 1, 0));
  limit(l, SO_RCVTIMEO, 0);
  seen[SIGALRM] = 0;
  const int first = socket(AF_INET, SOCK_STREAM, 0);
  std::thread dialer([&] {
    sigset_t alarm = set_of(SIGALRM);
    pthread_sigmask(SIG_BLOCK, &alarm, nullptr);
    usleep(60'000);
    connect_to(first, ipv4("127.0.0.1", port_of(l)));
  });
  setitimer(ITIMER_REAL, &soon, nullptr);
  descriptor("SA_RESTART: accept", accept(l, nullptr, nullptr));
  line("handled meanwhile: %d", static_cast<int>(seen[SIGALRM]));
  dialer.join();
  // The queue takes one more; whoever comes then waits.
  const int second = socket(AF_INET, SOCK_STREAM, 0), third = socket(AF_INET, SOCK_STREAM, 0);
  result("connect", connect_to(second, ipv4("127.0.0.1", port_of(l))));
  handle(SIGALRM, count);
  setitimer(ITIMER_REAL, &soon, nullptr);
  result("connect to a full queue", connect_to(third, ipv4("127.0.0.1", port_of(l))));
  nonblocking(third);
  result("it goes on all the same", connect_to(third, ipv4("127.0.0.1", port_of(l))));
  const int fourth = socket(AF_INET, SOCK_STREAM, 0);
  limit(fourth, SO_SNDTIMEO, 30);
  handle(SIGALRM, count, SA_RESTART);
  setitimer(ITIMER_REAL, &soon, nullptr);
  result("SA_RESTART: connect with a time limit",
         connect_to(fourth, ipv4("127.0.0.1", port_of(l))));
}

void threads() {
  static std::atomic<int> where{0};
  static pthread_t main_thread;
  main_thread = pthread_self();
  handle(SIGUSR1, [](int) { where = pthread_equal(pthread_self(), main_thread) != 0 ? 1 : 2; });
  std::atomic<int> stage{0};
  std::thread other([&] {
    stage = 1;
    while (stage != 2)
      std::this_thread::yield();
  });
  while (stage != 1)
    std::this_thread::yield();
  pthread_kill(other.native_handle(), SIGUSR1);
  while (where == 0)
    std::this_thread::yield();
  line("pthread_kill reaches the other thread: %d", where == 2);
  where = 0;
  sigset_t usr1 = set_of(SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &usr1, nullptr);
  kill(getpid(), SIGUSR1);
  while (where == 0)
    std::this_thread::yield();
  line("the process's signal goes to who has it open: %d", where == 2);
  stage = 2;
  other.join();
}

void stacks() {
  static char memory[65536];
  stack_t old{}, alternate{};
  sigaltstack(nullptr, &old);
  line("no alternate stack at first: %d", old.ss_flags == SS_DISABLE);
  alternate.ss_sp = memory;
  alternate.ss_size = sizeof(memory);
  result("sigaltstack", sigaltstack(&alternate, nullptr));
  static volatile bool inside;
  handle(
      SIGUSR1,
      [](int) {
        char here;
        inside = &here >= memory && &here < memory + sizeof(memory);
      },
      SA_ONSTACK);
  raise(SIGUSR1);
  line("the handler ran on it: %d", inside);
  alternate.ss_flags = SS_DISABLE;
  sigaltstack(&alternate, nullptr);
}

}  // namespace

int main(int argc, char** argv) {
  struct Named {
    const char* name;
    void (*run)();
  };
  const Named cases[] = {{"handlers", handlers},
                         {"information", information},
                         {"masks", masks},
                         {"waiting", waiting},
                         {"interruptions", interruptions},
                         {"sockets", sockets},
                         {"threads", threads},
                         {"stacks", stacks}};
  for (const Named& c : cases) {
    if (argc > 1 && strcmp(argv[1], c.name) != 0) continue;
    line("-- %s", c.name);
    c.run();
  }
}
