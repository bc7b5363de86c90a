// SPDX-License-Identifier: Apache-2.0
// epoll: level, edge, one shot, half-closes, changes, the order of ready ones, and what closing
// does.
#include <sys/eventfd.h>

#include <set>
#include <vector>

#include "harness/conformance/programs/say.h"

namespace {

using namespace say;

struct Poller {
  int fd = epoll_create1(EPOLL_CLOEXEC);
  ~Poller() { close(fd); }
  int control(int op, int target, unsigned events, int tag) const {
    epoll_event e{};
    e.events = events;
    e.data.u64 = static_cast<unsigned>(tag);
    return epoll_ctl(fd, op, target, &e);
  }
  int add(int target, unsigned events, int tag) const {
    return control(EPOLL_CTL_ADD, target, events, tag);
  }
  void show(const char* what, int most = 16, int ms = 0) const {
    std::vector<epoll_event> list(static_cast<size_t>(most));
    const int n = epoll_wait(fd, list.data(), most, ms);
    std::string text;
    for (int i = 0; i < n; ++i)
      text += " " + std::to_string(list[static_cast<size_t>(i)].data.u64) + ":" +
              events(list[static_cast<size_t>(i)].events);
    if (n < 0) text = std::string(" ") + strerrorname_np(errno);
    line("%s: %d%s", what, n, text.c_str());
  }
};

int counter(unsigned value = 0) {
  return eventfd(value, EFD_NONBLOCK);
}
void post(int fd) {
  const uint64_t one = 1;
  write(fd, &one, 8);
}
void take(int fd) {
  uint64_t value;
  read(fd, &value, 8);
}

void level() {
  const Poller p;
  const int fd = counter();
  result("add", p.add(fd, EPOLLIN, 1));
  p.show("nothing");
  post(fd);
  p.show("ready");
  p.show("still ready");
  take(fd);
  p.show("taken");
  result("add twice", p.add(fd, EPOLLIN, 1));
  result("modify", p.control(EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLOUT, 2));
  p.show("an eventfd can be written");
  result("modify to nothing", p.control(EPOLL_CTL_MOD, fd, 0, 2));
  p.show("asked for nothing");
  result("delete", epoll_ctl(p.fd, EPOLL_CTL_DEL, fd, nullptr));
  result("delete twice", epoll_ctl(p.fd, EPOLL_CTL_DEL, fd, nullptr));
  result("modify what is not in", p.control(EPOLL_CTL_MOD, fd, EPOLLIN, 1));
  close(fd);
}

void edge() {
  const Poller p;
  const int fd = counter();
  p.add(fd, EPOLLIN | EPOLLET, 1);
  post(fd);
  p.show("edge");
  p.show("only once");
  post(fd);
  p.show("again: more came although nothing was taken");
  take(fd);
  p.show("taken");
  post(fd);
  p.show("a new edge");
  p.control(EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLET, 1);
  p.show("a modification re-arms what is still ready");
  close(fd);
}

void one_shot() {
  const Poller p;
  const int fd = counter();
  p.add(fd, EPOLLIN | EPOLLONESHOT, 1);
  post(fd);
  p.show("one shot");
  post(fd);
  p.show("off");
  p.control(EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLONESHOT, 2);
  p.show("re-armed");
  p.show("off again");
  close(fd);
}

void sockets() {
  const Poller p;
  const Connection c = connection();
  p.add(c.listener, EPOLLIN, 0);
  p.add(c.near, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, 1);
  p.show("a connection can be written");
  write(c.far, "abc", 3);
  await(c.near, POLLIN);
  p.show("bytes came");
  char byte;
  read(c.near, &byte, 1);
  p.show("a partial read is no edge");
  write(c.far, "d", 1);
  recv(c.near, &byte, 1, MSG_PEEK);
  int n = 0;
  while (ioctl(c.near, FIONREAD, &n) == 0 && n < 3)
    usleep(1000);
  p.show("more bytes are");
  shutdown(c.far, SHUT_WR);
  await(c.near, POLLRDHUP);
  p.show("their half-close");
  shutdown(c.near, SHUT_WR);
  await(c.near, POLLHUP);
  p.show("ours after it");
  const int dial = socket(AF_INET, SOCK_STREAM, 0);
  connect_to(dial, ipv4("127.0.0.1", port_of(c.listener)));
  p.show("the listener");
  close(dial), close(c.near), close(c.far), close(c.listener);
}

void hang_ups_cannot_be_masked() {
  const Poller p;
  const Connection c = connection();
  p.add(c.near, 0, 1);
  write(c.near, "x", 1);
  await(c.far, POLLIN);
  close(c.far);  // unread: a reset
  await(c.near, POLLHUP);
  p.show("asked for nothing, told of the reset");
  close(c.near), close(c.listener);
}

void order() {
  const Poller p;
  int fds[4];
  for (int i = 0; i < 4; ++i)
    p.add(fds[i] = counter(), EPOLLIN, i);
  for (const int i : {2, 0, 3, 1})
    post(fds[i]);
  p.show("in the order in which they became ready");
  take(fds[3]);
  p.show("the rest, after a round");
  p.show("two at a time", 2);
  p.show("two at a time", 2);
  p.show("two at a time", 2);
  for (const int fd : fds)
    close(fd);
  p.show("all closed");
}

void added_when_ready() {
  const Poller p;
  const int first = counter(1), second = counter(1);
  p.add(second, EPOLLIN | EPOLLET, 2);
  p.add(first, EPOLLIN | EPOLLET, 1);
  p.show("ready before they were added");
  p.show("edges are gone");
  close(first), close(second);
}

void closing() {
  const Poller p;
  int fd = counter(1);
  p.add(fd, EPOLLIN, 1);
  const int copy = dup(fd);
  close(fd);
  p.show("a copy keeps the watch alive");
  result("the number is gone", epoll_ctl(p.fd, EPOLL_CTL_DEL, fd, nullptr));
  close(copy);
  p.show("the last copy is closed");
  fd = counter(1);
  const int two = dup(fd);
  p.add(fd, EPOLLIN, 1);
  result("a copy can be added beside it", p.add(two, EPOLLIN, 2));
  p.show("both");
  close(two);
  close(fd);
  p.show("none");
}

void errors() {
  const Poller p;
  result("create with strange flags", epoll_create1(1));
  result("create of size 0", epoll_create(0));
  result("add itself", p.add(p.fd, EPOLLIN, 0));
  result("add a closed one", p.add(999, EPOLLIN, 0));
  const int file = open("some_file", O_CREAT | O_RDWR, 0600);
  result("add a file", p.add(file, EPOLLIN, 0));
  close(file);
  const int event = counter();
  epoll_event e{};
  result("control of what is no epoll", epoll_ctl(event, EPOLL_CTL_ADD, p.fd, &e));
  result("wait for what is no epoll", epoll_wait(event, &e, 1, 0));
  result("wait for no events", epoll_wait(p.fd, &e, 0, 0));
  result("an operation that is none", epoll_ctl(p.fd, 99, event, &e));
  result("read of an epoll", read(p.fd, &e, sizeof(e)));
  p.show("a wait that ends", 16, 20);
  close(event);
}

void nested() {
  const Poller inner, outer;
  const int fd = counter();
  inner.add(fd, EPOLLIN, 1);
  result("epoll in epoll", outer.add(inner.fd, EPOLLIN, 7));
  outer.show("quiet");
  post(fd);
  outer.show("through the inner one");
  ready("poll of an epoll", inner.fd, POLLIN);
  inner.show("inner");
  take(fd);
  outer.show("quiet again");
  close(fd);
}

}  // namespace

int main(int argc, char** argv) {
  struct Named {
    const char* name;
    void (*run)();
  };
  const Named cases[] = {{"level", level},
                         {"edge", edge},
                         {"one_shot", one_shot},
                         {"sockets", sockets},
                         {"hang_ups_cannot_be_masked", hang_ups_cannot_be_masked},
                         {"order", order},
                         {"added_when_ready", added_when_ready},
                         {"closing", closing},
                         {"errors", errors},
                         {"nested", nested}};
  for (const Named& c : cases) {
    if (argc > 1 && strcmp(argv[1], c.name) != 0) continue;
    line("-- %s", c.name);
    c.run();
  }
}
