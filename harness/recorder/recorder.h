// SPDX-License-Identifier: Apache-2.0
// Hangs on a run and writes it down: makes the events of the chain, and the rows of the recording.
// What it is told decides nothing; what it hands to the writer to be hashed is what "the same run"
// means (model/event.h).
//
// Events: "start", "activation" (digests of inbox and outbox, deadline, entropy drawn, simulated
// calls), "connection", "exit", "fault", "network" (each loss, cut, full queue), "folder" (what a
// host's programs left in their files). Log lines and hop records are in the outbox digests.
//
// Threads: the run's.
#pragma once

#include <map>
#include <set>

#include "harness/model/event.h"
#include "harness/protocol/observer.h"
#include "harness/recorder/inputs.h"
#include "harness/recorder/watch.h"
#include "harness/recorder/wire_tap.h"
#include "harness/recorder/writer.h"
#include "harness/scenario/plan.h"
#include "src/record/record_stream.h"

namespace lab::recorder {

/// How a program ended because of the lab: for what was delivered to it and never read.
struct Ending {
  std::int64_t node = 0;
  std::int64_t time_ns = 0;
  bool crashed = false;  // else asked to stop at that time
};

/// The fields of the chain's event "activation".
void describe(const Activation& activation, EventBuilder& event);

class Recorder final : public Observer {
 public:
  Recorder(const scenario::Plan& plan, Writer& writer);

  /// Before the run; either may be null. Events are then made twice: for the watch at once, on the
  /// run's thread, and by the writer.
  void watch(ChainWatch* chain, PacketWatch* packets) {
    x_chain_watch = chain;
    x_packet_watch = packets;
  }
  /// `node` of the controller is program number `program` of the plan (again, after a restart).
  void add_node(NodeId node, std::size_t program);
  void fault(VirtualTime time, std::string_view verb, std::string_view target);
  void crashed(VirtualTime time, NodeId node);
  void stopped(VirtualTime time, NodeId node);
  /// A decision of the network about a parcel: "lost", "cut".
  void decided(VirtualTime time, const Parcel& parcel, std::string_view what);
  /// What a host's folder holds at the end.
  void folder(VirtualTime time, HostId host, const Digest32& digest, std::uint64_t files);
  /// The run is over; hands everything to the writer. The last checkpoint is the chain.
  void finish(VirtualTime time);

  /// The chain of all events so far, in hexadecimal; waits for the writer's thread.
  std::string chain() const { return x_writer.chain(); }
  std::uint64_t events() const { return x_events; }
  std::uint64_t packets() const { return x_packets; }
  /// A packet went from a layer to any but the next one: an `always` ends the run there.
  bool out_of_order() const { return x_out_of_order; }
  const std::vector<Ending>& endings() const { return x_endings; }
  /// Remarks for the report, such as a clock that had to step.
  const std::vector<std::string>& notes() const { return x_notes; }
  /// Files read outside the nodes' folders, for the manifest.
  const std::map<std::string, std::uint64_t>& files_read() const { return x_files; }

  bool wants_inputs() const override { return x_plan.payload_full; }
  void program_starts(VirtualTime time, NodeId node, const StartView& start) override;
  void node_started(VirtualTime time, NodeId node) override;
  void activation(const Activation& activation) override;
  void connection_opened(VirtualTime time, const ConnectionView& connection) override;
  void segment_sent(const SegmentView& segment) override;
  void segment_done(const SegmentView& segment) override;
  void log_bytes(VirtualTime time, NodeId node, int descriptor, mix::BytesView bytes) override;
  void record_bytes(VirtualTime time, NodeId node, int descriptor, mix::BytesView bytes) override;
  void file_opened(VirtualTime time, NodeId node, std::string_view path) override;
  void node_exited(VirtualTime time, NodeId node, int wait_status) override;
  void note(VirtualTime time, NodeId node, std::string_view text) override;

 private:
  struct Node {
    std::size_t program = 0;
    std::map<int, std::string> lines;  // what was written since the last newline
    std::map<int, mix::record::RowDecoder> records;
  };
  void commit(VirtualTime time, NodeNumber node);
  void count_event(VirtualTime time);
  EventBuilder& begin(VirtualTime time, NodeId node, std::string_view kind);
  NodeNumber number(NodeId node) const;
  void log_line(VirtualTime time, NodeId node, int descriptor, std::string line);
  void record_row(NodeId node, mix::record::Row row);
  std::int64_t run_time(NodeId node, std::int64_t local_ns) const;
  const mix::record::NodeRow* packet_listener(NodeId server) const;
  void open_early(const SegmentView& segment);
  bool crossed_alone(const SegmentView& segment) const;
  void watch_packet(const WirePacketRow& row, mix::BytesView bytes) const;
  void watch_order(const WirePacketRow& row);

  const scenario::Plan& x_plan;
  Writer& x_writer;
  std::uint64_t x_events = 0;
  EventBuilder x_event;
  WireTap x_tap;
  Inputs x_inputs;
  std::map<NodeId, Node> x_nodes;
  std::map<std::size_t, mix::record::NodeRow> x_rows;        // by program
  std::map<ConnectionId, std::pair<NodeId, NodeId>> x_ends;  // of connections with packets
  std::set<NodeId> x_gone;                                   // exited, and not started again
  std::vector<Ending> x_endings;
  std::vector<std::string> x_notes;
  std::map<std::string, std::uint64_t> x_files;
  mix::Bytes x_calls;        // of this activation
  std::int64_t x_units = 0;  // ids of segments and packets given so far
  std::uint64_t x_packets = 0;
  bool x_out_of_order = false;
  ChainWatch* x_chain_watch = nullptr;
  PacketWatch* x_packet_watch = nullptr;
};

}  // namespace lab::recorder
