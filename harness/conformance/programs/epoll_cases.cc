// SPDX-License-Identifier: Apache-2.0
// epoll: level, edge, one-shot, RDHUP, the order of readiness, nesting, forgetting; poll and
// select.
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/timerfd.h>

#include "harness/conformance/programs/say.h"

using namespace say;

namespace {

void add(int ep, int fd, unsigned events, int operation = EPOLL_CTL_ADD) {
  epoll_event e{};
  e.events = events;
  e.data.fd = fd;
  if (epoll_ctl(ep, operation, fd, &e) != 0) show("epoll_ctl", -1);
}

/// What is ready now, in the order given, named by position in `fds`.
void look(const char* what, int ep, const int* fds, int n, int max = 16) {
  epoll_event out[16];
  const int count = epoll_wait(ep, out, max, 0);
  printf("%s:", what);
  for (int i = 0; i < count; ++i)
    for (int j = 0; j < n; ++j)
      if (fds[j] == out[i].data.fd) printf(" %d=%s", j, events(out[i].events).c_str());
  printf(" (%d)\n", count);
}

void fire(int fd) {
  const uint64_t one = 1;
  (void)!write(fd, &one, 8);
}
void drain(int fd) {
  uint64_t n;
  (void)!read(fd, &n, 8);
}

void level_and_edge() {
  printf("# level\n");
  const int ep = epoll_create1(0);
  const int e = eventfd(0, EFD_NONBLOCK);
  add(ep, e, EPOLLIN);
  look("nothing", ep, &e, 1);
  fire(e);
  look("fired", ep, &e, 1);
  look("again", ep, &e, 1);
  drain(e);
  look("drained", ep, &e, 1);
  printf("# edge\n");
  add(ep, e, EPOLLIN | EPOLLET, EPOLL_CTL_MOD);
  fire(e);
  look("fired", ep, &e, 1);
  look("again", ep, &e, 1);
  fire(e);
  look("fired on top", ep, &e, 1);
  drain(e);
  look("drained", ep, &e, 1);
  fire(e);
  add(ep, e, EPOLLIN | EPOLLET, EPOLL_CTL_MOD);
  look("modified while ready", ep, &e, 1);
  look("again", ep, &e, 1);
  printf("# one-shot\n");
  add(ep, e, EPOLLIN | EPOLLONESHOT, EPOLL_CTL_MOD);
  look("armed while ready", ep, &e, 1);
  fire(e);
  look("spent", ep, &e, 1);
  add(ep, e, EPOLLIN | EPOLLONESHOT, EPOLL_CTL_MOD);
  look("armed again", ep, &e, 1);
  printf("# write side\n");
  add(ep, e, EPOLLIN | EPOLLOUT | EPOLLET, EPOLL_CTL_MOD);
  look("both", ep, &e, 1);
  drain(e);
  look("after a read", ep, &e, 1);
  close(e);
  close(ep);
}

void order() {
  printf("# order\n");
  const int ep = epoll_create1(0);
  int e[4];
  for (int& fd : e) {
    fd = eventfd(0, EFD_NONBLOCK);
    add(ep, fd, EPOLLIN);
  }
  fire(e[2]);
  fire(e[0]);
  fire(e[3]);
  look("in the order of events", ep, e, 4);
  look("two at a time", ep, e, 4, 2);
  look("then the rest first", ep, e, 4, 2);
  look("and round", ep, e, 4, 2);
  fire(e[1]);
  drain(e[0]);
  look("one left, one joined", ep, e, 4);
  for (int fd : e)
    close(fd);
  look("closed ones are forgotten", ep, e, 4);
  close(ep);
}

void errors() {
  printf("# errors\n");
  const int ep = epoll_create1(0);
  const int e = eventfd(0, 0);
  epoll_event event{};
  event.events = EPOLLIN;
  show("add", epoll_ctl(ep, EPOLL_CTL_ADD, e, &event));
  show("add twice", epoll_ctl(ep, EPOLL_CTL_ADD, e, &event));
  show("add itself", epoll_ctl(ep, EPOLL_CTL_ADD, ep, &event));
  show("add a bad descriptor", epoll_ctl(ep, EPOLL_CTL_ADD, 999, &event));
  show("not an epoll", epoll_ctl(e, EPOLL_CTL_ADD, ep, &event));
  show("delete", epoll_ctl(ep, EPOLL_CTL_DEL, e, nullptr));
  show("delete twice", epoll_ctl(ep, EPOLL_CTL_DEL, e, nullptr));
  show("modify what is not there", epoll_ctl(ep, EPOLL_CTL_MOD, e, &event));
  show("wait for none", epoll_wait(ep, &event, 0, 0));
  const int copy = dup(e);
  epoll_ctl(ep, EPOLL_CTL_ADD, e, &event);
  close(e);
  fire(copy);
  show("closed, but a copy lives", epoll_wait(ep, &event, 1, 0));
  close(copy);
  show("the copy is closed too", epoll_wait(ep, &event, 1, 0));
  close(ep);
}

void nested() {
  printf("# nested\n");
  const int outer = epoll_create1(0), inner = epoll_create1(0);
  const int e = eventfd(0, EFD_NONBLOCK);
  add(outer, inner, EPOLLIN);
  add(inner, e, EPOLLIN);
  look("nothing", outer, &inner, 1);
  fire(e);
  look("through the inner", outer, &inner, 1);
  printf("poll %s\n", events(readiness(inner)).c_str());
  drain(e);
  look("drained", outer, &inner, 1);
  close(e);
  close(inner);
  close(outer);
}

void sockets() {
  printf("# sockets\n");
  const int l = listener("127.0.0.1", 0);
  const int ep = epoll_create1(0);
  add(ep, l, EPOLLIN);
  int c = socket(AF_INET, SOCK_STREAM, 0);
  connect_to(c, ipv4("127.0.0.1", port_of(l)));
  wait_for(l, POLLIN);
  look("a connection waits", ep, &l, 1);
  const int s = accept(l, nullptr, nullptr);
  look("accepted", ep, &l, 1);
  int both[2] = {c, s};
  add(ep, c, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
  add(ep, s, EPOLLIN | EPOLLRDHUP | EPOLLET);
  look("writable", ep, both, 2);
  look("once", ep, both, 2);
  (void)!write(c, "abc", 3);
  wait_for(s, POLLIN);
  look("bytes", ep, both, 2);
  (void)!write(c, "def", 3);
  char b[8];
  while (recv(s, b, 8, MSG_PEEK) < 6) {
  }
  look("more bytes on top", ep, both, 2);
  look("no more", ep, both, 2);
  shutdown(c, SHUT_WR);
  wait_for(s, POLLRDHUP);
  epoll_event out[4];
  const int n = epoll_wait(ep, out, 4, 0);
  bool seen = false;
  for (int i = 0; i < n; ++i)
    if (out[i].data.fd == s) seen = (out[i].events & EPOLLRDHUP) != 0;
  printf("RDHUP at the server: %d\n", seen);
  close(s);
  close(c);
  close(l);
  close(ep);
}

void selects() {
  printf("# select\n");
  int p[2];
  (void)!pipe(p);
  fd_set in, out;
  const auto ask = [&](const char* what) {
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_SET(p[0], &in);
    FD_SET(p[1], &out);
    timeval tv{0, 0};
    const int n = select(p[1] + 1, &in, &out, nullptr, &tv);
    printf("%s: %d, in %d, out %d\n", what, n, FD_ISSET(p[0], &in) != 0, FD_ISSET(p[1], &out) != 0);
  };
  ask("empty pipe");
  (void)!write(p[1], "x", 1);
  ask("a byte in it");
  close(p[1]);
  FD_ZERO(&in);
  FD_SET(p[1], &in);
  timeval tv{0, 0};
  show("select on a closed descriptor", select(p[1] + 1, &in, nullptr, nullptr, &tv));
  printf("poll of the reader %s\n", events(readiness(p[0])).c_str());
  char c;
  show("read", read(p[0], &c, 1));
  printf("poll of the reader %s\n", events(readiness(p[0])).c_str());
  printf("poll of a bad descriptor %s\n", events(readiness(999)).c_str());
  timespec ts{0, 1'000'000};
  pollfd none{-1, POLLIN, 0};
  show("ppoll with a time-out", ppoll(&none, 1, &ts, nullptr));
  close(p[0]);
}

}  // namespace

int main() {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  level_and_edge();
  order();
  errors();
  nested();
  sockets();
  selects();
}
