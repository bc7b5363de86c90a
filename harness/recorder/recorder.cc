// SPDX-License-Identifier: Apache-2.0
#include "harness/recorder/recorder.h"

#include "harness/model/time_text.h"
#include "harness/recorder/tables.h"
#include "src/prelude/check.h"
#include "src/prelude/cursor.h"

namespace lab::recorder {
namespace {

bool arrived(Fate fate) {
  return fate == Fate::delivered || fate == Fate::corrupted || fate == Fate::duplicated;
}

mix::record::Role role_of(scenario::Role role) {
  switch (role) {
    case scenario::Role::directory:
      return mix::record::Role::directory;
    case scenario::Role::mix:
      return mix::record::Role::mix;
    case scenario::Role::provider:
      return mix::record::Role::provider;
    case scenario::Role::client:
      return mix::record::Role::client;
    case scenario::Role::other:
      return mix::record::Role::other;
  }
  return mix::record::Role::other;
}

}  // namespace

Recorder::Recorder(const scenario::Plan& plan, Writer& writer)
    : x_plan(plan),
      x_writer(writer),
      x_tap([this](WirePacketRow row, mix::BytesView bytes) {
        ++x_packets;
        row.id = ++x_units;
        row.bytes = x_writer.keep(bytes);
        watch_packet(row, bytes);
        watch_order(row);
        x_writer.put(row);
      }),
      x_inputs(writer) {
  for (std::size_t i = 0; i < plan.programs.size(); ++i) {
    const scenario::Program& program = plan.programs[i];
    mix::record::NodeRow row;
    row.name = program.name;
    row.role = role_of(program.role);
    if (program.layer >= 0) row.layer = static_cast<std::uint8_t>(program.layer);
    row.address = plan.hosts[index(program.host)].address;
    x_rows[i] = row;
    x_writer.put(ProgramRow{static_cast<std::int64_t>(i) + 1, row});
  }
}

void Recorder::add_node(NodeId node, std::size_t program) {
  CHECK(program < x_plan.programs.size(), program);
  x_nodes[node].program = program;
}

NodeNumber Recorder::number(NodeId node) const {
  const auto found = x_nodes.find(node);
  if (found == x_nodes.end()) return std::nullopt;
  return static_cast<std::int64_t>(found->second.program) + 1;
}

// ---- the chain ----

EventBuilder& Recorder::begin(VirtualTime time, NodeId node, std::string_view kind) {
  const NodeNumber id = number(node);
  return x_event.begin(time, id ? NodeId(static_cast<std::uint32_t>(*id)) : kNoNode, kind);
}

void Recorder::commit(VirtualTime time, NodeNumber node) {
  const mix::BytesView canonical = x_event.finish(x_events);
  if (x_chain_watch != nullptr) x_chain_watch->event(canonical);
  x_writer.put(EventRow{x_writer.keep(canonical), node});
  count_event(time);
}

void Recorder::count_event(VirtualTime time) {
  if (++x_events % x_plan.checkpoint_every == 0) x_writer.put(CheckpointRow{ns(time)});
}

void Recorder::program_starts(VirtualTime, NodeId node, const StartView& start) {
  if (const NodeNumber id = number(node))
    x_inputs.starts(static_cast<std::int64_t>(x_events), *id, node, start);
}

void Recorder::node_started(VirtualTime time, NodeId node) {
  begin(time, node, "start");
  commit(time, number(node));
  x_gone.erase(node);
}

/// mmap, mprotect, munmap, brk, mremap, madvise: passed to the machine, and not part of the chain,
/// which must not depend on addresses: for a thread's heap glibc maps and unmaps once or twice,
/// depending on how the first answer is aligned.
static constexpr bool is_memory(std::uint16_t call) {
  return (call >= 9 && call <= 12) || call == 25 || call == 28;
}

namespace {
void list_calls(const Activation& a, mix::Bytes& calls) {
  mix::Writer out(calls);
  for (const CallCount& call : a.calls)
    if (!is_memory(call.call)) out.u16(call.call).u32(call.count);
}
}  // namespace

void describe(const Activation& a, EventBuilder& event) {
  mix::Bytes calls;
  list_calls(a, calls);
  describe(event, digest_of(a.inbox), digest_of(a.outbox), a.deadline, a.entropy_drawn, calls);
}

void Recorder::activation(const Activation& a) {
  if (x_plan.payload_full) x_inputs.activation(static_cast<std::int64_t>(x_events), a);
  x_calls.clear();
  list_calls(a, x_calls);
  if (x_chain_watch != nullptr) {
    describe(begin(a.time, a.node, "activation"), digest_of(a.inbox), digest_of(a.outbox),
             a.deadline, a.entropy_drawn, x_calls);
    x_chain_watch->event(x_event.finish(x_events));
  }
  x_writer.put(ActivationRow{a.time, a.deadline, number(a.node), x_writer.keep(a.inbox),
                             x_writer.keep(a.outbox), a.entropy_drawn, x_writer.keep(x_calls)});
  count_event(a.time);
}

void Recorder::fault(VirtualTime time, std::string_view verb, std::string_view target) {
  begin(time, kNoNode, "fault").text("verb", verb).text("target", target);
  commit(time, std::nullopt);
  x_writer.put(FaultRow{ns(time), std::string(verb), std::string(target)});
}

void Recorder::decided(VirtualTime time, const Parcel& parcel, std::string_view what) {
  begin(time, kNoNode, "network")
      .text("decision", what)
      .text("from", x_plan.hosts[index(parcel.from)].name)
      .text("to", x_plan.hosts[index(parcel.to)].name)
      .number("connection", static_cast<std::uint64_t>(parcel.connection))
      .number("parcel", static_cast<std::uint64_t>(parcel.kind))
      .number("offset", parcel.offset)
      .number("size", parcel.bytes.size());
  commit(time, std::nullopt);
}

void Recorder::folder(VirtualTime time, HostId host, const Digest32& digest, std::uint64_t files) {
  begin(time, kNoNode, "folder")
      .text("host", x_plan.hosts[index(host)].name)
      .number("files", files)
      .bytes("digest", digest);
  commit(time, std::nullopt);
}

void Recorder::finish(VirtualTime time) {
  for (auto& [id, node] : x_nodes)
    for (auto& [descriptor, line] : node.lines)
      if (!line.empty()) log_line(time, id, descriptor, std::move(line));
  x_tap.finish();
  x_writer.put(CheckpointRow{ns(time)});
}

// ---- the wire ----

/// A mix or provider, as it announced itself in its own record: packets go to the address there.
const mix::record::NodeRow* Recorder::packet_listener(NodeId server) const {
  const auto node = x_nodes.find(server);
  if (node == x_nodes.end()) return nullptr;
  const mix::record::NodeRow& row = x_rows.at(node->second.program);
  const bool takes = row.role == mix::record::Role::mix || row.role == mix::record::Role::provider;
  return takes ? &row : nullptr;
}

void Recorder::connection_opened(VirtualTime time, const ConnectionView& connection) {
  begin(time, connection.server, "connection")
      .number("connection", static_cast<std::uint64_t>(connection.id))
      .text("from", connection.client_address)
      .text("to", connection.server_address);
  commit(time, number(connection.server));
  const mix::record::NodeRow* listener = packet_listener(connection.server);
  const bool packets = listener != nullptr && listener->address == connection.server_address;
  x_tap.open(connection.id, number(connection.client), number(connection.server), packets);
  if (packets) x_ends[connection.id] = {connection.client, connection.server};
}

void Recorder::watch_packet(const WirePacketRow& row, mix::BytesView bytes) const {
  if (x_packet_watch == nullptr) return;
  int layer = -1;
  if (row.to) layer = x_rows.at(static_cast<std::size_t>(*row.to) - 1).layer.value_or(255);
  x_packet_watch->crossed(row, bytes, layer);
}

/// The judge's rule (judge.cc, layer_order), as soon as the packet has crossed.
void Recorder::watch_order(const WirePacketRow& row) {
  if (!row.from || !row.to) return;
  const auto layer = [&](std::int64_t node) {
    return x_rows.at(static_cast<std::size_t>(node) - 1).layer;
  };
  const auto from = layer(*row.from), to = layer(*row.to);
  if (!to || (!from && *to == 1)) return;
  if (!from || *from + 1 != *to) x_out_of_order = true;
}

/// A client sends as soon as its handshake is over; its listener hears of the connection one
/// latency later, or never, if it ends before. What was sent is on the wire all the same.
void Recorder::open_early(const SegmentView& segment) {
  const Parcel& parcel = *segment.parcel;
  const mix::record::NodeRow* listener = packet_listener(segment.to_node);
  if (listener == nullptr || !listener->address.ends_with(":" + std::to_string(segment.to_port)))
    return;
  x_tap.open(parcel.connection, number(segment.from_node), number(segment.to_node), true);
  if (x_gone.contains(segment.to_node))
    x_tap.close(parcel.connection, parcel.sent, "connection_reset");
  else
    x_ends[parcel.connection] = {segment.from_node, segment.to_node};
}

void Recorder::segment_sent(const SegmentView& segment) {
  const Parcel& parcel = *segment.parcel;
  if (parcel.kind != ParcelKind::data || !parcel.to_server) return;
  if (segment.to_port != 0 && !x_tap.is_open(parcel.connection)) open_early(segment);
  x_tap.sent(parcel.connection, parcel.offset, parcel.bytes, parcel.sent);
}

/// Whether one row of `wire_packet` tells all of this segment: the next unit, whole, delivered,
/// between those who opened the connection.
bool Recorder::crossed_alone(const SegmentView& segment) const {
  const Parcel& parcel = *segment.parcel;
  if (parcel.kind != ParcelKind::data || !parcel.to_server || segment.fate != Fate::delivered ||
      parcel.bytes.size() != kPacketBytes)
    return false;
  const auto ends = x_ends.find(parcel.connection);
  return ends != x_ends.end() && ends->second.first == segment.from_node &&
         ends->second.second == segment.to_node &&
         x_tap.is_next(parcel.connection, parcel.offset, parcel.sent);
}

void Recorder::segment_done(const SegmentView& segment) {
  const Parcel& parcel = *segment.parcel;
  if (parcel.kind == ParcelKind::reset && arrived(segment.fate)) {
    // A reset from the server: nobody reads what is under way. One from the client comes last.
    if (!parcel.to_server) x_tap.close(parcel.connection, segment.at, "connection_reset");
    return;
  }
  if (parcel.kind != ParcelKind::data && parcel.kind != ParcelKind::datagram) return;
  if (crossed_alone(segment)) {
    if (segment.handed_in && x_plan.payload_full)
      x_inputs.handed_in(segment.to_node, x_units + 1);  // the id that arrived() gives it
    x_tap.arrived(parcel.connection, parcel.offset + parcel.bytes.size(), segment.at, true, true);
    return;
  }
  SegmentRow row;
  row.id = ++x_units;
  if (parcel.connection != kNoConnection)
    row.connection = static_cast<std::int64_t>(parcel.connection);
  row.from = number(segment.from_node);
  row.to = number(segment.to_node);
  row.sent_ns = ns(parcel.sent);
  if (arrived(segment.fate)) row.delivered_ns = ns(segment.at);
  row.bytes = x_writer.keep(parcel.bytes);
  row.fate = name_of(segment.fate);
  x_writer.put(row);
  if (segment.handed_in && x_plan.payload_full) x_inputs.handed_in(segment.to_node, row.id);
  if (parcel.kind != ParcelKind::data || !parcel.to_server) return;
  if (arrived(segment.fate))
    x_tap.arrived(parcel.connection, parcel.offset + parcel.bytes.size(), segment.at,
                  segment.to_node != kNoNode, false);
  else
    x_tap.close(parcel.connection, segment.at, "segment_cut");
}

// ---- the programs ----

void Recorder::log_bytes(VirtualTime time, NodeId node, int descriptor, mix::BytesView bytes) {
  std::string& line = x_nodes[node].lines[descriptor];
  for (char c : mix::as_text(bytes)) {
    if (c != '\n') {
      line += c;
      continue;
    }
    log_line(time, node, descriptor, std::move(line));
    line.clear();
  }
}

void Recorder::log_line(VirtualTime time, NodeId node, int descriptor, std::string line) {
  x_writer.put(
      LogRow{ns(time), number(node), descriptor == 1 ? "stdout" : "stderr", std::move(line)});
}

void Recorder::record_bytes(VirtualTime time, NodeId node, int descriptor, mix::BytesView bytes) {
  mix::record::RowDecoder& decoder = x_nodes[node].records[descriptor];
  decoder.feed(bytes);
  while (true) {
    auto row = decoder.next();
    if (!row) {
      note(time, node, "its hop records cannot be read: " + row.error());
      return;
    }
    if (!*row) return;
    record_row(node, std::move(**row));
  }
}

/// A program's monotonic clock runs from the start of the run, faster by its host's drift.
std::int64_t Recorder::run_time(NodeId node, std::int64_t local_ns) const {
  const scenario::Program& program = x_plan.programs[x_nodes.at(node).program];
  const std::int64_t ppm = x_plan.hosts[index(program.host)].clock_drift_ppm;
  if (ppm == 0) return local_ns;
  __extension__ typedef __int128 Wide;
  return static_cast<std::int64_t>(static_cast<Wide>(local_ns) * 1'000'000 / (1'000'000 + ppm));
}

void Recorder::record_row(NodeId node, mix::record::Row row) {
  const std::size_t program = x_nodes.at(node).program;
  const auto id = static_cast<std::int64_t>(program) + 1;
  const auto shift = [&](std::int64_t& t) { t = run_time(node, t); };
  const auto shift_if = [&](std::optional<std::int64_t>& t) {
    if (t) shift(*t);
  };
  if (auto* self = std::get_if<mix::record::NodeRow>(&row)) {
    self->name = x_plan.programs[program].name;  // the lab's name, under which its log is
    x_rows[program] = *self;
    x_writer.put(ProgramRow{id, std::move(*self)});
    return;
  }
  if (auto* made = std::get_if<mix::record::MadeRow>(&row)) {
    shift(made->created_ns);
    shift_if(made->sent_ns);
  } else if (auto* handled = std::get_if<mix::record::HandledRow>(&row)) {
    shift(handled->received_ns);
    shift_if(handled->sent_ns);
  } else if (auto* fetched = std::get_if<mix::record::FetchedRow>(&row)) {
    shift(fetched->time_ns);
  }
  if (x_packet_watch != nullptr) x_packet_watch->recorded(row);
  x_writer.put(HopRow{id, std::move(row)});
}

void Recorder::file_opened(VirtualTime, NodeId, std::string_view path) {
  ++x_files[std::string(path)];
}

void Recorder::node_exited(VirtualTime time, NodeId node, int wait_status) {
  begin(time, node, "exit").integer("wait_status", wait_status);
  commit(time, number(node));
  x_gone.insert(node);
  for (auto at = x_ends.begin(); at != x_ends.end();) {
    if (at->second.second == node) {
      // What is under way to it finds nobody; what it sent itself may still arrive.
      x_tap.close(at->first, time, "connection_reset");
      at = x_ends.erase(at);
    } else {
      ++at;
    }
  }
}

void Recorder::crashed(VirtualTime time, NodeId node) {
  if (const NodeNumber id = number(node)) x_endings.push_back({*id, ns(time), true});
}

void Recorder::stopped(VirtualTime time, NodeId node) {
  if (const NodeNumber id = number(node)) x_endings.push_back({*id, ns(time), false});
}

void Recorder::note(VirtualTime time, NodeId node, std::string_view text) {
  const NodeNumber id = number(node);
  const std::string who = id ? x_plan.programs[static_cast<std::size_t>(*id) - 1].name : "lab";
  x_notes.push_back(exact_text(time) + " " + who + ": " + std::string(text));
  x_writer.put(LogRow{ns(time), id, "lab", std::string(text)});
}

}  // namespace lab::recorder
