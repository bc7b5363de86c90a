// SPDX-License-Identifier: Apache-2.0
// The simulated kernel of one process, as a pure library: calls in, results and entries out.
//
// Whoever uses it (the shim inside a node; a test) owns threads, turns and the real kernel:
//
//   begin_call / retry_call   0 or more, -errno, kBlocked (see Thread::wait), kNative (make the
//                             real call), kFlush (hand the outbox over first), kRefused
//   take_inbox                after the controller wrote one and moved the clock
//   next_deadline             what to ask of the controller when every thread is blocked
//
// A blocked call is made again, whole, once ready() says so: every call keeps what it needs in its
// thread's Wait, so nothing is ever half done in a register. `now` does not move during a turn.
//
// Real calls (files, memory) go through `raw`. Pointers from the program are trusted, but for null.
// Threads: one at a time, by construction of the user.
#pragma once

#include "harness/kernel/state.h"
#include "harness/protocol/syscalls.h"

namespace lab::kernel {

using RawCall = long (*)(long number, long, long, long, long, long, long);

struct Kernel {
  lab_control* control;
  Process* p;
  Host* h;
  u8* inbox;
  u8* outbox;
  RawCall raw;
};

/// An empty process: descriptors 0, 1, 2 and the inherited outputs, one thread.
void start_process(Kernel& k);
long begin_call(Kernel& k, Thread& t, long number, const long* args);
long retry_call(Kernel& k, Thread& t);
bool ready(Kernel& k, Thread& t);
/// Takes every entry of the inbox, then everything whose time has come.
void take_inbox(Kernel& k);
i64 next_deadline(const Kernel& k);
/// Counts a call for the chain; true when this activation has made too many (the clock must step).
bool count_call(Kernel& k, long number);

// ---- outbox ------------------------------------------------------------------------------------
/// Room for `size` bytes of payload to fill, zero-padded; nullptr when there is none left.
u8* emit(Kernel& k, lab_out kind, u64 id, u64 value, u64 size);
void note(Kernel& k, const char* text);
u64 outbox_room(const Kernel& k);
/// Sends what waited for room. Call when the outbox is empty again.
void pump_all(Kernel& k);

// ---- stopping ----------------------------------------------------------------------------------
/// Fills control->stop; returns kRefused.
long refuse(Kernel& k, const Thread& t, lab_stop_kind kind, const char* why);
/// Ends the program: closes what is open as Linux does, reports the status.
void end_process(Kernel& k, int wait_status);
/// The process may go: no socket has bytes left to send.
bool drained(const Kernel& k);

// ---- threads and signals
// -------------------------------------------------------------------------
Thread* add_thread(Kernel& k);
/// CLONE_CHILD_CLEARTID and the run queue; the last thread ends the process (status 0 as given).
void end_thread(Kernel& k, Thread& t);
Thread& current(Kernel& k);
/// The next ready thread after the current one, round robin; nullptr when all wait.
Thread* next_ready(Kernel& k);
void raise_signal(Kernel& k, int signal);
bool signal_waits(const Kernel& k, const Thread& t);
/// A handler to run now. `handler` 0: the default action was taken (the process has ended).
/// The uid and gid of every program.
inline constexpr int kUser = 1000;

struct Handler {
  int signal;
  i32 code, pid;  ///< si_code, si_pid
  lx::Sigaction action;
};
bool take_signal(Kernel& k, Thread& t, Handler* out);
bool restarts(long call);

// ---- clocks
// --------------------------------------------------------------------------------------
i64 local_from_lab(const Kernel& k, i64 lab);
i64 lab_from_local(const Kernel& k, i64 local);
i64 monotonic_now(const Kernel& k);
i64 realtime_now(const Kernel& k);
void fill_random(Kernel& k, u8* out, u64 n);

}  // namespace lab::kernel
