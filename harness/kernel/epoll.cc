// SPDX-License-Identifier: Apache-2.0
// epoll, with Linux's order: an item joins the tail of its epoll's ready list when something
// happens to the file; epoll_wait takes from the head, asks the file again, and puts a
// level-triggered item that is still ready back at the tail. An edge is any event of the file, also
// one that changes nothing (more bytes on top of unread ones), as in ep_poll_callback.
#include "harness/kernel/internal.h"
#include "harness/kernel/numbers.h"

namespace lab::kernel {
namespace {

constexpr u32 kAlways = lx::kErr | lx::kHup;
constexpr u32 kPrivate = lx::kEpollEt | lx::kEpollOneshot | lx::kEpollExclusive | lx::kEpollWakeup;

void push_ready(Kernel& k, u32 item) {
  Item& it = k.p->item[item];
  if (it.ready) return;
  Epoll& e = k.p->epoll[it.epoll];
  it.ready = true;
  it.next_ready1 = 0;
  it.prev_ready1 = e.ready_tail1;
  if (e.ready_tail1 != 0)
    k.p->item[e.ready_tail1 - 1].next_ready1 = item + 1;
  else
    e.ready_head1 = item + 1;
  e.ready_tail1 = item + 1;
}

void take_ready(Kernel& k, u32 item) {
  Item& it = k.p->item[item];
  if (!it.ready) return;
  Epoll& e = k.p->epoll[it.epoll];
  (it.prev_ready1 ? k.p->item[it.prev_ready1 - 1].next_ready1 : e.ready_head1) = it.next_ready1;
  (it.next_ready1 ? k.p->item[it.next_ready1 - 1].prev_ready1 : e.ready_tail1) = it.prev_ready1;
  it.ready = false;
}

u32 wanted(Kernel& k, const Item& it) {
  if (it.off) return 0;
  return poll_mask(k, it.open) & ((it.events & ~kPrivate) | kAlways);
}

void remove_item(Kernel& k, u32 item) {
  take_ready(k, item);
  Item& it = k.p->item[item];
  Epoll& e = k.p->epoll[it.epoll];
  Open& o = k.p->open[it.open];
  (it.prev_watch1 ? k.p->item[it.prev_watch1 - 1].next_watch1 : o.watch1) = it.next_watch1;
  if (it.next_watch1) k.p->item[it.next_watch1 - 1].prev_watch1 = it.prev_watch1;
  (it.prev_item1 ? k.p->item[it.prev_item1 - 1].next_item1 : e.items1) = it.next_item1;
  if (it.next_item1) k.p->item[it.next_item1 - 1].prev_item1 = it.prev_item1;
  k.p->item.give(item);
}

void after_change(Kernel& k, u32 item) {
  if (wanted(k, k.p->item[item]) == 0) return;
  push_ready(k, item);
  const u32 open1 = k.p->epoll[k.p->item[item].epoll].open1;
  if (open1 != 0) notify(k, open1 - 1, lx::kIn | lx::kRdnorm);
}

long add_item(Kernel& k, u32 epoll, u32 fd, u32 open, const lx::EpollEvent& event) {
  const i32 i = k.p->item.take();
  if (i < 0) return -lx::kEnospc;
  const u32 item = static_cast<u32>(i);
  Item& it = k.p->item[item];
  Epoll& e = k.p->epoll[epoll];
  Open& o = k.p->open[open];
  it.epoll = epoll;
  it.fd = fd;
  it.open = open;
  it.events = event.events;
  it.data = event.data;
  // New watchers go to the front, as a wait queue's do: one file's epolls wake newest first.
  it.next_watch1 = o.watch1;
  if (o.watch1) k.p->item[o.watch1 - 1].prev_watch1 = item + 1;
  o.watch1 = item + 1;
  it.next_item1 = e.items1;
  if (e.items1) k.p->item[e.items1 - 1].prev_item1 = item + 1;
  e.items1 = item + 1;
  after_change(k, item);
  return 0;
}

i32 find_item(Kernel& k, u32 epoll, u32 fd, u32 open) {
  for (u32 i1 = k.p->open[open].watch1; i1 != 0; i1 = k.p->item[i1 - 1].next_watch1) {
    const Item& it = k.p->item[i1 - 1];
    if (it.epoll == epoll && it.fd == fd) return static_cast<i32>(i1 - 1);
  }
  return -1;
}

long control(Kernel& k, Thread& t) {
  Open* e = open_of(k, static_cast<int>(t.args[0]));
  Open* o = open_of(k, static_cast<int>(t.args[2]));
  if (e == nullptr || o == nullptr) return -lx::kEbadf;
  if (o->kind == Kind::file || o->kind == Kind::directory) return -lx::kEperm;
  if (e->kind != Kind::epoll || e == o) return -lx::kEinval;
  const lx::EpollEvent* event = reinterpret_cast<const lx::EpollEvent*>(t.args[3]);
  const u32 open = index_of(k, o);
  const u32 fd = static_cast<u32>(t.args[2]);
  const i32 found = find_item(k, e->object, fd, open);
  if (t.args[1] != 2 && event == nullptr) return -lx::kEfault;
  switch (t.args[1]) {
    case 1:
      return found >= 0 ? -lx::kEexist : add_item(k, e->object, fd, open, *event);
    case 2:
      if (found < 0) return -lx::kEnoent;
      remove_item(k, static_cast<u32>(found));
      return 0;
    case 3: {
      if (found < 0) return -lx::kEnoent;
      Item& it = k.p->item[static_cast<u32>(found)];
      it.events = event->events;
      it.data = event->data;
      it.off = false;
      after_change(k, static_cast<u32>(found));
      return 0;
    }
    default:
      return -lx::kEinval;
  }
}

long collect(Kernel& k, u32 epoll, lx::EpollEvent* out, int max) {
  Epoll& e = k.p->epoll[epoll];
  const u32 last1 = e.ready_tail1;  // what is put back behind it waits for the next call
  int count = 0;
  while (e.ready_head1 != 0 && count < max) {
    const u32 item = e.ready_head1 - 1;
    Item& it = k.p->item[item];
    const bool was_last = e.ready_head1 == last1;
    take_ready(k, item);
    const u32 events = wanted(k, it);
    if (events != 0) {
      out[count++] = lx::EpollEvent{events, it.data};
      if ((it.events & lx::kEpollOneshot) != 0)
        it.off = true;
      else if ((it.events & lx::kEpollEt) == 0)
        push_ready(k, item);
    }
    if (was_last) break;
  }
  return count;
}

long wait(Kernel& k, Thread& t, i64 timeout_ns, bool with_mask) {
  Open* e = open_of(k, static_cast<int>(t.args[0]));
  if (e == nullptr) return -lx::kEbadf;
  const int max = static_cast<int>(t.args[2]);
  if (e->kind != Kind::epoll || max <= 0) return -lx::kEinval;
  if (t.args[1] == 0) return -lx::kEfault;
  if (with_mask && t.args[4] != 0 && first_try(t)) {
    t.saved_mask = t.mask;
    t.mask_saved = true;
    t.mask = *reinterpret_cast<const u64*>(t.args[4]);
  }
  const long n = collect(k, e->object, reinterpret_cast<lx::EpollEvent*>(t.args[1]), max);
  if (n > 0 || timeout_ns == 0 || timed_out(k, t)) return n;
  t.wait.open = e->object;
  return wait_for(k, t, WaitKind::epoll, deadline_in(k, timeout_ns));
}

long create(Kernel& k, bool cloexec) {
  const i32 epoll = k.p->epoll.take();
  if (epoll < 0) return -lx::kEmfile;
  const i32 open = new_open(k, Kind::epoll, static_cast<u32>(epoll), lx::kRdWr);
  if (open < 0) {
    k.p->epoll.give(static_cast<u32>(epoll));
    return -lx::kEnfile;
  }
  k.p->epoll[static_cast<u32>(epoll)].open1 = static_cast<u32>(open) + 1;
  const long fd = install(k, static_cast<u32>(open), cloexec);
  if (fd < 0) {
    k.p->open[static_cast<u32>(open)].refs = 1;
    release_open(k, static_cast<u32>(open));
  }
  return fd;
}

i64 milliseconds(long timeout) {
  const i32 ms = static_cast<i32>(timeout);
  return ms < 0 ? -1 : i64{ms} * 1'000'000;
}

}  // namespace

void notify(Kernel& k, u32 open, u32 events) {
  for (u32 i1 = k.p->open[open].watch1; i1 != 0; i1 = k.p->item[i1 - 1].next_watch1) {
    const Item& it = k.p->item[i1 - 1];
    if (it.off || (((it.events & ~kPrivate) | kAlways) & events) == 0) continue;
    push_ready(k, i1 - 1);
    const u32 open1 = k.p->epoll[it.epoll].open1;
    if (open1 != 0 && k.p->open[open1 - 1].watch1 != 0) notify(k, open1 - 1, lx::kIn | lx::kRdnorm);
  }
}

bool epoll_ready(Kernel& k, u32 epoll) {
  for (u32 i1 = k.p->epoll[epoll].ready_head1; i1 != 0; i1 = k.p->item[i1 - 1].next_ready1)
    if (wanted(k, k.p->item[i1 - 1]) != 0) return true;
  return false;
}

void epoll_forget_open(Kernel& k, u32 open) {
  while (k.p->open[open].watch1 != 0)
    remove_item(k, k.p->open[open].watch1 - 1);
}

void epoll_closed(Kernel& k, u32 epoll) {
  while (k.p->epoll[epoll].items1 != 0)
    remove_item(k, k.p->epoll[epoll].items1 - 1);
  k.p->epoll.give(epoll);
}

long call_epoll(Kernel& k, Thread& t, bool* mine) {
  switch (t.call) {
    case nr::k_epoll_create:
      return t.args[0] <= 0 ? -lx::kEinval : create(k, false);
    case nr::k_epoll_create1:
      return (t.args[0] & ~lx::kCloexec) != 0 ? -lx::kEinval : create(k, t.args[0] != 0);
    case nr::k_epoll_ctl:
      return control(k, t);
    case nr::k_epoll_wait:
      return wait(k, t, milliseconds(t.args[3]), false);
    case nr::k_epoll_pwait:
      return wait(k, t, milliseconds(t.args[3]), true);
    case nr::k_epoll_pwait2: {
      const lx::Timespec* ts = reinterpret_cast<const lx::Timespec*>(t.args[3]);
      return wait(k, t, ts ? ts->sec * 1'000'000'000 + ts->nsec : -1, true);
    }
    default:
      *mine = false;
      return 0;
  }
}

}  // namespace lab::kernel
