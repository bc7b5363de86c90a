// SPDX-License-Identifier: Apache-2.0
// Who runs next. The loop of a run:
//
//   t = the earliest of: an agenda entry, a parcel due, a node's deadline
//   collect everything due at t into the nodes' inboxes and mark those nodes
//   hand the turn down the chain of marked nodes, in the order of their NodeId
//   take their outboxes, in that order; what they cause at t makes another round at t
//
// A hand-over is two futex operations and a context switch. All nodes of one round are woken in a
// chain: the controller wakes the first, each wakes the next, the last wakes the controller.
// Nothing that a node does reaches another within a round, so the chain changes nothing but speed.
#include <linux/futex.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>

#include "harness/controller/host_state.h"
#include "harness/controller/impl.h"

namespace lab::controller {
namespace {

void wake(lab_turns& turns, std::uint32_t slot) {
  __atomic_store_n(&turns.slot[slot].word, 1, __ATOMIC_RELEASE);
  ::syscall(SYS_futex, &turns.slot[slot].word, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

bool taken(lab_turns& turns) {
  return __atomic_exchange_n(&turns.slot[0].word, 0, __ATOMIC_ACQUIRE) == 1;
}

}  // namespace

void Controller::Impl::add_due(Due due, HostId host) {
  due.host = index(host);
  due.sequence = host_sequence[index(host)]++;
  agenda.push(std::move(due));
}

void Controller::Impl::mark(Node& node) {
  if (node.marked || node.paused || node.phase == Phase::over || node.phase == Phase::waiting)
    return;
  if (node.busy_until > now) {
    add_due({node.busy_until, 1, 0, 0, node.id, nullptr}, node.spec.host);
    return;
  }
  node.marked = true;
  marked.push_back(index(node.id));
}

std::int64_t Controller::Impl::next_time() {
  std::int64_t t = LAB_NEVER;
  if (!agenda.empty()) t = std::min(t, agenda.top().time);
  if (const auto due = network.next_due()) t = std::min(t, ns(*due));
  while (!deadlines.empty()) {  // entries of a deadline that has moved are void
    const auto [time, id] = deadlines.top();
    const Node& node = nodes[id];
    if (node.deadline == time && !node.paused && node.phase != Phase::over) {
      t = std::min(t, time);
      break;
    }
    deadlines.pop();
  }
  return t;
}

void Controller::Impl::collect(std::int64_t t) {
  collect_agenda(t);
  if (stopped) return;
  deliveries.clear();
  network.take_due(at_ns(t), deliveries);
  for (Delivery& delivery : deliveries)
    deliver(delivery);
  take_woken(t);
  for (const std::uint32_t id : woken)
    mark(nodes[id]);
}

void Controller::Impl::collect_agenda(std::int64_t t) {
  while (!agenda.empty() && agenda.top().time <= t) {
    const Due due = agenda.top();
    agenda.pop();
    switch (due.kind) {
      case 0: {
        Node& node = node_of(due.node);
        if (node.phase == Phase::waiting && spawn(node)) mark(node);
        if (stopped) return;
        break;
      }
      case 1:
        mark(node_of(due.node));
        break;
      default: {
        Delivery delivery{at_ns(t), Fate::delivered, std::move(*due.parcel)};
        deliver(delivery);
        break;
      }
    }
  }
}

/// Whose deadline has come, into `woken`.
void Controller::Impl::take_woken(std::int64_t t) {
  woken.clear();
  while (!deadlines.empty() && deadlines.top().first <= t) {
    const auto [time, id] = deadlines.top();
    deadlines.pop();
    if (nodes[id].deadline != time) continue;
    nodes[id].deadline = LAB_NEVER;
    woken.push_back(id);
  }
}

/// A time limit on each futex wait would arm a timer at every hand-over; a thread that looks five
/// times a second costs nothing. It wakes the controller's wait when a whole look saw no turn.
void Controller::Impl::watch() {
  lab_turns& table = *turns.at<lab_turns>();
  std::uint64_t seen = 0;
  std::unique_lock lock(watch_mutex);
  while (!watch_end) {
    watch_wake.wait_for(lock, std::chrono::milliseconds(200));
    const std::uint64_t at = __atomic_load_n(&turns_taken, __ATOMIC_RELAXED);
    if (at == seen) ::syscall(SYS_futex, &table.slot[0].word, FUTEX_WAKE, 1, nullptr, nullptr, 0);
    seen = at;
  }
}

bool Controller::Impl::wait_turn(const std::vector<std::uint32_t>& chain) {
  lab_turns& table = *turns.at<lab_turns>();
  std::chrono::steady_clock::time_point begin{};
  while (!taken(table)) {
    if (::syscall(SYS_futex, &table.slot[0].word, FUTEX_WAIT, 0, nullptr, nullptr, 0) != 0)
      continue;
    if (taken(table)) break;
    if (begin == std::chrono::steady_clock::time_point{}) begin = std::chrono::steady_clock::now();
    if (!look_after(chain, std::chrono::steady_clock::now() - begin))
      return taken(table) && !stopped;  // it had handed over before it went
  }
  __atomic_fetch_add(&turns_taken, 1, __ATOMIC_RELAXED);
  return true;
}

/// Nobody has handed over for a while: is somebody gone, or running for too long? False: yes.
bool Controller::Impl::look_after(const std::vector<std::uint32_t>& chain, Duration waited) {
  for (const std::uint32_t id : chain) {
    Node& node = nodes[id];
    int status = 0;
    if (node.pid <= 0 || ::waitpid(node.pid, &status, WNOHANG) != node.pid) continue;
    node.pid = -1;
    if (turns.at<lab_turns>()->slot[0].word == 1) return false;
    node.phase = Phase::over;
    const std::string how = WIFSIGNALED(status)
                                ? "killed by signal " + std::to_string(WTERMSIG(status))
                                : "exit status " + std::to_string(WEXITSTATUS(status));
    stop_run(StopKind::died, &node, "is gone without a word (" + how + ")");
    return false;
  }
  if (waited < options.watchdog) return true;
  for (const std::uint32_t id : chain) {
    const Node& node = nodes[id];
    if (node.control->state != LAB_STATE_RUNNING && node.control->state != LAB_STATE_STARTING)
      continue;
    const kernel::Thread& thread = node.process->thread[node.process->current];
    now = node.control->now_ns;
    stop_run(StopKind::watchdog, &node,
             "thread " + std::to_string(thread.tid) + " has been running for " +
                 mix::to_text(options.watchdog) +
                 " of wall time without waiting; its last call was " + call_text(thread.call));
    return false;
  }
  return true;
}

bool Controller::Impl::hand_over(const std::vector<std::uint32_t>& chain) {
  lab_turns& table = *turns.at<lab_turns>();
  for (std::size_t i = 0; i < chain.size(); ++i)
    nodes[chain[i]].control->next_slot = i + 1 < chain.size() ? nodes[chain[i + 1]].slot : 0;
  wake(table, nodes[chain.front()].slot);
  return wait_turn(chain);
}

/// Two programs of one host never run in one chain: between them the second one's view of their
/// host is kept.
bool Controller::Impl::hand_over_by_host(const std::vector<std::uint32_t>& chain) {
  std::vector<std::uint32_t> part;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    Node& node = nodes[chain[i]];
    for (const std::uint32_t other : part) {
      if (nodes[other].spec.host != node.spec.host) continue;
      if (!hand_over(part)) return false;
      part.clear();
      break;
    }
    show_host(node);
    part.push_back(chain[i]);
  }
  return hand_over(part);
}

void Controller::Impl::show_host(Node& node) {
  HostState& host = host_of(node);
  if (host.written_by != node.id) pack(*host.kernel, node.host_before);
  host.written_by = node.id;
}

void Controller::Impl::report_activation(Node& node) {
  lab_control& c = *node.control;
  ++node.figures.activations;
  ++activations;
  calls.clear();
  for (std::uint32_t i = 0; i < c.calls_touched; ++i) {
    const std::uint16_t call = c.touched[i];
    calls.push_back({call, c.calls[call]});
    node.figures.calls += c.calls[call];
    c.calls[call] = 0;
  }
  c.calls_touched = 0;
  node.figures.traps = c.traps;
  node.figures.steps = c.steps;
  node.figures.entropy_drawn = c.entropy_drawn;

  Activation activation;
  activation.time = at_ns(now);
  activation.node = node.id;
  activation.inbox = {node.arena.at(LAB_INBOX_OFFSET), c.inbox_size};
  activation.outbox = {node.arena.at(LAB_OUTBOX_OFFSET), c.outbox_size};
  activation.deadline = c.deadline_ns == LAB_NEVER ? kNever : at_ns(c.deadline_ns);
  activation.entropy_drawn = c.entropy_drawn - node.entropy_seen;
  activation.calls = calls;
  activation.host = node.host_before;
  activation.clock_offset_ns = c.clock_offset_ns;
  node.entropy_seen = c.entropy_drawn;
  observer.activation(activation);
  node.host_before.clear();
}

/// A node's activation is over: what it says, and what it wants.
void Controller::Impl::take_back(Node& node) {
  lab_control& c = *node.control;
  const std::int64_t sent = now + host_of(node).spec.cpu_cost_per_activation.count();
  node.busy_until = sent;
  report_activation(node);
  c.inbox_size = 0;
  ++node.inbox_generation;
  const std::uint32_t state = c.state;
  const std::int64_t deadline = c.deadline_ns;
  take_outbox(node, sent);
  c.outbox_size = 0;
  if (!node.spill.empty()) {
    std::vector<std::uint8_t> rest = std::move(node.spill);
    node.spill.clear();
    for (std::size_t at = 0; at < rest.size();) {
      lab_entry entry;
      std::memcpy(&entry, rest.data() + at, sizeof(entry));
      std::uint8_t* to = inbox_entry(node, static_cast<lab_in>(entry.kind), entry.id, entry.value,
                                     entry.size, entry.flags);
      std::memcpy(to, rest.data() + at + sizeof(entry), entry.size);
      at += LAB_ENTRY_SPACE(entry.size);
    }
    mark(node);
  }
  switch (state) {
    case LAB_STATE_STOPPED:
      return report_stop(node);
    case LAB_STATE_EXITED:
      return reap(node);
    case LAB_STATE_MORE:
      return mark(node);
    default:
      node.deadline = deadline;
      if (deadline != LAB_NEVER) deadlines.push({std::max(deadline, now), index(node.id)});
      if (deadline < now) node.deadline = now;
  }
}

/// Each at its own `now_ns`.
bool Controller::Impl::run_nodes(const std::vector<std::uint32_t>& chain) {
  if (chain.empty()) return true;
  if (observer.wants_inputs()) return hand_over_by_host(chain);
  if (options.chain_hand_over) return hand_over(chain);
  for (const std::uint32_t id : chain)
    if (!hand_over({id})) return false;
  return true;
}

bool Controller::Impl::run_marked() {
  std::ranges::sort(marked);
  running.swap(marked);
  marked.clear();
  std::erase_if(running, [&](std::uint32_t id) {
    nodes[id].marked = false;
    return nodes[id].phase == Phase::over;
  });
  for (const std::uint32_t id : running)
    nodes[id].control->now_ns = now;
  if (!run_nodes(running)) return false;
  for (const std::uint32_t id : running) {
    take_back(nodes[id]);
    if (stopped) return false;
  }
  return true;
}

/// Counts one more round at `now`.
bool Controller::Impl::begin_round() {
  rounds = now == instant ? rounds + 1 : 0;
  instant = now;
  if (rounds > options.rounds_at_one_instant) {
    const Node* node = marked.empty() ? nullptr : &nodes[marked.front()];
    stop_run(StopKind::runaway, node,
             "virtual time does not move: " + std::to_string(rounds) + " rounds at one instant");
  } else if (options.max_activations > 0 && activations >= options.max_activations) {
    stop_run(StopKind::runaway, nullptr,
             "more than " + std::to_string(options.max_activations) + " activations");
  }
  return !stopped;
}

/// One round at t, from what is due to what comes of it.
bool Controller::Impl::step(std::int64_t t) {
  now = std::max(now, t);
  collect(now);
  return !stopped && begin_round() && run_marked();
}

std::expected<Ended, Stop> Controller::Impl::run_until(std::int64_t limit) {
  while (!stopped) {
    const bool halted = halt != nullptr && halt->load(std::memory_order_relaxed);
    const std::int64_t t = marked.empty() ? next_time() : now;
    if (!collected.empty() && (halted || t >= limit || !may_wait(t))) {
      if (!run_collected()) break;
      continue;
    }
    if (halted) return Ended::halted;
    if (marked.empty() && t == LAB_NEVER) {
      if (limit != LAB_NEVER) now = std::max(now, limit);
      return Ended::quiet;
    }
    if (t >= limit) {
      now = std::max(now, limit);
      return Ended::time_reached;
    }
    if (marked.empty() && may_wait(t)) {
      if (!collect_ahead(t)) break;
      continue;
    }
    if (!step(t)) break;
  }
  return std::unexpected(*stopped);
}

}  // namespace lab::controller
