// SPDX-License-Identifier: Apache-2.0
// Speaks a schedule to a client's websocket on this host: connects (again and again, every 100 ms,
// while nobody answers), sends what is due, fetches, and prints "sent TAG" when the client took a
// message and "got TAG" for each message it handed out. Messages due while there is no connection
// are sent, in order, once there is one. Threads: one; waits in ppoll only.
#pragma once

#include <csignal>
#include <string>

#include "harness/talk/schedule.h"

namespace lab::talk {

/// Returns when the schedule is over (0), or when `stop` is set (0); 1 when a peer's key is
/// missing.
int speak(std::uint16_t port, Schedule schedule, const volatile std::sig_atomic_t& stop);

}  // namespace lab::talk
