// SPDX-License-Identifier: Apache-2.0
// Following a run: its events, and where its packets are. What a watch does decides nothing in it.
#pragma once

#include "harness/recorder/rows.h"

namespace lab::recorder {

class ChainWatch {
 public:
  virtual ~ChainWatch() = default;
  /// The next event's canonical bytes (harness/model/event.h), valid during the call.
  virtual void event(mix::BytesView canonical) = 0;
};

class PacketWatch {
 public:
  virtual ~PacketWatch() = default;
  /// What a program recorded: a packet made, or handled.
  virtual void recorded(const mix::record::Row& row) = 0;
  /// A packet came, or will not; `layer` of the receiver, -1: none. The row's own bytes are not
  /// set.
  virtual void crossed(const WirePacketRow& row, mix::BytesView bytes, int layer) = 0;
};

}  // namespace lab::recorder
