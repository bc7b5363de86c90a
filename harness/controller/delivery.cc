// SPDX-License-Identifier: Apache-2.0
// What the network brings, put into inboxes; carrier.cc has the essay.
#include <cerrno>
#include <cstring>

#include "harness/controller/impl.h"

namespace lab::controller {
namespace {

constexpr std::uint64_t kHandshake = 1;  // Parcel::cookie of the ACK that ends one
constexpr std::uint16_t kByToken = 2;    // lab_entry::flags

std::uint32_t ipv4_of(const std::uint8_t* ip) {
  return std::uint32_t{ip[12]} << 24 | std::uint32_t{ip[13]} << 16 | std::uint32_t{ip[14]} << 8 |
         ip[15];
}

/// The listener (or datagram socket) a packet for this address reaches.
kernel::Port* find_port(kernel::Host& host, const std::uint8_t* ip, std::uint16_t port, int type) {
  static constexpr std::uint8_t any6[16] = {};
  kernel::Port* best = nullptr;
  for (std::uint32_t i = 0; i < host.port.high; ++i) {
    kernel::Port& p = host.port[i];
    if (!p.used || p.type != type || p.address.port != port || (type == 1 && !p.listening))
      continue;
    if (std::memcmp(p.address.ip, ip, 16) == 0) return &p;
    const bool any4 = p.address.ip[10] == 0xff && ipv4_of(p.address.ip) == 0;
    const bool all6 = std::memcmp(p.address.ip, any6, 16) == 0;
    if (p.any && (any4 || (all6 && (!p.v6only || ip[10] != 0xff)))) best = &p;
  }
  return best;
}

}  // namespace

void Controller::Impl::deliver_datagram(const Parcel& p) {
  lab_addresses a;
  std::memcpy(&a, p.bytes.data(), sizeof(a));
  HostState& host = hosts[index(p.to)];
  const kernel::Port* port = find_port(*host.kernel, a.remote, a.remote_port, 2);
  if (port == nullptr) {
    Node* sender = nullptr;
    for (Node& candidate : nodes)
      if (candidate.spec.host == p.from && candidate.phase == Phase::running &&
          find_port(*hosts[index(p.from)].kernel, a.local, a.local_port, 2) != nullptr &&
          find_port(*hosts[index(p.from)].kernel, a.local, a.local_port, 2)->slot == candidate.slot)
        sender = &candidate;
    if (sender == nullptr) return;
    inbox_entry(*sender, LAB_IN_UNREACHABLE, p.cookie, ECONNREFUSED, 0);
    return mark(*sender);
  }
  for (Node& candidate : nodes) {
    if (candidate.slot != port->slot || candidate.phase != Phase::running) continue;
    std::swap(a.local, a.remote);
    std::swap(a.local_port, a.remote_port);
    std::uint8_t* to = inbox_entry(candidate, LAB_IN_DATAGRAM, port->handle, 0, p.bytes.size());
    std::memcpy(to, &a, sizeof(a));
    std::memcpy(to + sizeof(a), p.bytes.data() + sizeof(a), p.bytes.size() - sizeof(a));
    return mark(candidate);
  }
}

/// The connection reaches its listener: its handshake is over.
void Controller::Impl::hand_in(std::uint64_t id) {
  Connection& c = connections[id];
  const Side& side = c.side[1];
  if (c.established || side.node == kNoNode) return;
  Node& node = node_of(side.node);
  c.established = true;
  HostState& host = hosts[index(side.host)];
  for (std::uint32_t i = 0; i < host.kernel->port.high; ++i) {
    kernel::Port& port = host.kernel->port[i];
    if (port.used && port.handle == c.listener && port.slot == node.slot && port.pending > 0)
      --port.pending;
  }
  std::uint8_t* to = inbox_entry(node, LAB_IN_SYN, c.listener, id, sizeof(lab_addresses) + 8);
  lab_addresses a = c.addresses;
  std::swap(a.local, a.remote);
  std::swap(a.local_port, a.remote_port);
  std::memcpy(to, &a, sizeof(a));
  std::memcpy(to + sizeof(a), &c.client_edge, 8);
  mark(node);
}

void Controller::Impl::deliver(Delivery& came, std::vector<Told>* later) {
  const bool reported =
      came.parcel.kind != ParcelKind::ack && came.parcel.kind != ParcelKind::window;
  if (reported && later != nullptr) later->push_back({std::move(came), {}});
  const Delivery& delivery = reported && later != nullptr ? later->back().delivery : came;
  const Parcel& p = delivery.parcel;
  const std::uint64_t id = static_cast<std::uint64_t>(p.connection);
  const int s = p.to_server ? 1 : 0;  // the side it goes to
  Connection* c = id != 0 ? &connections[id] : nullptr;
  Node* node = nullptr;
  if (c != nullptr && c->side[s].node != kNoNode) node = &node_of(c->side[s].node);
  const bool alive = node != nullptr && !c->side[s].closed &&
                     (node->phase == Phase::running || node->phase == Phase::lingering);
  const bool arrived = delivery.fate == Fate::delivered || delivery.fate == Fate::duplicated ||
                       delivery.fate == Fate::corrupted;
  if (reported) {
    SegmentView view;
    view.parcel = &p;
    view.at = delivery.at;
    view.fate = delivery.fate;
    view.handed_in = arrived && alive && p.kind == ParcelKind::data;
    if (c != nullptr) {
      view.from_node = c->side[1 - s].node;
      view.to_node = c->side[s].node;
    }
    if (later != nullptr)
      later->back().view = view;
    else
      observer.segment_done(view);
  }
  if (c != nullptr && p.kind == ParcelKind::connect) c->syn_in_flight = false;
  if (!arrived) return;
  if (p.kind == ParcelKind::datagram) return deliver_datagram(p);
  if (c == nullptr) return;
  Side& side = c->side[s];
  const std::uint64_t handle = side.known ? side.handle : id;
  const std::uint16_t flags = side.known ? 0 : kByToken;
  switch (p.kind) {
    case ParcelKind::connect: {
      if (c->answered) return;
      HostState& host = hosts[index(p.to)];
      kernel::Port* port =
          find_port(*host.kernel, c->addresses.remote, c->addresses.remote_port, 1);
      if (port == nullptr) {
        c->refused = true;
        Parcel answer = parcel_of(*c, id, 1, ParcelKind::refuse, now);
        answer.value = ECONNREFUSED;
        return submit(std::move(answer));
      }
      if (port->queued + port->pending > port->backlog) return;  // Linux drops the SYN
      for (Node& candidate : nodes)
        if (candidate.slot == port->slot && candidate.phase == Phase::running)
          side.node = candidate.id;
      if (side.node == kNoNode) return;
      ++port->pending;
      c->answered = true;
      c->listener = port->handle;
      c->server_edge = port->window;
      return submit(parcel_of(*c, id, 1, ParcelKind::accept, now));
    }
    case ParcelKind::accept: {
      if (!alive) {
        c->side[0].closed = true;
        return submit(parcel_of(*c, id, 0, ParcelKind::reset, now));
      }
      inbox_entry(*node, LAB_IN_ACCEPTED, handle, c->server_edge, 0);
      mark(*node);
      Parcel ack = parcel_of(*c, id, 0, ParcelKind::ack, now);
      ack.cookie = kHandshake;
      return submit(std::move(ack));
    }
    case ParcelKind::refuse:
      c->refused = true;
      if (!alive) return;
      inbox_entry(*node, LAB_IN_REFUSED, handle, p.value != 0 ? p.value : ECONNREFUSED, 0);
      return mark(*node);
    case ParcelKind::data: {
      if (!alive) {
        if (c->side[1 - s].closed) return;
        return submit(parcel_of(*c, id, s, ParcelKind::reset, now));
      }
      if (s == 1) hand_in(id);
      std::uint8_t* to = inbox_entry(*node, LAB_IN_DATA, handle, 0, p.bytes.size(), flags);
      std::memcpy(to, p.bytes.data(), p.bytes.size());
      side.arrived += p.bytes.size();
      mark(*node);
      Parcel ack = parcel_of(*c, id, s, ParcelKind::ack, now);
      ack.value = side.arrived;
      return submit(std::move(ack));
    }
    case ParcelKind::fin: {
      if (!alive) return;
      if (s == 1) hand_in(id);
      inbox_entry(*node, LAB_IN_FIN, handle, 0, 0, flags);
      side.arrived += 1;
      mark(*node);
      Parcel ack = parcel_of(*c, id, s, ParcelKind::ack, now);
      ack.value = side.arrived;
      return submit(std::move(ack));
    }
    case ParcelKind::reset:
      if (!alive) return;
      side.closed = true;
      if (s == 1 && !c->established) {  // before anybody saw it
        HostState& host = hosts[index(side.host)];
        for (std::uint32_t i = 0; i < host.kernel->port.high; ++i)
          if (host.kernel->port[i].used && host.kernel->port[i].handle == c->listener &&
              host.kernel->port[i].pending > 0)
            --host.kernel->port[i].pending;
        c->established = true;
        return;
      }
      inbox_entry(*node, LAB_IN_RESET, handle, 0, 0, flags);
      return mark(*node);
    case ParcelKind::ack:
    case ParcelKind::window: {
      if (!alive) return;
      if (p.cookie == kHandshake) return hand_in(id);
      const bool ack = p.kind == ParcelKind::ack;
      std::uint64_t& generation = ack ? side.ack_generation : side.window_generation;
      std::size_t& at = ack ? side.ack_at : side.window_at;
      if (generation == node->inbox_generation) {  // a newer one takes the older one's place
        lab_entry* entry = reinterpret_cast<lab_entry*>(node->arena.at(LAB_INBOX_OFFSET + at));
        entry->value = std::max(entry->value, p.value);
      } else {
        const std::size_t before = node->control->inbox_size;
        inbox_entry(*node, ack ? LAB_IN_ACK : LAB_IN_WINDOW, handle, p.value, 0, flags);
        if (node->control->inbox_size > before) {
          generation = node->inbox_generation;
          at = before;
        }
      }
      if (side.want) mark(*node);
      return;
    }
    case ParcelKind::datagram:
      return;
  }
}

}  // namespace lab::controller
