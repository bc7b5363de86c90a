// SPDX-License-Identifier: Apache-2.0
#include "harness/kernel/kernel.h"

#include "harness/kernel/internal.h"
#include "harness/kernel/numbers.h"

namespace lab::kernel {
namespace {

// Entries that answer (resets, windows, closes) always find room: data leaves this much.
constexpr u64 kReserve = 128 * 1024;
// A call may put this much into the outbox at once.
constexpr u64 kCallRoom = 384 * 1024;

long dispatch(Kernel& k, Thread& t) {
  using Family = long (*)(Kernel&, Thread&, bool*);
  static constexpr Family families[] = {call_descriptors, call_sockets,  call_epoll, call_threads,
                                        call_timers,      call_poll,     call_pipes, call_messages,
                                        call_signals,     call_identity, call_files};
  for (Family family : families) {
    bool mine = true;
    const long result = family(k, t, &mine);
    if (mine) return result;
  }
  return refuse(k, t, LAB_STOP_INTERNAL, "simulated in the table, but by no family");
}

long attempt(Kernel& k, Thread& t) {
  const long result = dispatch(k, t);
  ++t.wait.attempts;
  if (result == kBlocked) return result;
  t.wait = Wait{};
  return result;
}

}  // namespace

void start_process(Kernel& k) {
  Process& p = *k.p;
  p.next_tid = k.control->pid;
  p.umask = 022;
  p.alarm_at = LAB_NEVER;
  p.seen_offset = k.control->clock_offset_ns;
  copy(p.cwd, "/node", 6);
  const i32 nothing = new_open(k, Kind::null, 0, 0);
  install(k, static_cast<u32>(nothing), false);
  for (u32 fd = 1; fd < 32; ++fd) {
    if (fd > 2 && (k.control->inherited & (1u << fd)) == 0) continue;
    const i32 open = new_open(k, Kind::output, fd, lx::kWrOnly);
    install(k, static_cast<u32>(open), false, fd);
  }
  add_thread(k);
}

bool count_call(Kernel& k, long number) {
  lab_control& c = *k.control;
  if (number >= 0 && number < static_cast<long>(LAB_MAX_CALL)) {
    if (c.calls[number]++ == 0) c.touched[c.calls_touched++] = static_cast<u16>(number);
  }
  return ++k.p->calls_this_turn > c.call_limit;
}

long begin_call(Kernel& k, Thread& t, long number, const long* args) {
  if (outbox_room(k) < kCallRoom) return kFlush;
  const CallRule* rule = rule_of(number);
  t.call = number;
  copy(t.args, args, sizeof(t.args));
  t.wait = Wait{};
  if (rule == nullptr || rule->policy == Policy::refuse) {
    if ((k.control->flags & LAB_FLAG_PASS_UNKNOWN) != 0) {
      note(k, call_name(number));
      return kNative;
    }
    return refuse(k, t, LAB_STOP_REFUSED_CALL, rule ? rule->reason : "not in the table");
  }
  if (rule->policy == Policy::pass) return kNative;
  return attempt(k, t);
}

long retry_call(Kernel& k, Thread& t) {
  return attempt(k, t);
}

long wait_for(Kernel& k, Thread& t, WaitKind kind, i64 deadline) {
  if (first_try(t)) {
    t.wait.since = k.control->now_ns;
    t.wait.deadline = deadline;
  }
  t.wait.kind = kind;
  return kBlocked;
}

long wait_for_open(Kernel& k, Thread& t, u32 open, u32 mask, i64 deadline) {
  t.wait.open = open;
  t.wait.mask = mask;
  return wait_for(k, t, WaitKind::open_mask, deadline);
}

bool ready(Kernel& k, Thread& t) {
  if (t.run == Run::ready) return true;
  if (t.run != Run::blocked) return false;
  if (t.wait.deadline <= k.control->now_ns) return true;
  if (t.wait.kind != WaitKind::yield && signal_waits(k, t)) return true;
  switch (t.wait.kind) {
    case WaitKind::open_mask:
      return (poll_mask(k, t.wait.open) & (t.wait.mask | lx::kErr | lx::kHup)) != 0;
    case WaitKind::acked: {
      const Socket& s = k.p->socket[t.wait.open];
      return !s.used || s.tx_acked >= s.tx_total + (s.fin_sent ? 1 : 0) ||
             s.state != TcpState::connected;
    }
    case WaitKind::poll:
    case WaitKind::select:
      return poll_ready(k, t);
    case WaitKind::epoll:
      return epoll_ready(k, t.wait.open);
    case WaitKind::futex:
      return t.futex_woken;
    case WaitKind::yield:
    case WaitKind::none:
      return true;
    case WaitKind::lock:
    case WaitKind::sleep:
    case WaitKind::signals:
      return false;
  }
  return false;
}

void take_inbox(Kernel& k) {
  k.p->calls_this_turn = 0;
  u64 at = 0;
  while (at + sizeof(lab_entry) <= k.control->inbox_size) {
    lab_entry entry;
    copy(&entry, k.inbox + at, sizeof(entry));
    const u8* payload = k.inbox + at + sizeof(entry);
    if (entry.kind == LAB_IN_SIGNAL)
      raise_signal(k, static_cast<int>(entry.value));
    else
      take_network_entry(k, entry, payload);
    at += LAB_ENTRY_SPACE(entry.size);
  }
  timers_advance(k);
  tcp_retry_connects(k);
}

i64 next_deadline(const Kernel& k) {
  i64 best = timers_deadline(k);
  const Process& p = *k.p;
  for (u32 i = 0; i < p.thread.high; ++i)
    if (p.thread[i].used && p.thread[i].run == Run::blocked)
      best = least(best, p.thread[i].wait.deadline);
  if (p.connecting > 0)
    for (u32 i = 0; i < p.socket.high; ++i)
      if (p.socket[i].used && p.socket[i].state == TcpState::connecting)
        best = least(best, p.socket[i].retry_at);
  return best;
}

u64 outbox_room(const Kernel& k) {
  const u64 used = k.control->outbox_size + kReserve;
  return used < LAB_OUTBOX_SIZE ? LAB_OUTBOX_SIZE - used : 0;
}

u8* emit(Kernel& k, lab_out kind, u64 id, u64 value, u64 size) {
  const u64 at = k.control->outbox_size;
  if (at + LAB_ENTRY_SPACE(size) > LAB_OUTBOX_SIZE) {
    refuse(k, current(k), LAB_STOP_CAPACITY, "outbox full of answers");
    return nullptr;
  }
  const lab_entry entry{static_cast<u16>(kind), 0, static_cast<u32>(size), id, value};
  copy(k.outbox + at, &entry, sizeof(entry));
  u8* payload = k.outbox + at + sizeof(entry);
  for (u64 i = size; i % 8 != 0; ++i)
    payload[i] = 0;
  k.control->outbox_size = at + LAB_ENTRY_SPACE(size);
  return payload;
}

void note(Kernel& k, const char* text) {
  const u64 n = length(text);
  if (u8* to = emit(k, LAB_OUT_NOTE, 0, 0, n)) copy(to, text, n);
}

long refuse(Kernel& k, const Thread& t, lab_stop_kind kind, const char* why) {
  lab_stop& stop = k.control->stop;
  if (stop.kind != LAB_STOP_NONE) return kRefused;  // the first reason counts
  stop.kind = kind;
  stop.thread = static_cast<u32>(t.tid);
  stop.call = t.call;
  for (int i = 0; i < 3; ++i)
    stop.args[i] = static_cast<u64>(t.args[i]);
  const u64 n = least<u64>(length(why), sizeof(stop.text) - 1);
  copy(stop.text, why, n);
  stop.text[n] = 0;
  return kRefused;
}

void end_process(Kernel& k, int wait_status) {
  Process& p = *k.p;
  if (p.exiting) return;
  p.exiting = true;
  p.exit_status = wait_status;
  for (u32 fd = 0; fd < p.fd_high; ++fd)
    if (p.fd[fd].open1 != 0) close_fd(k, static_cast<int>(fd));
  drop_locks(k, 0, k.control->pid, 0);
  emit(k, LAB_OUT_EXIT, 0, static_cast<u64>(static_cast<u32>(wait_status)), 0);
}

bool drained(const Kernel& k) {
  return k.p->orphans == 0;
}

}  // namespace lab::kernel
