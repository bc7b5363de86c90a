// SPDX-License-Identifier: Apache-2.0
// Carries: what a node's outbox says to the network, what the network brings to a node's inbox; and
// knows every connection, who its ends are and how far they got.
//
// A handshake costs no activation of the listener until the connection is there: the controller
// looks the listener up in its host's page when the SYN arrives (refuse, drop on a full backlog, or
// answer), and hands the connection in when the client's ACK arrives, three latencies after the
// connect, as Linux does.
//
// Acknowledgements are written into the sender's inbox but do not wake it, unless the socket asked
// (LAB_OUT_WANT): it reads them when it runs next, which is when it could ask for them.
#include <cerrno>
#include <cstring>

#include "harness/controller/impl.h"

namespace lab::controller {
namespace {

constexpr std::int64_t kArpTimeout = 3'000'000'000;

std::uint32_t ipv4_of(const std::uint8_t* ip) {
  return std::uint32_t{ip[12]} << 24 | std::uint32_t{ip[13]} << 16 | std::uint32_t{ip[14]} << 8 |
         ip[15];
}

bool is_loopback(const std::uint8_t* ip) {
  static constexpr std::uint8_t six[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return std::memcmp(ip, six, 16) == 0 || (ip[10] == 0xff && ip[12] == 127);
}

std::string address_text(const std::uint8_t* ip, std::uint16_t port) {
  std::string out;
  for (int i = 12; i < 16; ++i)
    out += (i > 12 ? "." : "") + std::to_string(ip[i]);
  return out + ":" + std::to_string(port);
}

std::string_view text_of(const std::uint8_t* at, std::size_t n) {
  return {reinterpret_cast<const char*>(at), n};
}

}  // namespace

std::uint8_t* Controller::Impl::inbox_entry(Node& node, lab_in kind, std::uint64_t id,
                                            std::uint64_t value, std::size_t size,
                                            std::uint16_t flags) {
  const lab_entry entry{static_cast<std::uint16_t>(kind), flags, static_cast<std::uint32_t>(size),
                        id, value};
  const std::size_t space = LAB_ENTRY_SPACE(size);
  std::uint8_t* at = nullptr;
  if (node.spill.empty() && node.control->inbox_size + space <= LAB_INBOX_SIZE) {
    at = node.arena.at(LAB_INBOX_OFFSET + node.control->inbox_size);
    node.control->inbox_size += space;
  } else {
    const std::size_t old = node.spill.size();
    node.spill.resize(old + space);
    at = node.spill.data() + old;
  }
  std::memcpy(at, &entry, sizeof(entry));
  std::memset(at + space - 8, 0, size % 8 == 0 ? 0 : 8);
  return at + sizeof(entry);
}

void Controller::Impl::submit(Parcel&& parcel) {
  if (parcel.kind != ParcelKind::ack && parcel.kind != ParcelKind::window) {
    SegmentView view;
    view.parcel = &parcel;
    view.at = parcel.sent;
    if (parcel.connection != kNoConnection) {
      const Connection& c = connections[static_cast<std::uint64_t>(parcel.connection)];
      view.from_node = c.side[parcel.to_server ? 0 : 1].node;
      view.to_node = c.side[parcel.to_server ? 1 : 0].node;
      if (parcel.to_server && parcel.from != parcel.to) view.to_port = c.addresses.remote_port;
    }
    observer.segment_sent(view);
  }
  if (parcel.from != parcel.to) return network.submit(std::move(parcel));
  const HostId host = parcel.from;  // between two programs of one host: at once
  const std::int64_t sent = ns(parcel.sent);
  add_due({sent, 2, 0, 0, kNoNode, std::make_shared<Parcel>(std::move(parcel))}, host);
}

Parcel parcel_of(const Connection& c, std::uint64_t id, int from_side, ParcelKind kind,
                 std::int64_t sent) {
  Parcel p;
  p.kind = kind;
  p.from = c.side[from_side].host;
  p.to = c.side[1 - from_side].host;
  p.connection = ConnectionId{id};
  p.to_server = from_side == 0;
  p.sent = at_ns(sent);
  return p;
}

/// One end is gone: by close, reset or the end of its process.
void Controller::Impl::side_closed(std::uint64_t id, int s, bool reset, std::int64_t sent) {
  Connection& c = connections[id];
  Side& side = c.side[s];
  if (side.closed) return;
  side.closed = true;
  if (c.refused || c.side[1 - s].closed) return;
  if (s == 0 && !c.answered) return;  // never got anywhere: a late answer finds nobody
  submit(parcel_of(c, id, s, reset ? ParcelKind::reset : ParcelKind::fin, sent));
}

void Controller::Impl::take_outbox(Node& node, std::int64_t sent) {
  const std::uint8_t* outbox = node.arena.at(LAB_OUTBOX_OFFSET);
  const std::uint64_t size = node.control->outbox_size;
  const HostId host = node.spec.host;
  const auto find = [&](std::uint64_t handle) -> std::uint64_t {
    const std::uint32_t i = static_cast<std::uint32_t>(handle);
    return i < node.sockets.size() && node.sockets[i].handle == handle ? node.sockets[i].connection
                                                                       : 0;
  };
  const auto bind = [&](std::uint64_t handle, std::uint64_t id) {
    const std::uint32_t i = static_cast<std::uint32_t>(handle);
    if (i >= node.sockets.size()) node.sockets.resize(i + 1);
    node.sockets[i] = {handle, id};
  };
  for (std::uint64_t at = 0; at < size;) {
    lab_entry e;
    std::memcpy(&e, outbox + at, sizeof(e));
    const std::uint8_t* payload = outbox + at + sizeof(e);
    at += LAB_ENTRY_SPACE(e.size);
    const std::uint64_t id = find(e.id);
    const int s =
        id != 0 && connections[id].side[1].node == node.id && connections[id].side[1].handle == e.id
            ? 1
            : 0;
    switch (e.kind) {
      case LAB_OUT_CONNECT: {
        std::uint64_t number = id;
        if (number == 0) {
          number = connections.size();
          Connection made;
          std::memcpy(&made.addresses, payload, sizeof(made.addresses));
          made.client_edge = e.value;
          made.side[0].node = node.id;
          made.side[0].host = host;
          made.side[0].handle = e.id;
          made.side[0].known = true;
          if (is_loopback(made.addresses.remote)) {
            made.side[1].host = host;
          } else {
            for (std::uint32_t h = 0; h < hosts.size(); ++h)
              if (hosts[h].spec.address == ipv4_of(made.addresses.remote) &&
                  made.addresses.remote[10] == 0xff)
                made.side[1].host = HostId{h};
          }
          connections.push_back(made);
          bind(e.id, number);
        }
        Connection& c = connections[number];
        if (c.syn_in_flight) break;
        if (c.side[1].host == kNoHost) {  // nobody has that address
          auto parcel = std::make_shared<Parcel>();
          *parcel = parcel_of(c, number, 1, ParcelKind::refuse, sent + kArpTimeout);
          parcel->to = host;
          parcel->value = EHOSTUNREACH;
          add_due({sent + kArpTimeout, 2, 0, 0, kNoNode, std::move(parcel)}, host);
          c.syn_in_flight = true;
          break;
        }
        c.syn_in_flight = true;
        submit(parcel_of(c, number, 0, ParcelKind::connect, sent));
        break;
      }
      case LAB_OUT_ACCEPTED: {
        Connection& c = connections[e.value];
        c.side[1].handle = e.id;
        c.side[1].known = true;
        bind(e.id, e.value);
        if (c.side[1].closed) break;
        const std::string client = address_text(c.addresses.local, c.addresses.local_port);
        const std::string server = address_text(c.addresses.remote, c.addresses.remote_port);
        observer.connection_opened(
            at_ns(now), {ConnectionId{e.value}, c.side[0].node, c.side[1].node, client, server});
        break;
      }
      case LAB_OUT_REFUSED:
        side_closed(e.value, 1, true, sent);
        break;
      case LAB_OUT_DATA: {
        if (id == 0 || connections[id].side[s].closed) break;
        Parcel p = parcel_of(connections[id], id, s, ParcelKind::data, sent);
        p.offset = connections[id].side[s].sent;
        p.bytes.assign(payload, payload + e.size);
        connections[id].side[s].sent += e.size;
        submit(std::move(p));
        break;
      }
      case LAB_OUT_FIN:
        if (id != 0 && !connections[id].side[s].closed)
          submit(parcel_of(connections[id], id, s, ParcelKind::fin, sent));
        break;
      case LAB_OUT_RESET:
        if (id != 0) side_closed(id, s, true, sent);
        break;
      case LAB_OUT_WINDOW: {
        if (id == 0 || connections[id].side[1 - s].closed) break;
        Parcel p = parcel_of(connections[id], id, s, ParcelKind::window, sent);
        p.value = e.value;
        submit(std::move(p));
        break;
      }
      case LAB_OUT_WANT:
        if (id == 0) break;
        connections[id].side[s].want = e.value != 0;
        break;
      case LAB_OUT_DATAGRAM: {
        Parcel p;
        p.kind = ParcelKind::datagram;
        p.from = host;
        p.sent = at_ns(sent);
        p.cookie = e.id;
        p.bytes.assign(payload, payload + e.size);
        lab_addresses a;
        std::memcpy(&a, payload, sizeof(a));
        p.to = is_loopback(a.remote) ? host : kNoHost;
        for (std::uint32_t h = 0; p.to == kNoHost && h < hosts.size(); ++h)
          if (hosts[h].spec.address == ipv4_of(a.remote)) p.to = HostId{h};
        if (p.to != kNoHost) submit(std::move(p));
        break;
      }
      case LAB_OUT_WRITE:
        if (e.id <= 2)
          observer.log_bytes(at_ns(now), node.id, static_cast<int>(e.id), {payload, e.size});
        else
          observer.record_bytes(at_ns(now), node.id, static_cast<int>(e.id), {payload, e.size});
        break;
      case LAB_OUT_OPENED:
        observer.file_opened(at_ns(now), node.id, text_of(payload, e.size));
        break;
      case LAB_OUT_EXIT:
        end_node(node, static_cast<int>(e.value), false);
        break;
      case LAB_OUT_NOTE:
        observer.note(at_ns(now), node.id, text_of(payload, e.size));
        break;
      default:
        stop_run(StopKind::internal, &node, "unknown entry in an outbox");
        return;
    }
  }
}

void Controller::Impl::forget_ports(Node& node) {
  kernel::Host& host = *host_of(node).kernel;
  for (std::uint32_t i = 0; i < host.port.high; ++i)
    if (host.port[i].used && host.port[i].slot == node.slot) host.port.give(i);
  for (std::uint32_t i = 0; i < host.lock.high; ++i)
    if (host.lock[i].used && host.lock[i].pid == node.control->pid) host.lock.give(i);
  host_of(node).written_by = kNoNode;
}

/// The process is gone with its sockets still open: what Linux does for it.
void Controller::Impl::close_connections(Node& node) {
  for (std::uint64_t id = 1; id < connections.size(); ++id) {
    for (int s = 0; s < 2; ++s) {
      Side& side = connections[id].side[s];
      if (side.node != node.id || side.closed) continue;
      bool reset = !side.known;
      if (side.known) {
        const kernel::Socket& socket =
            node.process->socket[static_cast<std::uint32_t>(side.handle)];
        if (!socket.used || socket.generation != side.handle >> 32 ||
            socket.state == kernel::TcpState::closed) {
          side.closed = true;
          continue;
        }
        // Unread or unsent bytes: RST. FIN otherwise, once.
        reset =
            socket.rx_size > 0 || socket.tx_size > 0 || (socket.linger_on && socket.linger_s == 0);
        if (!reset && socket.fin_sent) {
          side.closed = true;
          continue;
        }
      }
      side_closed(id, s, reset, now);
    }
  }
}

}  // namespace lab::controller
