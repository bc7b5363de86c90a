// SPDX-License-Identifier: Apache-2.0
// Timers, sleeps, pipes, event counters and signals.
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>

#include "harness/conformance/programs/say.h"

using namespace say;

namespace {

constexpr long kMs = 1'000'000;

long now(clockid_t id = CLOCK_MONOTONIC) {
  timespec t{};
  clock_gettime(id, &t);
  return t.tv_sec * 1'000'000'000 + t.tv_nsec;
}
itimerspec in(long ns, long interval = 0) {
  return {{interval / 1'000'000'000, interval % 1'000'000'000},
          {ns / 1'000'000'000, ns % 1'000'000'000}};
}

void timers() {
  printf("# timerfd\n");
  uint64_t n = 0;
  const int t = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  show("read, disarmed", read(t, &n, 8));
  itimerspec s = in(5 * kMs), old{};
  const long begin = now();
  show("settime", timerfd_settime(t, 0, &s, nullptr));
  show("read, too early", read(t, &n, 8));
  printf("poll %s\n", events(readiness(t, 1000)).c_str());
  printf("not early: %d\n", now() - begin >= 5 * kMs);
  show("read", read(t, &n, 8));
  printf("expirations %lu\n", n);
  show("read again", read(t, &n, 8));
  s = in(now() + 3 * kMs);
  timerfd_settime(t, TFD_TIMER_ABSTIME, &s, nullptr);
  wait_for(t, POLLIN);
  show("read, absolute", read(t, &n, 8));
  s = in(1);
  timerfd_settime(t, TFD_TIMER_ABSTIME, &s, nullptr);
  wait_for(t, POLLIN);
  show("read, absolute and past", read(t, &n, 8));
  s = in(3600L * 1'000'000'000);
  timerfd_settime(t, 0, &s, nullptr);
  s = in(0);
  timerfd_settime(t, 0, &s, &old);
  printf("about an hour was left: %d\n", old.it_value.tv_sec > 3590);
  printf("disarmed: poll %s\n", events(readiness(t, 1)).c_str());
  s.it_value.tv_nsec = 2'000'000'000;
  show("settime, not a time", timerfd_settime(t, 0, &s, nullptr));
  fcntl(t, F_SETFL, 0);
  s = in(2 * kMs, 2 * kMs);
  timerfd_settime(t, 0, &s, nullptr);
  show("blocking read", read(t, &n, 8));
  show("blocking read", read(t, &n, 8));
  show("short read", read(t, &n, 4));
  close(t);
  const timespec bad{0, -1}, brief{0, 1000};
  show("nanosleep", nanosleep(&brief, nullptr));
  show("nanosleep, not a time", nanosleep(&bad, nullptr));
  const timespec past{0, 5};
  printf("clock_nanosleep into the past: %d\n",
         clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &past, nullptr));
  timespec unused{};
  show("a clock that is none", clock_gettime(77, &unused));
}

void pipes() {
  printf("# pipes\n");
  int p[2];
  show("pipe2", pipe2(p, O_NONBLOCK | O_CLOEXEC));
  char b[8192] = {};
  show("read, empty", read(p[0], b, 8));
  show("write", write(p[1], "hello", 5));
  show("read", read(p[0], b, 8));
  long total = 0;
  for (ssize_t n; (n = write(p[1], b, 4096)) > 0;)
    total += n;
  printf("holds %ld\n", total);
  show("write when full", write(p[1], b, 1));
  printf("poll writer %s\n", events(readiness(p[1])).c_str());
  read(p[0], b, 100);
  show("a whole block or nothing", write(p[1], b, 4096));
  close(p[0]);
  signal(SIGPIPE, SIG_IGN);
  printf("poll writer %s\n", events(readiness(p[1])).c_str());
  show("write without a reader", write(p[1], b, 1));
  close(p[1]);
  int s[2];
  show("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, s));
  show("write", write(s[0], "to the right", 12));
  show("send", send(s[1], "left", 4, 0));
  show("read", read(s[1], b, 64));
  show("recv", recv(s[0], b, 64, MSG_DONTWAIT));
  close(s[0]);
  printf("poll %s\n", events(readiness(s[1])).c_str());
  show("read at the end", read(s[1], b, 64));
  show("write to nobody", send(s[1], "x", 1, MSG_NOSIGNAL));
  close(s[1]);
}

void counters() {
  printf("# eventfd\n");
  uint64_t v = 5;
  int e = eventfd(3, EFD_NONBLOCK);
  show("write", write(e, &v, 8));
  show("read", read(e, &v, 8));
  printf("value %lu\n", v);
  show("read, zero", read(e, &v, 8));
  v = UINT64_MAX;
  show("write too much", write(e, &v, 8));
  v = UINT64_MAX - 1;
  show("write the most", write(e, &v, 8));
  v = 1;
  show("write one more", write(e, &v, 8));
  printf("poll %s\n", events(readiness(e)).c_str());
  show("short", write(e, &v, 4));
  close(e);
  e = eventfd(2, EFD_NONBLOCK | EFD_SEMAPHORE);
  read(e, &v, 8);
  printf("semaphore %lu\n", v);
  show("read", read(e, &v, 8));
  show("read", read(e, &v, 8));
  close(e);
}

volatile sig_atomic_t g_runs, g_last;

void on_signal(int signal) {
  g_runs = g_runs + 1;
  g_last = signal;
}

void signals() {
  printf("# signals\n");
  struct sigaction a{};
  a.sa_handler = on_signal;
  sigaction(SIGUSR1, &a, nullptr);
  raise(SIGUSR1);
  printf("raised: %d runs\n", static_cast<int>(g_runs));
  sigset_t set, old;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, &old);
  raise(SIGUSR1);
  kill(getpid(), SIGUSR1);
  printf("blocked: %d runs\n", static_cast<int>(g_runs));
  sigset_t pending;
  sigpending(&pending);
  printf("pending %d\n", sigismember(&pending, SIGUSR1));
  sigprocmask(SIG_SETMASK, &old, nullptr);
  printf("unblocked: %d runs\n", static_cast<int>(g_runs));
  struct itimerval soon{{0, 0}, {0, 3000}};
  sigaction(SIGALRM, &a, nullptr);
  setitimer(ITIMER_REAL, &soon, nullptr);
  char c;
  int p[2];
  (void)!pipe(p);
  show("read, interrupted", read(p[0], &c, 1));
  printf("by %d\n", static_cast<int>(g_last) == SIGALRM);
  setitimer(ITIMER_REAL, &soon, nullptr);
  show("pause", pause());
  setitimer(ITIMER_REAL, &soon, nullptr);
  show("poll, interrupted", poll(nullptr, 0, 10'000));
  a.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &a, nullptr);
  setitimer(ITIMER_REAL, &soon, nullptr);
  struct pollfd none{-1, 0, 0};
  show("poll is never restarted", poll(&none, 1, 10'000));
  sigprocmask(SIG_BLOCK, &set, nullptr);
  const int fd = signalfd(-1, &set, SFD_NONBLOCK);
  signalfd_siginfo info{};
  show("signalfd, empty", read(fd, &info, sizeof(info)));
  raise(SIGUSR1);
  printf("poll %s\n", events(readiness(fd)).c_str());
  show("signalfd", read(fd, &info, sizeof(info)));
  printf("signal %d\n", info.ssi_signo == SIGUSR1);
  const timespec brief{0, 1'000'000};
  show("sigtimedwait, nothing", sigtimedwait(&set, nullptr, &brief));
  raise(SIGUSR1);
  printf("sigtimedwait %d\n", sigtimedwait(&set, nullptr, &brief) == SIGUSR1);
  signal(SIGUSR2, SIG_IGN);
  raise(SIGUSR2);
  printf("ignored\n");
  show("kill nobody", kill(getpid(), 0));
  show("not a signal", sigaction(99, &a, nullptr));
  show("SIGKILL has no handler", sigaction(SIGKILL, &a, nullptr));
  close(fd);
}

}  // namespace

int main(int argc, char** argv) {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  const std::string end = argc > 1 ? argv[1] : "";
  if (end == "abort") abort();
  if (end == "term") {
    raise(SIGTERM);
  } else if (end == "pipe") {
    int p[2];
    (void)!pipe(p);
    close(p[0]);
    (void)!write(p[1], "x", 1);
  } else if (end == "segv") {
    volatile int* volatile nowhere = nullptr;
    *nowhere = 1;
  } else if (end == "exit") {
    exit(7);
  } else if (end == "_exit") {
    printf("gone\n");
    _exit(300);
  }
  timers();
  pipes();
  counters();
  signals();
}
