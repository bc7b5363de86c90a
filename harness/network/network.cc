// SPDX-License-Identifier: Apache-2.0
//
// How it works. One agenda holds everything. Some of its entries are the controller's business
// (actions, reminders, deadlines, datagrams); the others are steps of a segment's life:
//
//   try    the segment goes on the wire now. Cut, lost or refused by the queue: another try when
//          the time-out is over. Else it is in transit, and arrives.
//   arrive it is at the receiver's door. It is handed over when it is the first of its flow; what
//          had arrived behind it follows at the same instant.
//   part   the next part of a fragmented segment is handed over.
//
// A partition loses what is in transit on the wires it cuts: such a segment's attempt number grows,
// so that its `arrive` entry no longer counts, and a try is put on the agenda. Entries are never
// searched for or removed. What is handed over is put into x_ready, in order, and taken from there.
#include "harness/network/network.h"

#include <algorithm>

#include "harness/network/agenda.h"
#include "harness/network/flow.h"
#include "harness/network/routes.h"
#include "src/prelude/check.h"

namespace lab::network {

using scenario::Action;
using scenario::Verb;

namespace {

constexpr int kMostLosses = 15;      // Linux's tcp_retries2
constexpr int kMostFirstLosses = 6;  // tcp_syn_retries

using FlowName = std::pair<HostId, std::uint64_t>;

enum class Step : std::uint8_t { action, reminder, deadline, datagram, try_segment, arrive, part };

struct Entry {
  Step step;
  std::uint64_t number = 0;  // action, token, datagram slot, or position in the flow
  FlowName flow{};
  std::uint32_t attempt = 0;
  std::uint32_t generation = 0;
  NodeId node = kNoNode;
};

struct Datagram {
  Shipment parcel;
  std::uint64_t number;
  VirtualTime sent;
  bool corrupted = false;
  bool gone = false;  // a cut swallowed it
};

}  // namespace

class Network::Impl {
 public:
  Impl(const scenario::Plan& plan, std::uint64_t seed, Witness& witness)
      : x_plan(plan), x_witness(witness), x_routes(plan, seed) {
    for (std::size_t i = 0; i < plan.actions.size(); ++i)
      x_agenda.add(plan.actions[i].time, DueKind::action, kNoHost,
                   {.step = Step::action, .number = i});
  }

  std::uint64_t send(VirtualTime now, Shipment parcel) {
    CHECK(now >= x_now, ns(now), ns(x_now));
    CHECK(parcel.from != parcel.to, index(parcel.from));
    const std::uint64_t number = x_sent++;
    if (parcel.datagram)
      send_datagram(now, std::move(parcel), number);
    else
      send_segment(now, std::move(parcel), number);
    return number;
  }

  void set_deadline(NodeId node, std::optional<VirtualTime> deadline) {
    CHECK(index(node) < x_plan.programs.size(), index(node));
    if (x_deadlines.size() <= index(node)) x_deadlines.resize(index(node) + 1);
    Deadline& wish = x_deadlines[index(node)];
    if (wish.time == deadline) return;
    wish.time = deadline;
    ++wish.attempt;
    if (!deadline) return;
    x_agenda.add(std::max(*deadline, x_now), DueKind::deadline, x_plan.programs[index(node)].host,
                 {.step = Step::deadline, .attempt = wish.attempt, .node = node});
  }

  void remind(VirtualTime time, HostId host, std::uint64_t token) {
    CHECK(time >= x_now, ns(time), ns(x_now));
    x_agenda.add(time, DueKind::reminder, host, {.step = Step::reminder, .number = token});
  }

  void forget(HostId from, std::uint64_t flow) {
    x_flows.erase({from, flow});  // entries that name it are void from now on
  }

  VirtualTime next_time() {
    skip_void();
    if (x_ready_at < x_ready.size()) return x_now;
    return x_agenda.empty() ? kNever : x_agenda.first().time;
  }

  std::optional<Due> next(VirtualTime limit) {
    while (true) {
      if (x_ready_at < x_ready.size()) return std::move(x_ready[x_ready_at++]);
      x_ready.clear();
      x_ready_at = 0;
      skip_void();
      if (x_agenda.empty() || x_agenda.first().time > limit) return std::nullopt;
      auto [key, entry] = x_agenda.take();
      x_now = key.time;
      take(key, entry);
    }
  }

 private:
  struct Deadline {
    std::optional<VirtualTime> time;
    std::uint32_t attempt = 0;
  };

  // ---- the agenda's entries ----

  bool is_void(const Entry& entry) {
    if (entry.step == Step::deadline)
      return x_deadlines[index(entry.node)].attempt != entry.attempt;
    if (entry.step < Step::try_segment) return false;
    const auto found = x_flows.find(entry.flow);
    if (found == x_flows.end() || found->second.generation != entry.generation) return true;
    const Segment* segment = found->second.at(entry.number);
    return segment == nullptr || segment->attempt != entry.attempt;
  }
  void skip_void() {
    while (!x_agenda.empty() && is_void(x_agenda.first_entry()))
      x_agenda.take();
  }

  void take(const Key& key, const Entry& entry) {
    switch (entry.step) {
      case Step::action:
        return act(key, entry.number);
      case Step::reminder:
        return plain(key).token = entry.number, void();
      case Step::deadline: {
        x_deadlines[index(entry.node)] = {std::nullopt, entry.attempt + 1};
        plain(key).node = entry.node;
        return;
      }
      case Step::datagram:
        return deliver_datagram(key, entry.number);
      case Step::try_segment:
        return try_segment(entry.flow, entry.number);
      case Step::arrive:
        return arrive(key, entry);
      case Step::part:
        return hand_over(key, entry.flow);
    }
  }

  Due& plain(const Key& key) {
    Due due;
    due.time = key.time;
    due.kind = key.kind;
    due.host = key.host;
    due.sequence = key.sequence;
    return x_ready.emplace_back(std::move(due));
  }

  void schedule(VirtualTime time, HostId host, Step step, FlowName name, std::uint64_t position) {
    const Flow& flow = x_flows.at(name);
    x_agenda.add(time, DueKind::arrival, host,
                 {.step = step,
                  .number = position,
                  .flow = name,
                  .attempt = x_flows.at(name).at(position)->attempt,
                  .generation = flow.generation});
  }

  // ---- a segment's life ----

  void send_segment(VirtualTime now, Shipment parcel, std::uint64_t number) {
    const FlowName name{parcel.from, parcel.flow};
    Flow& flow = x_flows[name];
    const std::uint64_t position = flow.first + flow.waiting.size();
    Segment& segment = flow.waiting.emplace_back();
    segment.parcel = std::move(parcel);
    segment.number = number;
    segment.sent = now;
    x_now = now;
    try_segment(name, position);
  }

  void try_segment(FlowName name, std::uint64_t position) {
    Flow& flow = x_flows.at(name);
    Segment& segment = *flow.at(position);
    const Shipment& parcel = segment.parcel;
    if (x_routes.cut(parcel.from, parcel.to)) return lose(name, position, Fate::cut);
    const Passage passage = x_routes.wire(parcel.from, parcel.to).pass(x_now, parcel.wire_bytes);
    if (passage.fate != Fate::delivered) return lose(name, position, passage.fate);
    segment.in_transit = true;
    schedule(passage.arrival, parcel.to, Step::arrive, name, position);
  }

  void lose(FlowName name, std::uint64_t position, Fate fate) {
    Flow& flow = x_flows.at(name);
    Segment& segment = *flow.at(position);
    const Shipment& parcel = segment.parcel;
    segment.in_transit = false;
    ++segment.attempt;
    ++segment.losses;
    x_witness.decided(x_now, segment.number, parcel.from, parcel.to, fate);
    if (segment.losses > (flow.any_arrived ? kMostLosses : kMostFirstLosses))
      return give_up(name, position);
    const Wire& wire = x_routes.wire(parcel.from, parcel.to);
    const bool first = !flow.any_arrived && position == flow.first;
    const VirtualTime again = saturating_add(x_now, wire.time_out(segment.losses, first));
    schedule(again, parcel.from, Step::try_segment, name, position);
  }

  void give_up(FlowName name, std::uint64_t position) {
    Flow& flow = x_flows.at(name);
    Segment& segment = *flow.at(position);
    x_witness.decided(x_now, segment.number, segment.parcel.from, segment.parcel.to,
                      Fate::timed_out);
    Due due;
    due.time = x_now;
    due.kind = DueKind::gone;
    due.host = segment.parcel.from;
    due.shipment = segment.number;
    due.sent = segment.sent;
    due.parcel = std::move(segment.parcel);
    x_ready.push_back(std::move(due));
    drop_flow(flow);
  }

  void drop_flow(Flow& flow) {
    flow.first += flow.waiting.size();
    flow.waiting.clear();
    flow.handing_over = false;
    ++flow.generation;
  }

  void arrive(const Key& key, const Entry& entry) {
    Flow& flow = x_flows.at(entry.flow);
    Segment& segment = *flow.at(entry.number);
    segment.arrived = true;
    segment.in_transit = false;
    flow.any_arrived = true;
    if (!flow.handing_over) hand_over(key, entry.flow);
  }

  /// Hands over everything at the head of the flow that has arrived, up to the first fragmented
  /// segment's next part.
  void hand_over(const Key& key, FlowName name) {
    Flow& flow = x_flows.at(name);
    while (!flow.waiting.empty() && flow.waiting.front().arrived) {
      Segment& head = flow.waiting.front();
      Wire& wire = x_routes.wire(head.parcel.from, head.parcel.to);
      if (!flow.handing_over && head.parcel.divisible)
        head.cuts = wire.cuts(head.parcel.payload.size());
      flow.handing_over = head.parts_out < head.cuts.size();
      emit(key, head);
      if (flow.handing_over) {
        schedule(key.time + wire.gap(), head.parcel.to, Step::part, name, flow.first);
        return;
      }
      flow.waiting.pop_front();
      ++flow.first;
    }
  }

  void emit(const Key& key, Segment& head) {
    Due& due = plain(key);
    due.kind = DueKind::arrival;
    due.host = head.parcel.to;
    due.shipment = head.number;
    due.sent = head.sent;
    const std::size_t from = head.parts_out == 0 ? 0 : head.cuts[head.parts_out - 1];
    due.offset = from;
    due.last_part = head.parts_out == head.cuts.size();
    if (head.cuts.empty()) {
      due.parcel = std::move(head.parcel);
    } else {
      const std::size_t to = due.last_part ? head.parcel.payload.size() : head.cuts[head.parts_out];
      due.parcel = {.from = head.parcel.from,
                    .to = head.parcel.to,
                    .flow = head.parcel.flow,
                    .datagram = false,
                    .wire_bytes = head.parcel.wire_bytes,
                    .tag = head.parcel.tag,
                    .divisible = true,
                    .payload = {}};
      due.parcel.payload.assign(head.parcel.payload.begin() + static_cast<std::ptrdiff_t>(from),
                                head.parcel.payload.begin() + static_cast<std::ptrdiff_t>(to));
    }
    ++head.parts_out;
    if (due.last_part)
      x_witness.decided(key.time, due.shipment, due.parcel.from, due.parcel.to, Fate::delivered);
  }

  // ---- datagrams ----

  void send_datagram(VirtualTime now, Shipment parcel, std::uint64_t number) {
    x_now = now;
    const HostId from = parcel.from, to = parcel.to;
    if (x_routes.cut(from, to)) return x_witness.decided(now, number, from, to, Fate::cut);
    Wire& wire = x_routes.wire(from, to);
    const Passage passage = wire.pass(now, parcel.wire_bytes);
    if (passage.fate != Fate::delivered)
      return x_witness.decided(now, number, from, to, passage.fate);
    const Mishap mishap = wire.mishap(passage.arrival, parcel.payload.size());
    Datagram datagram{.parcel = std::move(parcel), .number = number, .sent = now};
    if (mishap.bad_bit) {
      datagram.parcel.payload[*mishap.bad_bit / 8] ^=
          static_cast<std::uint8_t>(1 << (*mishap.bad_bit % 8));
      datagram.corrupted = true;
      x_witness.decided(now, number, from, to, Fate::corrupted);
    }
    if (mishap.duplicate) {
      x_witness.decided(now, number, from, to, Fate::duplicated);
      put_in_flight(*mishap.duplicate, datagram);
    }
    if (mishap.reordered) x_witness.decided(now, number, from, to, Fate::reordered);
    put_in_flight(passage.arrival + mishap.reordered.value_or(Duration{}), std::move(datagram));
  }

  void put_in_flight(VirtualTime arrival, Datagram datagram) {
    const HostId to = datagram.parcel.to;
    const std::uint64_t slot = x_next_slot++;
    x_datagrams.emplace(slot, std::move(datagram));
    x_agenda.add(arrival, DueKind::arrival, to, {.step = Step::datagram, .number = slot});
  }

  void deliver_datagram(const Key& key, std::uint64_t slot) {
    auto node = x_datagrams.extract(slot);
    Datagram& datagram = node.mapped();
    if (datagram.gone) return;
    x_witness.decided(key.time, datagram.number, datagram.parcel.from, datagram.parcel.to,
                      Fate::delivered);
    Due& due = plain(key);
    due.shipment = datagram.number;
    due.sent = datagram.sent;
    due.corrupted = datagram.corrupted;
    due.parcel = std::move(datagram.parcel);
  }

  // ---- faults ----

  void act(const Key& key, std::uint64_t number) {
    const Action& action = x_plan.actions[number];
    x_routes.apply(action);
    plain(key).action = number;
    if (action.verb == Verb::partition) cut_transit();
  }

  /// What is in transit on a wire that is now cut is lost. In the order of flows and positions.
  void cut_transit() {
    std::vector<std::pair<FlowName, std::uint64_t>> hit;
    for (auto& [name, flow] : x_flows)
      for (std::size_t i = 0; i < flow.waiting.size(); ++i) {
        const Segment& segment = flow.waiting[i];
        if (segment.in_transit && x_routes.cut(segment.parcel.from, segment.parcel.to))
          hit.emplace_back(name, flow.first + i);
      }
    for (const auto& [name, position] : hit)
      if (x_flows.at(name).at(position) != nullptr) lose(name, position, Fate::cut);
    for (auto& [slot, datagram] : x_datagrams) {
      if (datagram.gone || !x_routes.cut(datagram.parcel.from, datagram.parcel.to)) continue;
      datagram.gone = true;
      x_witness.decided(x_now, datagram.number, datagram.parcel.from, datagram.parcel.to,
                        Fate::cut);
    }
  }

  const scenario::Plan& x_plan;
  Witness& x_witness;
  Routes x_routes;
  Agenda<Entry> x_agenda;
  std::map<FlowName, Flow> x_flows;
  std::map<std::uint64_t, Datagram> x_datagrams;
  std::vector<Deadline> x_deadlines;
  std::vector<Due> x_ready;
  std::size_t x_ready_at = 0;
  VirtualTime x_now = kStart;
  std::uint64_t x_sent = 0;
  std::uint64_t x_next_slot = 0;
};

Network::Network(const scenario::Plan& plan, std::uint64_t seed, Witness& witness)
    : x_impl(std::make_unique<Impl>(plan, seed, witness)) {}
Network::~Network() = default;
std::uint64_t Network::send(VirtualTime now, Shipment shipment) {
  return x_impl->send(now, std::move(shipment));
}
void Network::set_deadline(NodeId node, std::optional<VirtualTime> deadline) {
  x_impl->set_deadline(node, deadline);
}
void Network::remind(VirtualTime time, HostId host, std::uint64_t token) {
  x_impl->remind(time, host, token);
}
void Network::forget(HostId from, std::uint64_t flow) {
  x_impl->forget(from, flow);
}
VirtualTime Network::next_time() {
  return x_impl->next_time();
}
std::optional<Due> Network::next(VirtualTime limit) {
  return x_impl->next(limit);
}

}  // namespace lab::network
