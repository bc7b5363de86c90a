// SPDX-License-Identifier: Apache-2.0
// Everything the simulated kernel knows: of one process (in its arena) and of one host (in the page
// its processes share). Plain data with indices, no pointers into itself, zero bytes are the empty
// state; the controller maps, digests and reads it.
//
// Bounds are the array sizes below; each full table has Linux's answer (EMFILE, ENFILE, ENOBUFS,
// ENOMEM, ENOLCK) or stops the run with LAB_STOP_CAPACITY. Indices named `..1` are index + 1, so
// that zero means none.
#pragma once

#include "harness/kernel/linux.h"
#include "harness/protocol/contract.h"

namespace lab::kernel {

inline constexpr u32 kMaxFds = 4096, kMaxOpen = 4096, kMaxSockets = 2048, kMaxPipes = 256;
inline constexpr u32 kMaxTimers = 1024, kMaxEvents = 512, kMaxEpolls = 128, kMaxItems = 8192;
inline constexpr u32 kMaxSignalFds = 32, kMaxThreads = LAB_MAX_THREADS, kPathMax = 4096;
inline constexpr u32 kRxBytes = 128 * 1024, kTxBytes = 128 * 1024, kPipeBytes = 64 * 1024;
inline constexpr u32 kMaxPorts = 4096, kMaxInodes = 16384, kMaxLocks = 1024, kMaxVirtual = 64;
inline constexpr u32 kVirtualBytes = 1024 * 1024, kSegmentMax = 65536;

enum class Kind : u8 {
  none,
  file,
  directory,
  socket,
  pipe_read,
  pipe_write,
  pair,
  event,
  timer,
  signals,
  epoll,
  output,
  null,
  zero,
  random,
  full,
  virtual_file
};

struct Fd {
  u32 open1;  ///< index of the open description
  u8 cloexec;
  u8 pad[3];
};

/// An open file description: what dup(2) shares.
struct Open {
  bool used;
  Kind kind;
  u16 refs;
  u32 link;
  u32 flags;     ///< O_ACCMODE, O_APPEND, O_NONBLOCK
  u32 object;    ///< index in the kind's table; output: the descriptor number
  u32 watch1;    ///< first epoll item on this description
  i32 real;      ///< file, directory: the real descriptor
  u64 inode;     ///< file, directory: the lab's number
  u64 position;  ///< directory: next entry; virtual_file: offset
  i64 mtime_ns;
  u64 wait_seq;
};

struct Address {
  u8 ip[16];
  u16 port;
  u16 pad;
};

enum class TcpState : u8 { fresh, listening, connecting, connected, closed };

struct Socket {
  bool used;
  u8 family;  ///< 2 or 10, as the program made it
  u8 type;    ///< stream or datagram
  TcpState state;
  u32 link;
  u32 generation;
  u32 open1;
  u32 peer1;      ///< the other end, if it is in this process
  u32 listener1;  ///< of a child that nobody accepted yet
  u32 next1;      ///< in the accept queue
  u32 queue_head1, queue_tail1, queued, backlog;
  u32 port1;  ///< entry in the host's port table
  Address local, remote;
  bool bound, rx_fin, rx_shut, tx_shut, fin_sent, nospace, want, orphan;
  bool nodelay, keepalive, reuse_address, reuse_port, broadcast, v6only, linger_on, ever_connected;
  bool reset_seen, here, pump_later, connect_told;
  i32 error;  ///< SO_ERROR
  i32 linger_s, keep_idle, keep_interval, keep_count, user_timeout, priority;
  u32 rcvbuf, sndbuf, rcv_lowat;
  i64 rcv_timeout, snd_timeout;              ///< ns, 0: none
  u32 rx_head, rx_size;                      ///< ring of received, unread bytes
  u32 tx_head, tx_size;                      ///< ring of written, unsent bytes
  u64 rx_total, rx_read, rx_edge;            ///< stream positions: arrived, read, told to the peer
  u64 tx_total, tx_sent, tx_acked, tx_edge;  ///< written, sent, acknowledged, allowed
  u64 token;
  i64 retry_at;  ///< connecting: when the SYN goes out again
  u32 retries;
  u32 datagrams;  ///< queued
};

struct Pipe {
  bool used, nospace;
  bool write_shut, read_shut;  ///< socketpairs: shutdown(2)
  u32 link;
  u32 head, size;
  u16 readers, writers;
  u32 reader1, writer1;  ///< descriptions to notify
};

struct Event {
  bool used, semaphore;
  u16 pad;
  u32 link, open1;
  u64 count;
};

struct Timer {
  bool used, realtime;
  u16 pad;
  u32 link, open1;
  i64 expires;      ///< lab time; LAB_NEVER when disarmed
  i64 local;        ///< the same on the program's clock
  i64 interval;     ///< local ns
  u64 expirations;  ///< not read yet
};

struct SignalFd {
  bool used;
  u8 pad[3];
  u32 link, open1;
  u64 mask;
};

struct Epoll {
  bool used;
  u8 pad[3];
  u32 link, open1;
  u32 ready_head1, ready_tail1;  ///< items, in the order in which they became ready
  u32 items1;
};

struct Item {
  bool used, ready, off;  ///< off: EPOLLONESHOT has fired
  u8 pad;
  u32 link;
  u32 epoll, fd, open;
  u32 events;
  u64 data;
  u32 next_watch1, prev_watch1;  ///< of the same description
  u32 next_ready1, prev_ready1;
  u32 next_item1, prev_item1;  ///< of the same epoll
};

enum class WaitKind : u8 {
  none,
  open_mask,
  poll,
  select,
  epoll,
  futex,
  sleep,
  lock,
  signals,
  acked,
  yield
};

struct Wait {
  WaitKind kind;
  u8 pad[3];
  u32 open;  ///< open_mask
  u32 mask;
  u32 attempts;  ///< how often this call has been tried
  i64 deadline;  ///< lab time; LAB_NEVER
  i64 since;
  u64 done;  ///< bytes a partial write has moved
};

enum class Run : u8 { unused, ready, blocked, exited };

struct Thread {
  bool used;
  Run run;
  u16 pad;
  u32 link;
  i32 tid;
  u32 baton;  ///< futex word of the shim
  i64 call;
  long args[6];
  Wait wait;
  u64 clear_tid;
  u64 mask, saved_mask;
  bool mask_saved;
  bool futex_woken;
  bool in_call;
  u8 pad2[5];
  u64 futex_address;
  u32 futex_bitset;
  u32 pad3;
  u64 futex_seq;
  u64 pending;  ///< signals for this thread
  lx::Stack alt;
};

struct Process {
  Fd fd[kMaxFds];
  u32 fd_low;   ///< no free descriptor below
  u32 fd_high;  ///< none used at and above
  u32 current;  ///< thread
  u32 threads_live;
  u32 connecting;  ///< sockets with a SYN on its way
  u32 orphans;     ///< closed sockets with bytes to send
  u32 timers_armed;
  u32 pump;  ///< sockets wait for room in the outbox
  i32 next_tid;
  i32 exit_status;
  bool exiting;
  bool outbox_short;
  u16 umask;
  u32 generation;
  u64 futex_seq;
  u64 random_counter;
  u64 tsc_reads;
  u64 calls_this_turn;
  u64 pending;  ///< signals for the process
  i64 alarm_at, alarm_interval;
  i64 seen_offset;
  lx::Sigaction action[65];
  char cwd[kPathMax];  ///< "/node" or below, or outside
  Table<Open, kMaxOpen> open;
  Table<Socket, kMaxSockets> socket;
  Table<Pipe, kMaxPipes> pipe;
  Table<Event, kMaxEvents> event;
  Table<Timer, kMaxTimers> timer;
  Table<SignalFd, kMaxSignalFds> signal_fd;
  Table<Epoll, kMaxEpolls> epoll;
  Table<Item, kMaxItems> item;
  Table<Thread, kMaxThreads> thread;
  alignas(4096) u8 scratch[256 * 1024];
  alignas(4096) u8 pipe_bytes[kMaxPipes][kPipeBytes];
  alignas(4096) u8 rx[kMaxSockets][kRxBytes];
  alignas(4096) u8 tx[kMaxSockets][kTxBytes];
};
static_assert(LAB_KERNEL_OFFSET + sizeof(Process) <= LAB_ARENA_SIZE);

// ---- the host ---------------------------------------------------------------------------------

struct Port {
  bool used, listening, any, reuse, v6only;
  u8 type, family;
  u8 pad;
  u32 link;
  u32 slot;    ///< process
  u64 handle;  ///< socket there
  Address address;
  u32 backlog;
  u32 queued;   ///< established, not accepted
  u32 pending;  ///< handshakes the controller has under way
  u32 window;
};

/// A file the lab has given a number.
struct Inode {
  bool used;
  u8 pad[3];
  u32 link;
  u64 real_dev, real_ino;
  u64 number;
  i64 mtime_ns;
};

struct Lock {
  bool used, exclusive;
  u16 pad;
  u32 link;
  u64 inode;
  i64 start, end;  ///< [start, end)
  i32 pid;
  u32 owner;  ///< 0: the process; else description + 1 (open file description locks, flock)
};

struct VirtualFile {
  char path[128];
  u64 offset, size;
};

struct Host {
  u8 address[16];
  u32 next_port;  ///< ephemeral, 0: not started
  i32 next_pid;
  u64 next_inode;
  u32 virtual_count;
  u32 pad;
  Table<Port, kMaxPorts> port;
  Table<Inode, kMaxInodes> inode;
  Table<Lock, kMaxLocks> lock;
  VirtualFile virtual_file[kMaxVirtual];
  u8 virtual_bytes[kVirtualBytes];
};
static_assert(sizeof(Host) <= LAB_HOST_SIZE);

}  // namespace lab::kernel
