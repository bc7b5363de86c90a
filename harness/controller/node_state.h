// SPDX-License-Identifier: Apache-2.0
// What one node's simulated kernel holds at one instant, read from its arena: for people who stop a
// run and look. A copy; nothing here changes the node.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "harness/controller/controller.h"

namespace lab::controller {

struct TimerState {
  int descriptor = -1;
  VirtualTime due = kNever;
  Duration interval{};
  std::uint64_t unread = 0;  ///< expirations that were not read yet
};

struct SocketState {
  int descriptor = -1;  ///< -1: closed, but not empty yet
  bool stream = true;
  std::string state;                     ///< "listening", "connected", ...
  std::string local, remote;             ///< "10.0.0.2:1789"
  std::uint32_t unread = 0, unsent = 0;  ///< bytes
  std::uint64_t unacknowledged = 0;      ///< bytes sent whose receipt is not known
  std::uint32_t waiting = 0;             ///< connections not accepted, or datagrams not read
};

struct PipeState {
  int descriptor = -1;
  std::uint32_t unread = 0;
};

struct NodeState {
  std::string phase;  ///< "not started", "running", "paused", "lingering", "over"
  pid_t pid = -1;     ///< the real one
  int own_pid = 0;    ///< what the program is told
  VirtualTime wakes_at = kNever;
  std::uint64_t activations = 0;
  std::uint64_t inbox_bytes = 0;  ///< handed in, not taken yet
  std::vector<Waiting> threads;
  std::vector<TimerState> timers;
  std::vector<SocketState> sockets;
  std::vector<PipeState> pipes;  ///< those that hold bytes
};

}  // namespace lab::controller
