// SPDX-License-Identifier: Apache-2.0
// The receiving side: cuts connections into packets and hands each to the node. Does not judge what
// a packet says (mixnode/relay.h and provider/desk.h do).
//
// One buffer serves all connections, for the time of one read; a connection never waits for what
// becomes of its packets. From a packet's first byte on its last has a deadline, so a byte a second
// gets nowhere. Bounds (wire/limits.h): packets of one read, idle time, time for one packet; how
// many connections there may be is the listener's. Threads: the loop's. The loop and the callbacks
// outlive the tasks.
#pragma once

#include <functional>

#include "src/prelude/bytes.h"
#include "src/runtime/loop.h"
#include "src/runtime/stream.h"
#include "src/wire/frame.h"

namespace mix::peers {

class Intake {
 public:
  struct Callbacks {
    /// A packet, valid during the call, and when the read that brought its last byte began.
    std::function<void(wire::PacketView, Instant)> take;
    /// Everything of one read was taken.
    std::function<void()> read_over = [] {};
    /// A connection ended inside a packet.
    std::function<void()> cut_off;
  };
  Intake(runtime::Loop& loop, Callbacks callbacks);
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;

  /// Until the connection ends.
  runtime::Task<> serve(runtime::Stream stream);

 private:
  runtime::Loop& x_loop;
  Callbacks x_callbacks;
  Bytes x_buffer;
};

}  // namespace mix::peers
