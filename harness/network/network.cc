// SPDX-License-Identifier: Apache-2.0
//
// How it works. The agenda holds the steps of everything in flight:
//
//   try       a segment goes on the wire now. Cut, lost or refused by the queue: another try when
//             the time-out is over. Else it is in transit, and arrives.
//   arrive    it is at the receiver's door. It is handed over when it is the first of its
//   direction;
//             what had arrived behind it follows at the same instant.
//   part      the next part of a fragmented segment is handed over.
//   datagram  a datagram arrives.
//   tell      a delivery whose fate was settled earlier is handed out.
//
// A partition loses what is in transit on the wires it cuts: such a segment's attempt number grows,
// so that its `arrive` entry no longer counts, and a try is put on the agenda. Entries are never
// searched for or removed.
#include "harness/network/network.h"

#include <algorithm>
#include <set>

#include "harness/network/agenda.h"
#include "harness/network/flow.h"
#include "harness/network/routes.h"
#include "src/prelude/check.h"

namespace lab::network {
namespace {

constexpr int kMostLosses = 15;        // Linux's tcp_retries2
constexpr int kMostConnectLosses = 6;  // tcp_syn_retries

enum class Step : std::uint8_t { try_segment, arrive, part, datagram, tell };

struct Entry {
  Step step;
  std::uint64_t number = 0;  // position in the flow, or slot
  FlowName flow{};
  std::uint64_t generation = 0;
  std::uint32_t attempt = 0;
};

/// A datagram on its way, or a delivery to tell.
struct InFlight {
  Delivery delivery;
  bool cut = false;
};

bool weightless(ParcelKind kind) {
  return kind == ParcelKind::ack || kind == ParcelKind::window;
}
bool opens(ParcelKind kind) {
  return kind == ParcelKind::connect || kind == ParcelKind::accept;
}

}  // namespace

class Links::Impl {
 public:
  Impl(const scenario::Plan& plan, std::uint64_t seed, Witness& witness)
      : x_witness(witness), x_routes(plan, seed) {}

  void submit(Parcel&& parcel) {
    CHECK(parcel.from != parcel.to, index(parcel.from));
    x_now = parcel.sent;
    if (parcel.kind == ParcelKind::datagram ||
        (parcel.kind == ParcelKind::refuse && parcel.connection == kNoConnection))
      return send_datagram(std::move(parcel));
    if (parcel.kind != ParcelKind::data || parcel.bytes.size() <= kMss)
      return send_segment(std::move(parcel));
    for (std::size_t at = 0; at < parcel.bytes.size(); at += kMss)
      send_segment(part_of(parcel, at, std::min(parcel.bytes.size(), at + kMss)));
  }

  std::optional<VirtualTime> next_due() const {
    if (x_agenda.empty()) return std::nullopt;
    return x_agenda.first().time;
  }

  void take_due(VirtualTime now, std::vector<Delivery>& out) {
    x_out = &out;
    while (!x_agenda.empty() && x_agenda.first().time <= now) {
      auto [key, entry] = x_agenda.take();
      x_now = key.time;
      take(entry);
    }
    x_now = now;
    x_out = nullptr;
  }

  VirtualTime horizon(VirtualTime from) const {
    const VirtualTime end = saturating_add(from, x_routes.least_latency());
    return x_tries.empty() ? end : std::min(end, std::max(from, *x_tries.begin()));
  }

  void apply(VirtualTime now, const scenario::Action& action) {
    x_now = now;
    x_routes.apply(action);
    if (action.verb == scenario::Verb::partition) cut_transit();
  }

 private:
  void take(const Entry& entry) {
    if (entry.step == Step::try_segment) x_tries.erase(x_tries.find(x_now));
    if (entry.step == Step::datagram || entry.step == Step::tell) return deliver(entry);
    const auto found = x_flows.find(entry.flow);
    if (found == x_flows.end() || found->second.generation != entry.generation) return;
    Flow& flow = found->second;
    Segment* segment = flow.at(entry.number);
    if (segment == nullptr || segment->attempt != entry.attempt) return;
    if (entry.step == Step::try_segment) return try_segment(entry.flow, flow, entry.number);
    if (entry.step == Step::arrive) {
      segment->arrived = true;
      segment->in_transit = false;
      if (flow.handing_over) return;
    }
    hand_over(entry.flow, flow);
  }

  void schedule(VirtualTime time, HostId host, Step step, FlowName name, Flow& flow,
                std::uint64_t position) {
    x_agenda.add(time, host, {step, position, name, flow.generation, flow.at(position)->attempt});
  }

  static Parcel part_of(const Parcel& whole, std::size_t from, std::size_t to) {
    Parcel out;
    out.kind = whole.kind;
    out.from = whole.from;
    out.to = whole.to;
    out.connection = whole.connection;
    out.to_server = whole.to_server;
    out.sent = whole.sent;
    out.offset = whole.offset + from;
    out.value = whole.value;
    out.cookie = whole.cookie;
    out.bytes.assign(whole.bytes.begin() + static_cast<std::ptrdiff_t>(from),
                     whole.bytes.begin() + static_cast<std::ptrdiff_t>(to));
    return out;
  }

  // ---- a segment's life ----

  void send_segment(Parcel&& parcel) {
    const FlowName name{parcel.connection, parcel.to_server};
    const auto [at, fresh] = x_flows.try_emplace(name);
    Flow& flow = at->second;
    if (fresh) flow.generation = ++x_generations;
    flow.waiting.emplace_back().parcel = std::move(parcel);
    try_segment(name, flow, flow.first + flow.waiting.size() - 1);
  }

  void try_segment(FlowName name, Flow& flow, std::uint64_t position) {
    Segment& segment = *flow.at(position);
    const Parcel& parcel = segment.parcel;
    if (x_routes.cut(parcel.from, parcel.to)) return lose(name, flow, position, Decision::cut);
    Wire& wire = x_routes.wire(parcel.from, parcel.to);
    Passage passage;
    if (weightless(parcel.kind))
      passage.arrival = x_now + wire.latency();
    else
      passage = wire.pass(x_now, static_cast<std::uint32_t>(parcel.bytes.size()) + kTcpHeader);
    if (passage.fate == Fate::lost) return lose(name, flow, position, Decision::lost);
    if (passage.fate == Fate::queue_full) return lose(name, flow, position, Decision::queue_full);
    segment.in_transit = true;
    schedule(passage.arrival, parcel.from, Step::arrive, name, flow, position);
  }

  void lose(FlowName name, Flow& flow, std::uint64_t position, Decision why) {
    Segment& segment = *flow.at(position);
    const Parcel& parcel = segment.parcel;
    segment.in_transit = false;
    ++segment.attempt;
    ++segment.losses;
    x_witness.decided(x_now, parcel, why);
    const int most = opens(parcel.kind) ? kMostConnectLosses : kMostLosses;
    if (segment.losses > most) return give_up(name, flow, position);
    const Wire& wire = x_routes.wire(parcel.from, parcel.to);
    const VirtualTime again =
        saturating_add(x_now, wire.time_out(segment.losses, opens(parcel.kind)));
    x_tries.insert(again);
    schedule(again, parcel.from, Step::try_segment, name, flow, position);
  }

  void give_up(FlowName name, Flow& flow, std::uint64_t position) {
    Parcel parcel = std::move(flow.at(position)->parcel);
    x_witness.decided(x_now, parcel, Decision::gave_up);
    Parcel answer;
    answer.kind = parcel.kind == ParcelKind::connect ? ParcelKind::refuse : ParcelKind::reset;
    answer.from = parcel.to;
    answer.to = parcel.from;
    answer.connection = parcel.connection;
    answer.to_server = !parcel.to_server;
    answer.sent = x_now;
    answer.cookie = parcel.cookie;
    for (Segment& segment : flow.waiting)
      tell(Fate::lost,
           &segment == flow.at(position) ? std::move(parcel) : std::move(segment.parcel));
    tell(Fate::delivered, std::move(answer));
    x_flows.erase(name);
  }

  void tell(Fate fate, Parcel&& parcel) {
    const HostId from = parcel.from;
    const std::uint64_t slot = x_next_slot++;
    x_slots.emplace(slot, InFlight{{x_now, fate, std::move(parcel)}});
    x_agenda.add(x_now, from, {Step::tell, slot});
  }

  /// Hands over everything at the head of the direction that has arrived, up to the first
  /// fragmented segment's next part.
  void hand_over(FlowName name, Flow& flow) {
    while (!flow.waiting.empty() && flow.waiting.front().arrived) {
      Segment& head = flow.waiting.front();
      Wire& wire = x_routes.wire(head.parcel.from, head.parcel.to);
      if (!flow.handing_over && head.parcel.kind == ParcelKind::data)
        head.cuts = wire.cuts(head.parcel.bytes.size());
      flow.handing_over = head.parts_out < head.cuts.size();
      const HostId from = head.parcel.from;
      emit(head);
      if (flow.handing_over)
        return schedule(x_now + wire.gap(), from, Step::part, name, flow, flow.first);
      flow.waiting.pop_front();
      ++flow.first;
    }
    if (flow.waiting.empty()) x_flows.erase(name);
  }

  void emit(Segment& head) {
    const std::size_t size = head.parcel.bytes.size();
    const std::size_t from = head.parts_out == 0 ? 0 : head.cuts[head.parts_out - 1];
    const std::size_t to = head.parts_out < head.cuts.size() ? head.cuts[head.parts_out] : size;
    ++head.parts_out;
    x_out->push_back({x_now, Fate::delivered,
                      head.cuts.empty() ? std::move(head.parcel) : part_of(head.parcel, from, to)});
  }

  // ---- datagrams ----

  void send_datagram(Parcel&& parcel) {
    if (x_routes.cut(parcel.from, parcel.to)) return tell(Fate::cut, std::move(parcel));
    Wire& wire = x_routes.wire(parcel.from, parcel.to);
    const Passage passage =
        wire.pass(x_now, static_cast<std::uint32_t>(parcel.bytes.size()) + kUdpHeader);
    if (passage.fate != Fate::delivered) return tell(passage.fate, std::move(parcel));
    const Mishap mishap = wire.mishap(passage.arrival, parcel.bytes.size());
    Fate fate = Fate::delivered;
    if (mishap.bad_bit) {
      parcel.bytes[*mishap.bad_bit / 8] ^= static_cast<std::uint8_t>(1 << (*mishap.bad_bit % 8));
      fate = Fate::corrupted;
      x_witness.decided(x_now, parcel, Decision::corrupted);
    }
    if (mishap.duplicate) {
      x_witness.decided(x_now, parcel, Decision::duplicated);
      Parcel copy = parcel;
      put_in_flight(*mishap.duplicate, Fate::duplicated, std::move(copy));
    }
    if (mishap.reordered) x_witness.decided(x_now, parcel, Decision::reordered);
    put_in_flight(passage.arrival + mishap.reordered.value_or(Duration{}), fate, std::move(parcel));
  }

  void put_in_flight(VirtualTime arrival, Fate fate, Parcel&& parcel) {
    const HostId from = parcel.from;
    const std::uint64_t slot = x_next_slot++;
    x_slots.emplace(slot, InFlight{{arrival, fate, std::move(parcel)}});
    x_agenda.add(arrival, from, {Step::datagram, slot});
  }

  void deliver(const Entry& entry) {
    auto node = x_slots.extract(entry.number);
    Delivery& delivery = node.mapped().delivery;
    if (node.mapped().cut) delivery.fate = Fate::cut;
    x_out->push_back(std::move(delivery));
  }

  /// What is in transit on a wire that is now cut is lost: in the order of flows and positions.
  void cut_transit() {
    std::vector<std::pair<FlowName, std::uint64_t>> hit;
    for (auto& [name, flow] : x_flows)
      for (std::size_t i = 0; i < flow.waiting.size(); ++i) {
        const Segment& segment = flow.waiting[i];
        if (segment.in_transit && x_routes.cut(segment.parcel.from, segment.parcel.to))
          hit.emplace_back(name, flow.first + i);
      }
    for (const auto& [name, position] : hit) {
      const auto found = x_flows.find(name);
      if (found != x_flows.end() && found->second.at(position) != nullptr)
        lose(name, found->second, position, Decision::cut);
    }
    for (auto& [slot, in_flight] : x_slots)
      if (in_flight.delivery.at > x_now &&
          x_routes.cut(in_flight.delivery.parcel.from, in_flight.delivery.parcel.to))
        in_flight.cut = true;
  }

  Witness& x_witness;
  Routes x_routes;
  Agenda<Entry> x_agenda;
  std::map<FlowName, Flow> x_flows;
  std::map<std::uint64_t, InFlight> x_slots;
  std::multiset<VirtualTime> x_tries;      // of every try_segment on the agenda
  std::vector<Delivery>* x_out = nullptr;  // during take_due
  VirtualTime x_now = kStart;
  std::uint64_t x_generations = 0;
  std::uint64_t x_next_slot = 0;
};

const char* to_text(Decision decision) {
  switch (decision) {
    case Decision::lost:
      return "lost";
    case Decision::queue_full:
      return "queue_full";
    case Decision::cut:
      return "cut";
    case Decision::duplicated:
      return "duplicated";
    case Decision::corrupted:
      return "corrupted";
    case Decision::reordered:
      return "reordered";
    case Decision::gave_up:
      return "gave_up";
  }
  return "?";
}

Links::Links(const scenario::Plan& plan, std::uint64_t seed, Witness& witness)
    : x_impl(std::make_unique<Impl>(plan, seed, witness)) {}
Links::~Links() = default;
void Links::submit(Parcel&& parcel) {
  x_impl->submit(std::move(parcel));
}
std::optional<VirtualTime> Links::next_due() const {
  return x_impl->next_due();
}
void Links::take_due(VirtualTime now, std::vector<Delivery>& out) {
  x_impl->take_due(now, out);
}
VirtualTime Links::horizon(VirtualTime from) const {
  return x_impl->horizon(from);
}
void Links::apply(VirtualTime now, const scenario::Action& action) {
  x_impl->apply(now, action);
}

}  // namespace lab::network
