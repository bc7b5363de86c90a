// SPDX-License-Identifier: Apache-2.0
// poll, ppoll, select, pselect.
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <time.h>

#include "harness/conformance/programs/say.h"

namespace {

using namespace say;

void polls() {
  int ends[2];
  pipe(ends);
  const int event = eventfd(1, 0);
  pollfd list[4] = {
      {ends[0], POLLIN, 0}, {ends[1], POLLOUT, 0}, {-1, POLLIN, 7}, {event, POLLIN | POLLOUT, 0}};
  result("poll", poll(list, 4, 0));
  for (const pollfd& p : list)
    line("  %s", events(static_cast<unsigned short>(p.revents)).c_str());
  pollfd closed{999, POLLIN, 0};
  result("poll of a closed one", poll(&closed, 1, 1000));
  line("  %s", events(static_cast<unsigned short>(closed.revents)).c_str());
  result("poll of nobody, with an end", poll(nullptr, 0, 5));
  result("poll with an end", poll(list, 1, 5));
  close(ends[1]);
  ready("a pipe without a writer", ends[0]);
  close(ends[0]);
  pipe(ends);
  close(ends[0]);
  ready("a pipe without a reader", ends[1]);
  close(ends[1]);
  const int file = open("a_file", O_CREAT | O_RDWR, 0600);
  ready("a file is always ready", file, POLLIN | POLLOUT);
  close(file);
  timespec t{0, 5'000'000};
  pollfd one{event, POLLIN, 0};
  result("ppoll", ppoll(&one, 1, &t, nullptr));
  uint64_t value;
  read(event, &value, 8);
  result("ppoll with an end", ppoll(&one, 1, &t, nullptr));
  line("  its time-out is left alone: %ld", t.tv_nsec);
  t.tv_nsec = 1'000'000'000;
  result("ppoll with a strange time", ppoll(&one, 1, &t, nullptr));
  close(event);
}

void selects() {
  int ends[2];
  pipe(ends);
  fd_set in, out, other;
  FD_ZERO(&in);
  FD_ZERO(&out);
  FD_ZERO(&other);
  FD_SET(ends[0], &in);
  FD_SET(ends[1], &out);
  FD_SET(ends[0], &other);
  timeval none{0, 0};
  const int most = (ends[0] > ends[1] ? ends[0] : ends[1]) + 1;
  result("select", select(most, &in, &out, &other, &none));
  line("  in %d out %d other %d", FD_ISSET(ends[0], &in) != 0, FD_ISSET(ends[1], &out) != 0,
       FD_ISSET(ends[0], &other) != 0);
  write(ends[1], "x", 1);
  FD_SET(ends[0], &in);
  result("select without a limit", select(most, &in, nullptr, nullptr, nullptr));
  line("  in %d", FD_ISSET(ends[0], &in) != 0);
  char byte;
  read(ends[0], &byte, 1);
  timeval soon{0, 5'000};
  result("select with an end", select(most, &in, nullptr, nullptr, &soon));
  line("  in %d, time left: %ld", FD_ISSET(ends[0], &in) != 0, soon.tv_usec);
  close(ends[0]);
  FD_SET(ends[0], &in);
  result("select of a closed one", select(most, &in, nullptr, nullptr, &none));
  result("select of a negative count", select(-1, nullptr, nullptr, nullptr, &none));
  timespec t{0, 5'000'000};
  result("pselect", pselect(0, nullptr, nullptr, nullptr, &t, nullptr));
  close(ends[1]);
}

volatile sig_atomic_t handled = 0;

/// A signal that is blocked but for the wait arrives in the wait.
void masks() {
  struct sigaction a{};
  a.sa_handler = [](int) { handled = handled + 1; };
  sigaction(SIGUSR1, &a, nullptr);
  sigset_t blocked, open;
  sigemptyset(&open);
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  sigprocmask(SIG_BLOCK, &blocked, nullptr);
  raise(SIGUSR1);
  line("blocked: %d", static_cast<int>(handled));
  timespec t{5, 0};
  result("ppoll lets it in", ppoll(nullptr, 0, &t, &open));
  line("handled: %d", static_cast<int>(handled));
  raise(SIGUSR1);
  result("pselect lets it in", pselect(0, nullptr, nullptr, nullptr, &t, &open));
  line("handled: %d", static_cast<int>(handled));
  const int e = epoll_create1(0);
  epoll_event event;
  raise(SIGUSR1);
  result("epoll_pwait lets it in", epoll_pwait(e, &event, 1, 5000, &open));
  line("handled: %d", static_cast<int>(handled));
  close(e);
}

}  // namespace

int main() {
  line("-- poll");
  polls();
  line("-- select");
  selects();
  line("-- masks");
  masks();
}
