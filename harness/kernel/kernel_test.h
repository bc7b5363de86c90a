// SPDX-License-Identifier: Apache-2.0
// A process of the kernel library without a process: plain memory, calls made directly, entries
// handed over by hand. What the shim and the controller do, in thirty lines.
#pragma once

#include <sys/mman.h>

#include <vector>

#include "harness/kernel/internal.h"
#include "harness/kernel/numbers.h"

namespace lab::kernel {

class Box {
 public:
  Box(u32 slot, u8 last_of_ip, Host* shared = nullptr) {
    x_arena = map(LAB_ARENA_SIZE);
    x_host = shared ? nullptr : map(LAB_HOST_SIZE);
    k.control = reinterpret_cast<lab_control*>(x_arena);
    k.inbox = x_arena + LAB_INBOX_OFFSET;
    k.outbox = x_arena + LAB_OUTBOX_OFFSET;
    k.p = reinterpret_cast<Process*>(x_arena + LAB_KERNEL_OFFSET);
    k.h = shared ? shared : reinterpret_cast<Host*>(x_host);
    k.raw = [](long, long, long, long, long, long, long) -> long { return -lx::kEnosys; };
    k.control->slot = slot;
    k.control->pid = 1000;
    k.control->call_limit = 1u << 30;
    const u8 ip[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, last_of_ip};
    copy(k.h->address, ip, 16);
    start_process(k);
  }
  Box(const Box&) = delete;
  ~Box() {
    ::munmap(x_arena, LAB_ARENA_SIZE);
    if (x_host != nullptr) ::munmap(x_host, LAB_HOST_SIZE);
  }

  template <class... A>
  long call(long number, A... a) {
    const long args[6] = {(long)a...};
    return begin_call(k, thread(), number, args);
  }
  Thread& thread() { return k.p->thread[0]; }
  Thread& second() {
    if (k.p->thread.high < 2) add_thread(k);
    return k.p->thread[1];
  }

  struct Entry {
    lab_entry head;
    std::vector<u8> bytes;
  };
  std::vector<Entry> take() {
    std::vector<Entry> out;
    for (u64 at = 0; at < k.control->outbox_size;) {
      Entry e;
      copy(&e.head, k.outbox + at, sizeof(e.head));
      e.bytes.assign(k.outbox + at + sizeof(e.head), k.outbox + at + sizeof(e.head) + e.head.size);
      at += LAB_ENTRY_SPACE(e.head.size);
      out.push_back(std::move(e));
    }
    k.control->outbox_size = 0;
    pump_all(k);
    return out;
  }
  void put(u16 kind, u64 id, u64 value, const std::vector<u8>& bytes = {}) {
    const lab_entry head{kind, 0, static_cast<u32>(bytes.size()), id, value};
    u8* at = k.inbox + k.control->inbox_size;
    copy(at, &head, sizeof(head));
    copy(at + sizeof(head), bytes.data(), bytes.size());
    k.control->inbox_size += LAB_ENTRY_SPACE(bytes.size());
  }
  void deliver() {
    take_inbox(k);
    k.control->inbox_size = 0;
  }
  void advance(i64 ns) {
    k.control->now_ns += ns;
    deliver();
  }

  Kernel k{};

 private:
  static u8* map(u64 size) {
    return static_cast<u8*>(::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  }
  u8* x_arena;
  u8* x_host;
};

inline lx::SockaddrIn ipv4(u8 last, u16 port) {
  return {lx::kInet, static_cast<u16>(port << 8 | port >> 8), {10, 0, 0, last}, {}};
}

/// Two processes on two hosts, and what lies on the wire between them, under the test's hand.
class Wire {
 public:
  Wire() : a(1, 1), b(2, 2) {
    listener = static_cast<int>(b.call(nr::k_socket, lx::kInet, lx::kStream, 0));
    const lx::SockaddrIn at = ipv4(2, 80);
    b.call(nr::k_bind, listener, &at, sizeof(at));
    b.call(nr::k_listen, listener, 16);
    left = static_cast<int>(a.call(nr::k_socket, lx::kInet, lx::kStream | lx::kNonblock, 0));
    a.call(nr::k_connect, left, &at, sizeof(at));
    const auto syn = a.take();
    a_id = syn.at(0).head.id;
    lab_addresses names;
    copy(&names, syn[0].bytes.data(), sizeof(names));
    lab_addresses turned = names;
    copy(turned.local, names.remote, 16);
    copy(turned.remote, names.local, 16);
    turned.local_port = names.remote_port;
    turned.remote_port = names.local_port;
    std::vector<u8> payload(sizeof(turned) + 8);
    copy(payload.data(), &turned, sizeof(turned));
    copy(payload.data() + sizeof(turned), &syn[0].head.value, 8);
    b.put(LAB_IN_SYN, handle_of(b.k, socket_at(b, listener)), 1, payload);
    b.deliver();
    b_id = b.take().at(0).head.id;
    a.put(LAB_IN_ACCEPTED, a_id, b.k.h->port[0].window);
    a.deliver();
    right = static_cast<int>(b.call(nr::k_accept4, listener, 0, 0, lx::kNonblock));
  }
  static Socket& socket_at(Box& box, int fd) { return box.k.p->socket[open_of(box.k, fd)->object]; }

  Box a, b;
  int listener = -1, left = -1, right = -1;
  u64 a_id = 0, b_id = 0;
};

}  // namespace lab::kernel
