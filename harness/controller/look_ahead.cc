// SPDX-License-Identifier: Apache-2.0
// Several instants in one chain of hand-overs.
//
// What a node sends at t reaches nobody before t plus the least latency of all links, the network's
// horizon. Until then instants that concern different hosts cannot touch each other: they are
// collected (what arrives goes into inboxes, nobody runs), then all their nodes run in one chain,
// each at its own time, and then everything is reported and taken back in the order of time, as if
// each instant had been run by itself. A node may want to wake again before the instants that were
// collected after its own: such a round is run between them, when their turn to be reported comes.
//
// An instant is collected only where nothing of it is reported but arrivals of data and ends; what
// would answer by itself (a connect, a refusal, something lost), starts, and what one host says to
// itself wait until the rounds before have run.
#include <algorithm>

#include "harness/controller/impl.h"

namespace lab::controller {

/// The instant t may be collected before the rounds collected so far have run.
bool Controller::Impl::may_wait(std::int64_t t) const {
  if (!options.look_ahead || t == LAB_NEVER || !marked.empty()) return false;
  if (!agenda.empty() && agenda.top().time <= t) return false;
  return t < ns(network.horizon(at_ns(collected.empty() ? t : collected.front().time)));
}

bool Controller::Impl::touches_waiting() const {
  return std::ranges::any_of(ahead,
                             [&](const Delivery& d) { return hosts[index(d.parcel.to)].waits; }) ||
         std::ranges::any_of(
             woken, [&](std::uint32_t id) { return hosts[index(nodes[id].spec.host)].waits; });
}

/// Delivering it says nothing by itself and asks nothing of others, beside its own report.
bool Controller::Impl::reports_later(const Delivery& delivery) const {
  const Parcel& p = delivery.parcel;
  if (delivery.fate != Fate::delivered || p.connection == kNoConnection) return false;
  if (p.kind == ParcelKind::ack || p.kind == ParcelKind::window || p.kind == ParcelKind::fin)
    return true;
  if (p.kind != ParcelKind::data) return false;
  const Side& side =
      connections[static_cast<std::uint64_t>(p.connection)].side[p.to_server ? 1 : 0];
  if (side.node == kNoNode || side.closed) return false;
  const Phase phase = nodes[index(side.node)].phase;
  return phase == Phase::running || phase == Phase::lingering;
}

/// Collects t, or runs it where it cannot wait. Only where it may_wait(). False: the run stopped.
bool Controller::Impl::collect_ahead(std::int64_t t) {
  ahead.clear();
  network.take_due(at_ns(t), ahead);
  take_woken(t);
  if (!collected.empty() && touches_waiting()) {
    for (const std::uint32_t id : woken) {
      nodes[id].deadline = t;
      deadlines.push({t, id});
    }
    if (!run_collected_before(t)) return false;
    take_woken(t);
  }
  const bool later =
      std::ranges::all_of(ahead, [&](const Delivery& delivery) { return reports_later(delivery); });
  const bool agenda_too = !agenda.empty() && agenda.top().time <= t;
  if (!later || agenda_too) {
    const std::vector<std::uint32_t> kept = woken;
    if (!run_collected_before(t)) return false;
    now = std::max(now, t);
    collect_agenda(now);
    if (stopped) return false;
    for (Delivery& delivery : ahead)
      deliver(delivery);
    for (const std::uint32_t id : kept)
      mark(nodes[id]);
    take_woken(now);
    for (const std::uint32_t id : woken)
      mark(nodes[id]);
    return begin_round() && run_marked();
  }
  now = std::max(now, t);
  Round round;
  round.time = now;
  for (Delivery& delivery : ahead)
    deliver(delivery, &round.told);
  for (const std::uint32_t id : woken)
    mark(nodes[id]);
  std::ranges::sort(marked);
  round.nodes.swap(marked);
  for (const std::uint32_t id : round.nodes) {
    Node& node = nodes[id];
    node.marked = false;
    node.deadline = LAB_NEVER;  // it will say when
    node.control->now_ns = now;
    hosts[index(node.spec.host)].waits = true;
  }
  collected.push_back(std::move(round));
  return true;
}

/// Runs whatever is due before t, round by round.
bool Controller::Impl::catch_up(std::int64_t t) {
  while (!stopped) {
    const std::int64_t next = marked.empty() ? next_time() : now;
    if (next >= t) return true;
    if (!step(next)) return false;
  }
  return false;
}

bool Controller::Impl::run_collected_before(std::int64_t t) {
  return run_collected() && catch_up(t);
}

/// Runs all that was collected, and reports it.
bool Controller::Impl::run_collected() {
  if (collected.empty()) return !stopped;
  std::vector<Round> all;
  all.swap(collected);
  std::vector<std::uint32_t> chain;
  for (const Round& round : all)
    chain.insert(chain.end(), round.nodes.begin(), round.nodes.end());
  now = all.front().time;
  if (!run_nodes(chain)) return false;
  for (const std::uint32_t id : chain)
    hosts[index(nodes[id].spec.host)].waits = false;
  for (Round& round : all)
    if (!catch_up(round.time) || !finish(round)) return false;
  return true;
}

/// Its nodes have run: reports what was handed in, and takes back what they say.
bool Controller::Impl::finish(Round& round) {
  now = round.time;
  if (next_time() <= now) {  // the rounds before brought about something for this very instant
    collect(now);
    if (stopped) return false;
  }
  for (Told& told : round.told) {
    told.view.parcel = &told.delivery.parcel;
    observer.segment_done(told.view);
  }
  if (!begin_round()) return false;
  if (!marked.empty()) {
    std::vector<std::uint32_t> more;
    more.swap(marked);
    std::ranges::sort(more);
    for (const std::uint32_t id : more) {
      nodes[id].marked = false;
      nodes[id].control->now_ns = now;
    }
    if (!run_nodes(more)) return false;
    round.nodes.insert(round.nodes.end(), more.begin(), more.end());
    std::ranges::sort(round.nodes);
  }
  for (const std::uint32_t id : round.nodes) {
    take_back(nodes[id]);
    if (stopped) return false;
  }
  return true;
}

}  // namespace lab::controller
