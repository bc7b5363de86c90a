// SPDX-License-Identifier: Apache-2.0
// How nodes and runs end.
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/futex.h>

#include "harness/controller/child.h"
#include "harness/controller/cpu_mask.h"
#include "harness/controller/impl.h"
#include "harness/protocol/syscalls.h"

namespace lab::controller {

std::string hex(std::uint64_t value) {
  std::string out;
  do {
    out.insert(out.begin(), "0123456789abcdef"[value & 15]);
    value >>= 4;
  } while (value != 0);
  return "0x" + out;
}

std::string time_text(std::int64_t t) {
  std::string rest = std::to_string(t % 1'000'000'000);
  rest.insert(0, 9 - rest.size(), '0');
  return "virtual time " + std::to_string(t / 1'000'000'000) + "." + rest + " s";
}

std::string call_text(std::int64_t call) {
  return call < 0 ? "none" : std::string(call_name(call)) + " (" + std::to_string(call) + ")";
}

void Controller::Impl::stop_run(StopKind kind, const Node* node, std::string text) {
  if (stopped) return;
  Stop stop;
  stop.kind = kind;
  stop.time = at_ns(now);
  if (node != nullptr) {
    stop.node = node->id;
    text = "node " + node->spec.name + ": " + text;
  }
  stop.text = std::move(text) + ", at " + time_text(now);
  stopped = std::move(stop);
}

/// The shim refused to go on: control->stop says why.
void Controller::Impl::report_stop(Node& node) {
  const lab_stop& s = node.control->stop;
  const std::string where = "thread " + std::to_string(s.thread);
  const std::string call =
      call_text(s.call) + " with " + hex(s.args[0]) + ", " + hex(s.args[1]) + ", " + hex(s.args[2]);
  StopKind kind = StopKind::internal;
  std::string text;
  switch (s.kind) {
    case LAB_STOP_REFUSED_CALL:
      kind = StopKind::refused_call;
      text = where + " made a call that the lab refuses: " + call + ": " + s.text;
      break;
    case LAB_STOP_CAPACITY:
      kind = StopKind::capacity;
      text = where + ", " + call + ": " + s.text;
      break;
    case LAB_STOP_FAULT:
      kind = StopKind::crashed;
      text = where + ": " + s.text;
      break;
    default:
      text = "a bug of the lab: " + where + ", " + call + ": " + s.text;
  }
  stop_run(kind, &node, text);
  stopped->thread = s.thread;
  stopped->call = s.call;
}

/// The program has ended, as far as everybody else can see.
void Controller::Impl::end_node(Node& node, int wait_status, bool by_lab) {
  if (node.exit) return;
  node.exit = ExitInfo{wait_status, at_ns(now), by_lab};
  if (keep_memory) digest_memory(node);
  node.phase = Phase::lingering;
  observer.node_exited(at_ns(now), node.id, wait_status);
}

/// Nothing is left of it but the process.
void Controller::Impl::reap(Node& node) {
  node.phase = Phase::over;
  node.deadline = LAB_NEVER;
  forget_ports(node);
  close_connections(node);
  if (node.pid > 0) {
    ::kill(node.pid, SIGKILL);
    int status = 0;
    wait_child(node.pid, &status);
  }
  node.pid = -1;
  if (node.folder_fd >= 0) ::close(node.folder_fd);
  if (node.errors_fd >= 0) ::close(node.errors_fd);
  node.folder_fd = node.errors_fd = -1;
  if (node.slot != 0) {
    turns.at<lab_turns>()->slot[node.slot].word = 0;
    free_slots.push_back(node.slot);
  }
  node.slot = 0;
  node.arena.reset();
  node.control = nullptr;
  node.process = nullptr;
}

void Controller::Impl::kill_node(Node& node, int status) {
  if (node.phase == Phase::over) return;
  if (node.phase == Phase::waiting) {
    node.phase = Phase::over;
    return;
  }
  end_node(node, status, true);
  reap(node);
}

Controller::Impl::~Impl() {
  if (watcher.joinable()) {
    {
      const std::lock_guard lock(watch_mutex);
      watch_end = true;
    }
    watch_wake.notify_all();
    watcher.join();
  }
  for (Node& node : nodes) {
    if (node.pid <= 0) continue;
    ::kill(node.pid, SIGKILL);
    int status = 0;
    wait_child(node.pid, &status);
    if (node.folder_fd >= 0) ::close(node.folder_fd);
    if (node.errors_fd >= 0) ::close(node.errors_fd);
  }
  if (shim_fd >= 0) ::close(shim_fd);
  if (null_fd >= 0) ::close(null_fd);
  if (matched) match_faults(false);
  if (pinned) ::sched_setaffinity(0, sizeof(old_affinity), &old_affinity);
}

}  // namespace lab::controller
