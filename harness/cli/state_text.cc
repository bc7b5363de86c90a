// SPDX-License-Identifier: Apache-2.0
#include "harness/cli/state_text.h"

#include "harness/controller/node_state.h"
#include "harness/model/time_text.h"

namespace lab::cli {
namespace {

using controller::NodeState;
using controller::SocketState;

std::string descriptor(int number) {
  return number < 0 ? "(closed)" : std::to_string(number);
}

std::string line_of(const SocketState& socket) {
  std::string out = "    socket " + descriptor(socket.descriptor) + "  " + socket.state;
  if (!socket.local.empty()) out += " " + socket.local;
  if (!socket.remote.empty()) out += " - " + socket.remote;
  if (socket.state == "listening")
    return out + ", " + std::to_string(socket.waiting) + " not accepted\n";
  if (!socket.stream) return out + ", " + std::to_string(socket.waiting) + " not read\n";
  if (socket.unread > 0) out += ", " + std::to_string(socket.unread) + " B not read";
  if (socket.unsent > 0) out += ", " + std::to_string(socket.unsent) + " B not sent";
  if (socket.unacknowledged > 0)
    out += ", " + std::to_string(socket.unacknowledged) + " B not acknowledged";
  return out + "\n";
}

std::string lines_of(const std::string& name, const NodeState& state) {
  std::string out = "  " + name + "  " + state.phase;
  if (state.pid <= 0) return out + "\n";
  out += ", pid " + std::to_string(state.pid) + ", " + std::to_string(state.activations) +
         " activations, wakes " + exact_text(state.wakes_at);
  if (state.inbox_bytes > 0) out += ", " + std::to_string(state.inbox_bytes) + " B in its inbox";
  out += "\n";
  for (const controller::Waiting& thread : state.threads)
    out += "    thread " + std::to_string(thread.thread) + "  in " + thread.call + " since " +
           exact_text(thread.since) +
           (thread.until == kNever ? "" : ", until " + exact_text(thread.until)) + "\n";
  for (const controller::TimerState& timer : state.timers) {
    out += "    timer " + descriptor(timer.descriptor) + "  due " + exact_text(timer.due);
    if (timer.interval.count() > 0) out += ", every " + exact_text(timer.interval);
    if (timer.unread > 0) out += ", has run out";
    out += "\n";
  }
  for (const SocketState& socket : state.sockets)
    out += line_of(socket);
  for (const controller::PipeState& pipe : state.pipes)
    out += "    pipe " + descriptor(pipe.descriptor) + "  " + std::to_string(pipe.unread) +
           " B not read\n";
  return out;
}

}  // namespace

std::string state_text(const runner::Standing& standing) {
  std::string out, over;
  for (const auto& [name, node] : standing.nodes) {
    const NodeState state = standing.controller.look(node);
    if (state.phase == "over")
      over += (over.empty() ? "" : ", ") + name;
    else
      out += lines_of(name, state);
  }
  return out + (over.empty() ? "" : "  over: " + over + "\n");
}

}  // namespace lab::cli
