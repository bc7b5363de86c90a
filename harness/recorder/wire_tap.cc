// SPDX-License-Identifier: Apache-2.0
#include "harness/recorder/wire_tap.h"

#include <algorithm>

namespace lab::recorder {

void WireTap::open(ConnectionId connection, NodeNumber from, NodeNumber to, bool takes_packets) {
  Flow& flow = x_flows[connection];
  flow.kind = takes_packets ? Flow::Kind::packets : Flow::Kind::other;
  flow.from = from;
  flow.to = to;
  for (auto& [row, bytes] : flow.early) {
    row.from = from;
    row.to = to;
    if (takes_packets) x_emit(row, bytes);
  }
  flow.early.clear();
  if (takes_packets) return;
  flow.partial.clear();
  flow.under_way.clear();
}

bool WireTap::is_open(ConnectionId connection) const {
  const auto found = x_flows.find(connection);
  return found != x_flows.end() && found->second.kind != Flow::Kind::unknown;
}

void WireTap::sent(ConnectionId connection, std::uint64_t offset, mix::BytesView bytes,
                   VirtualTime when) {
  Flow& flow = x_flows[connection];
  if (flow.kind == Flow::Kind::other) return;
  if (offset + bytes.size() <= flow.next) return;  // sent before
  if (offset < flow.next) bytes = bytes.subspan(flow.next - offset);
  while (!bytes.empty()) {
    const std::size_t n = std::min(bytes.size(), kPacketBytes - flow.partial.size());
    flow.next += n;
    if (flow.partial.empty() && n == kPacketBytes) {
      flow.under_way.push_back({when, mix::Bytes(bytes.begin(), bytes.begin() + n), flow.next});
    } else {
      flow.partial.insert(flow.partial.end(), bytes.begin(),
                          bytes.begin() + static_cast<std::ptrdiff_t>(n));
      if (flow.partial.size() == kPacketBytes) {
        flow.under_way.push_back({when, std::move(flow.partial), flow.next});
        flow.partial.clear();
      }
    }
    bytes = bytes.subspan(n);
  }
  if (flow.closed != nullptr) close(connection, when, flow.closed);
}

void WireTap::arrived(ConnectionId connection, std::uint64_t end, VirtualTime when, bool heard,
                      bool alone) {
  const auto found = x_flows.find(connection);
  if (found == x_flows.end()) return;
  Flow& flow = found->second;
  while (!flow.under_way.empty() && flow.under_way.front().end <= end) {
    if (heard)
      emit(connection, flow, flow.under_way.front(), when, nullptr, std::nullopt, alone);
    else
      emit(connection, flow, flow.under_way.front(), std::nullopt, "connection_reset", when);
    flow.under_way.pop_front();
  }
}

bool WireTap::is_next(ConnectionId connection, std::uint64_t offset, VirtualTime sent) const {
  const auto found = x_flows.find(connection);
  if (found == x_flows.end() || found->second.kind != Flow::Kind::packets ||
      found->second.under_way.empty())
    return false;
  const Unit& next = found->second.under_way.front();
  return next.end == offset + kPacketBytes && next.sent == sent;
}

void WireTap::close(ConnectionId connection, VirtualTime when, const char* fate) {
  const auto found = x_flows.find(connection);
  if (found == x_flows.end()) return;
  for (const Unit& unit : found->second.under_way)
    emit(connection, found->second, unit, std::nullopt, fate, when);
  found->second.under_way.clear();
  if (found->second.kind != Flow::Kind::unknown) found->second.closed = fate;
}

void WireTap::finish() {
  for (auto& [connection, flow] : x_flows)
    for (const Unit& unit : flow.under_way)
      emit(connection, flow, unit, std::nullopt, nullptr, std::nullopt);
  x_flows.clear();
}

void WireTap::emit(ConnectionId connection, Flow& flow, const Unit& unit,
                   std::optional<VirtualTime> delivered, const char* fate,
                   std::optional<VirtualTime> ended, bool alone) {
  WirePacketRow row;
  row.connection = static_cast<std::int64_t>(connection);
  row.from = flow.from;
  row.to = flow.to;
  row.sent_ns = ns(unit.sent);
  if (delivered) row.delivered_ns = ns(*delivered);
  row.alone = alone;
  row.fate = fate;
  if (ended) row.ended_ns = ns(*ended);
  if (flow.kind == Flow::Kind::packets)
    x_emit(row, unit.bytes);
  else
    flow.early.emplace_back(row, unit.bytes);
}

}  // namespace lab::recorder
