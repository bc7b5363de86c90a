// SPDX-License-Identifier: Apache-2.0
// What the families of the kernel library share among themselves; not for users (see kernel.h).
#pragma once

#include "harness/kernel/kernel.h"

namespace lab::kernel {

// ---- descriptors
// ---------------------------------------------------------------------------------
Open* open_of(Kernel& k, int fd);
i32 new_open(Kernel& k, Kind kind, u32 object, u32 flags);
/// Lowest free at or above `from`; -EMFILE. Takes a reference of `open`.
long install(Kernel& k, u32 open, bool cloexec, u32 from = 0);
void release_open(Kernel& k, u32 open);
long close_fd(Kernel& k, int fd);
u32 poll_mask(Kernel& k, u32 open);
/// Something happened: epolls that watch for `events` put the description on their ready list.
void notify(Kernel& k, u32 open, u32 events);
inline u32 index_of(Kernel& k, const Open* o) {
  return static_cast<u32>(o - k.p->open.item);
}
inline bool nonblocking(const Open& o, int flags = 0) {
  return (o.flags & lx::kNonblock) != 0 || (flags & lx::kMsgDontwait) != 0;
}

// ---- waiting
// -------------------------------------------------------------------------------------
inline bool first_try(const Thread& t) {
  return t.wait.attempts == 0;
}
inline bool timed_out(const Kernel& k, const Thread& t) {
  return !first_try(t) && t.wait.deadline <= k.control->now_ns;
}
/// Keeps the deadline of the first try.
long wait_for(Kernel& k, Thread& t, WaitKind kind, i64 deadline = LAB_NEVER);
long wait_for_open(Kernel& k, Thread& t, u32 open, u32 mask, i64 deadline = LAB_NEVER);
/// Lab time `ns` of the program's clock from now; ns < 0: never.
i64 deadline_in(const Kernel& k, i64 ns);

// ---- gather and scatter
// ----------------------------------------------------------------------------
u64 total(const lx::Iovec* iov, u64 n);
/// Copies up to n bytes from the vector, beginning `skip` bytes into it.
u64 gather(const lx::Iovec* iov, u64 count, u64 skip, u8* to, u64 n);
u64 scatter(const lx::Iovec* iov, u64 count, u64 skip, const u8* from, u64 n);
void ring_write(u8* ring, u32 capacity, u32 head, u32 size, const u8* from, u32 n);
void ring_read(const u8* ring, u32 capacity, u32 head, u32 skip, u8* to, u32 n);

// ---- the families
// ----------------------------------------------------------------------------------
long read_open(Kernel&, Thread&, u32 open, const lx::Iovec*, u64 n);
long write_open(Kernel&, Thread&, u32 open, const lx::Iovec*, u64 n);
long call_descriptors(Kernel&, Thread&, bool* mine);
long call_sockets(Kernel&, Thread&, bool* mine);
long call_epoll(Kernel&, Thread&, bool* mine);
long call_poll(Kernel&, Thread&, bool* mine);
long call_timers(Kernel&, Thread&, bool* mine);
long call_pipes(Kernel&, Thread&, bool* mine);
long call_threads(Kernel&, Thread&, bool* mine);
long call_signals(Kernel&, Thread&, bool* mine);
long call_files(Kernel&, Thread&, bool* mine);
long call_identity(Kernel&, Thread&, bool* mine);

// sockets
u32 socket_mask(Kernel&, const Socket&);
void socket_closed(Kernel&, u32 socket);
/// SO_LINGER: the FIN goes out, then close(2) waits. kBlocked or 0.
long socket_linger(Kernel&, Thread&, u32 socket);
long socket_recv(Kernel&, Thread&, u32 open, const lx::Iovec*, u64 n, int flags, Address* from);
long socket_send(Kernel&, Thread&, u32 open, const lx::Iovec*, u64 n, int flags, const Address* to);
long socket_ioctl(Kernel&, Socket&, long request, int* argument);
long udp_send(Kernel&, Thread&, u32 open, const lx::Iovec*, u64 n, int flags, const Address* to);
long udp_recv(Kernel&, Thread&, u32 open, const lx::Iovec*, u64 n, int flags, Address* from,
              u32* out_flags);
long tcp_recv(Kernel&, Thread&, u32 open, const lx::Iovec*, u64 n, int flags);
long tcp_send(Kernel&, Thread&, u32 open, const lx::Iovec*, u64 n, int flags);
long tcp_connect(Kernel&, Thread&, u32 open, const Address& to);
long tcp_listen(Kernel&, Socket&, int backlog);
long tcp_accept(Kernel&, Thread&, u32 open, i32* child);
long tcp_shutdown(Kernel&, Socket&, int how);
void tcp_pump(Kernel&, Socket&);
void tcp_retry_connects(Kernel&);
void tcp_fail(Kernel&, Socket&, i32 error);
void take_network_entry(Kernel&, const lab_entry&, const u8* payload);
u64 handle_of(Kernel&, const Socket&);
Socket* socket_of_handle(Kernel&, u64 handle);
// ports
long bind_port(Kernel&, Socket&, Address address, bool listening_check);
long bind_ephemeral(Kernel&, Socket&);
void release_port(Kernel&, Socket&);
Port* find_listener(Kernel&, const Address& to, u8 type);
bool is_any(const Address& a);
bool is_own(const Kernel& k, const Address& a);
long read_address(const Socket& s, const u8* from, u64 n, Address* out);
void write_address(const Socket& s, const Address& a, u8* to, u32* n);
/// The source address a connection to `to` gets.
void source_for(const Kernel& k, const Address& to, u8* ip);
long call_messages(Kernel&, Thread&, bool* mine);
long socket_option(Kernel&, Thread&, Socket&, bool set);

// pipes, events, signals, timers
u32 pipe_mask(Kernel&, const Open&);
void pipe_closed(Kernel&, const Open&);
/// Bytes of the first datagram; 0 if there is none.
u32 udp_first(Kernel&, const Socket&);
long pipe_read(Kernel&, Thread&, u32 open, const lx::Iovec*, u64 n, int flags = 0);
long pipe_write(Kernel&, Thread&, u32 open, const lx::Iovec*, u64 n, int flags = 0);
/// shutdown(2) of one end of a socketpair.
long pair_shutdown(Kernel&, Open&, int how);
long event_read(Kernel&, Thread&, u32 open, const lx::Iovec*, u64 n);
long event_write(Kernel&, Thread&, u32 open, const lx::Iovec*, u64 n);
long timer_read(Kernel&, Thread&, u32 open, const lx::Iovec*, u64 n);
long signal_fd_read(Kernel&, Thread&, u32 open, const lx::Iovec*, u64 n);
u32 signal_fd_mask(Kernel&, const Open&);
void timers_advance(Kernel&);
i64 timers_deadline(const Kernel&);
void futex_wake_address(Kernel&, u64 address, u32 n, u32 bitset);
void check_signal_fds(Kernel&);

// epoll
void epoll_forget_open(Kernel&, u32 open);
void epoll_closed(Kernel&, u32 epoll);
bool epoll_ready(Kernel&, u32 epoll);
bool poll_ready(Kernel&, Thread&);

// files
long file_read(Kernel&, u32 open, const lx::Iovec*, u64 n);
long file_write(Kernel&, u32 open, const lx::Iovec*, u64 n);
void file_closed(Kernel&, const Open&, u32 open);
long file_lock(Kernel&, Thread&, Open&, long command, lx::Flock*);
void drop_locks(Kernel&, u64 inode, i32 pid, u32 owner);

inline long real(Kernel& k, long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0,
                 long f = 0) {
  return k.raw(number, a, b, c, d, e, f);
}

}  // namespace lab::kernel
