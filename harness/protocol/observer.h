// SPDX-License-Identifier: Apache-2.0
// What a run shows of itself: the recorder and the chain hang on this. Called by the controller, on
// its thread, in the run's total order; views are valid during the call only. Nothing an observer
// does may change the run.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "harness/model/ids.h"
#include "harness/model/virtual_time.h"
#include "harness/protocol/network.h"
#include "src/prelude/bytes.h"

namespace lab {

struct CallCount {
  std::uint16_t call = 0;
  std::uint32_t count = 0;
};

/// One activation, when its outbox has been taken. Inbox and outbox are the canonical bytes of
/// contract.h: equal in two equal runs.
struct Activation {
  VirtualTime time;
  NodeId node = kNoNode;
  mix::BytesView inbox, outbox;
  VirtualTime deadline = kNever;     ///< when it wants to wake at the latest
  std::uint64_t entropy_drawn = 0;   ///< bytes in this activation
  std::span<const CallCount> calls;  ///< simulated calls in this activation, by first use
  // For observers that want inputs:
  mix::BytesView host;               ///< the host's state before it, where others changed it
  std::int64_t clock_offset_ns = 0;  ///< of its host's wall clock
};

/// A file of the lab's numbering (stat's st_ino), by what the real file system calls it.
struct FileNumber {
  std::uint64_t real_dev = 0, real_ino = 0, number = 0;
};

/// What a program starts with: all that its own inboxes do not tell.
struct StartView {
  std::uint32_t slot = 0;   ///< its place in the table of turns
  std::string_view folder;  ///< real path of its host's folder
  mix::BytesView host;      ///< the host's state before the start (controller/host_state.h)
  std::span<const FileNumber> files;
  std::int64_t clock_offset_ns = 0;
};

/// A piece of a stream, or a datagram, as it leaves or arrives.
struct SegmentView {
  const Parcel* parcel = nullptr;
  NodeId from_node = kNoNode, to_node = kNoNode;  ///< kNoNode: nobody (any more, or yet)
  VirtualTime at;                                 ///< when it arrived or was lost
  bool handed_in = false;                         ///< stream bytes that went into an inbox
  Fate fate = Fate::delivered;
  std::uint16_t to_port = 0;  ///< as it leaves: the listener's, of a stream between two hosts
};

/// An endpoint of a connection, as the program sees it: "10.0.0.2:9980".
struct ConnectionView {
  ConnectionId id = kNoConnection;
  NodeId client = kNoNode, server = kNoNode;  ///< server: who listens
  std::string_view client_address, server_address;
};

class Observer {
 public:
  virtual ~Observer() = default;
  /// Whether program_starts(), Activation::host and clock_offset_ns are wanted: what one program
  /// alone can be fed from later. Costs a copy of the host's state where programs share a host.
  virtual bool wants_inputs() const { return false; }
  /// Just before a program's process is made; its folder is as it will find it.
  virtual void program_starts(VirtualTime, NodeId, const StartView&) {}
  virtual void node_started(VirtualTime, NodeId) {}
  virtual void activation(const Activation&) {}
  /// A listener answered a connect (at the moment the server's side exists).
  virtual void connection_opened(VirtualTime, const ConnectionView&) {}
  virtual void segment_sent(const SegmentView&) {}
  virtual void segment_done(const SegmentView&) {}
  /// Bytes a program wrote to 1 or 2, in pieces as it wrote them.
  virtual void log_bytes(VirtualTime, NodeId, int /*descriptor*/, mix::BytesView) {}
  /// Bytes a program wrote to an inherited descriptor (`--record fd:N`).
  virtual void record_bytes(VirtualTime, NodeId, int /*descriptor*/, mix::BytesView) {}
  /// A file outside its folder was opened for reading (manifest).
  virtual void file_opened(VirtualTime, NodeId, std::string_view /*path*/) {}
  /// `wait_status` as waitpid(2) gives it. Before the memory is gone.
  virtual void node_exited(VirtualTime, NodeId, int /*wait_status*/) {}
  /// Remarks for the report: a clock that had to step, a call that passed in diagnostic mode.
  virtual void note(VirtualTime, NodeId, std::string_view) {}
};

}  // namespace lab
