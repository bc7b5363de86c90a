// SPDX-License-Identifier: Apache-2.0
// The wires between hosts, and the agenda of everything that is due: what the controller asks
// "what happens next?". Pure: one thread, no I/O, no clock, chance only from named streams.
//
// The controller puts in what hosts send (`send`), when a host wants to be woken (`set_deadline`)
// and what it wants to be reminded of (`remind`), and takes out `Due`s in the total order
// (time, kind, host, sequence). Losses, retransmissions, queues, cuts and link changes happen in
// between and are told to the Witness, never to the hosts.
//
// TCP is modelled per flow (one direction of one connection): what was sent in order arrives in
// order, once, or not at all. A lost segment is sent again after a time-out (200 ms plus twice the
// mean latency, doubled for each further loss, at most 120 s; 1 s doubled before the flow's first
// arrival, as Linux does for a SYN) and holds back what follows it. After 15 losses in a row (6 for
// the first segment) the sender gets `gone`: its kernel shows ETIMEDOUT. A datagram is lost, late,
// doubled, overtaken or damaged, as its link says.
//
// A host's traffic with itself is the business of that host's kernel and never comes here.
// Bounds: 2^32 hosts; memory is what is in flight. Errors: a host that is not in the plan, or a
// time before the last Due's, is our bug (CHECK).
#pragma once

#include <memory>

#include "harness/scenario/plan.h"
#include "src/prelude/bytes.h"

namespace lab::network {

/// The order of kinds at one instant is part of the chain: what changes the world comes first, then
/// what arrives, then what wakes.
enum class DueKind : std::uint8_t { action, reminder, arrival, gone, deadline };

/// What one host put on the wire. The kernel library's own words for it (a SYN, bytes, a FIN, a
/// window update) are in `tag` and `payload`, which the network carries and never reads.
struct Shipment {
  HostId from = kNoHost, to = kNoHost;
  std::uint64_t flow = 0;  // equal for what must arrive in order; unused by datagrams
  bool datagram = false;
  std::uint32_t wire_bytes = 0;  // what counts for bandwidth: payload and headers
  std::uint64_t tag = 0;
  bool divisible = false;  // stream bytes: may be cut where the link fragments
  mix::Bytes payload;
};

struct Due {
  VirtualTime time;
  DueKind kind = DueKind::action;
  HostId host = kNoHost;
  NodeId node = kNoNode;       // deadline: whose
  std::uint64_t sequence = 0;  // per host, of its scheduling
  std::uint64_t shipment = 0;  // arrival, gone: its number, counted from 0 in order of sending
  VirtualTime sent;            // arrival
  Shipment parcel;             // arrival, gone
  std::size_t offset = 0;      // arrival: where this part begins in what was sent
  bool last_part = true;       // arrival of a fragmented segment: the rest has come
  bool corrupted = false;      // arrival of a datagram: a bit of payload was flipped
  std::size_t action = 0;      // action: index into Plan::actions
  std::uint64_t token = 0;     // reminder: as given
};

enum class Fate { delivered, lost, queue_full, cut, duplicated, corrupted, reordered, timed_out };
const char* to_text(Fate fate);

/// Is told of every decision of the network, in order: they are part of the chain.
class Witness {
 public:
  virtual ~Witness() = default;
  virtual void decided(VirtualTime now, std::uint64_t shipment, HostId from, HostId to,
                       Fate fate) = 0;
};

class Network {
 public:
  /// `plan` and `witness` outlive the network. The plan's actions are on the agenda from the start.
  Network(const scenario::Plan& plan, std::uint64_t seed, Witness& witness);
  ~Network();

  /// Returns the shipment's number. `now` is at or after the last Due's time.
  std::uint64_t send(VirtualTime now, Shipment shipment);
  /// The next time this program wants to run although nothing arrived; replaces its last wish, and
  /// is used up when it is due.
  void set_deadline(NodeId node, std::optional<VirtualTime> deadline);
  void remind(VirtualTime time, HostId host, std::uint64_t token);
  /// This flow is over (closed, or its receiver is gone): what is left of it is taken off the wire,
  /// and its memory given back. Its number is never used again.
  void forget(HostId from, std::uint64_t flow);

  /// Nothing is due before this time (something the network settles by itself may be due then);
  /// kNever when nothing is due at all.
  VirtualTime next_time();
  /// The next Due not after `limit`; nullopt when there is none. Does partition, heal and set-link
  /// by itself, and hands them out as well, for the record.
  std::optional<Due> next(VirtualTime limit = kNever);

 private:
  class Impl;
  std::unique_ptr<Impl> x_impl;
};

}  // namespace lab::network
