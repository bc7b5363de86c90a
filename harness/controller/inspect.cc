// SPDX-License-Identifier: Apache-2.0
// A node's state out of its arena.
#include "harness/controller/impl.h"
#include "harness/controller/node_state.h"
#include "harness/protocol/syscalls.h"

namespace lab::controller {
namespace {

std::string text_of(const kernel::Address& address) {
  std::string out;
  for (int i = 12; i < 16; ++i)
    out += (i > 12 ? "." : "") + std::to_string(address.ip[i]);
  return out + ":" + std::to_string(address.port);
}

const char* text_of(kernel::TcpState state) {
  switch (state) {
    case kernel::TcpState::fresh:
      return "open";
    case kernel::TcpState::listening:
      return "listening";
    case kernel::TcpState::connecting:
      return "connecting";
    case kernel::TcpState::connected:
      return "connected";
    case kernel::TcpState::closed:
      return "closed";
  }
  return "?";
}

const char* text_of(const Node& node) {
  switch (node.phase) {
    case Phase::waiting:
      return "not started";
    case Phase::running:
      return node.paused ? "paused" : "running";
    case Phase::lingering:
      return "lingering";
    case Phase::over:
      return "over";
  }
  return "?";
}

/// The lowest descriptor of each open description.
std::map<kernel::u32, int> descriptors_of(const kernel::Process& process) {
  std::map<kernel::u32, int> out;
  for (kernel::u32 i = 0; i < process.fd_high; ++i)
    if (process.fd[i].open1 != 0) out.try_emplace(process.fd[i].open1, static_cast<int>(i));
  return out;
}

SocketState state_of(const kernel::Socket& socket, int descriptor) {
  SocketState out;
  out.descriptor = descriptor;
  out.stream = socket.type != 2;
  out.state = out.stream ? text_of(socket.state) : "datagrams";
  if (socket.bound || socket.state == kernel::TcpState::connected)
    out.local = text_of(socket.local);
  if (socket.state == kernel::TcpState::connected || socket.state == kernel::TcpState::connecting)
    out.remote = text_of(socket.remote);
  out.unread = socket.rx_size;
  out.unsent = socket.tx_size;
  out.unacknowledged = socket.tx_sent > socket.tx_acked ? socket.tx_sent - socket.tx_acked : 0;
  out.waiting = out.stream ? socket.queued : socket.datagrams;
  return out;
}

}  // namespace

NodeState Controller::look(NodeId id) const {
  const Node& node = x->node_of(id);
  NodeState out;
  out.phase = text_of(node);
  out.activations = node.figures.activations;
  if (node.process == nullptr || node.control == nullptr || node.phase == Phase::over) return out;
  const kernel::Process& process = *node.process;
  out.pid = node.pid;
  out.own_pid = node.control->pid;
  if (node.deadline != LAB_NEVER) out.wakes_at = at_ns(node.deadline);
  out.inbox_bytes = node.control->inbox_size + node.spill.size();
  for (const Waiting& waiting : waiting())
    if (waiting.node == id) out.threads.push_back(waiting);
  const auto descriptors = descriptors_of(process);
  const auto descriptor = [&](kernel::u32 open1) {
    const auto found = descriptors.find(open1);
    return found == descriptors.end() ? -1 : found->second;
  };
  for (kernel::u32 i = 0; i < process.timer.high; ++i) {
    const kernel::Timer& timer = process.timer[i];
    if (!timer.used || (timer.expires == LAB_NEVER && timer.expirations == 0)) continue;
    out.timers.push_back({descriptor(timer.open1),
                          timer.expires == LAB_NEVER ? kNever : at_ns(timer.expires),
                          Duration(timer.interval), timer.expirations});
  }
  for (kernel::u32 i = 0; i < process.socket.high; ++i) {
    const kernel::Socket& socket = process.socket[i];
    if (socket.used) out.sockets.push_back(state_of(socket, descriptor(socket.open1)));
  }
  for (kernel::u32 i = 0; i < process.pipe.high; ++i) {
    const kernel::Pipe& pipe = process.pipe[i];
    if (pipe.used && pipe.size > 0) out.pipes.push_back({descriptor(pipe.reader1), pipe.size});
  }
  return out;
}

}  // namespace lab::controller
