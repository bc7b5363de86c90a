// SPDX-License-Identifier: Apache-2.0
// What the controller asks of a simulated network, and nothing of how one works: harness/network
// implements it, the controller drives it.
//
// The network owns everything in flight. The controller submits a parcel with the time at which it
// left, and takes parcels out when they are due; the network decides when and whether, so that a
// fault can act on what is in flight. Parcels of one direction of one connection are delivered in
// the order they were submitted (kinds fin and reset included), whatever the jitter. Everything is
// driven by one thread and must be a function of what was submitted and of the seed alone.
//
// Acknowledgements and windows are parcels too. They cost the link nothing and are never lost (the
// stream model has no retransmission of its own); they take the link's latency.
//
// Sizes: data of a parcel is at most 65,536 bytes (what one send(2) gave); the network cuts it into
// segments of at most the MSS, each of which is a delivery of its own with its `offset`.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "harness/model/ids.h"
#include "harness/model/virtual_time.h"
#include "src/prelude/bytes.h"

namespace lab {

/// One TCP connection, numbered in the order of its connect. Datagrams have none.
enum class ConnectionId : std::uint64_t {};
inline constexpr ConnectionId kNoConnection{0};

enum class ParcelKind : std::uint8_t {
  connect,   ///< SYN
  accept,    ///< SYN and ACK
  refuse,    ///< RST in answer to a SYN, or ICMP unreachable in answer to a datagram
  data,      ///< bytes of a stream
  fin,       ///< end of one direction
  reset,     ///< RST
  ack,       ///< `value` bytes arrived
  window,    ///< the receiver takes bytes up to `value`
  datagram,  ///< UDP
};

struct Parcel {
  ParcelKind kind{};
  HostId from = kNoHost, to = kNoHost;
  ConnectionId connection = kNoConnection;
  bool to_server = false;    ///< direction: from the side that connected?
  VirtualTime sent;          ///< may lie after the activation's time (CPU cost)
  std::uint64_t offset = 0;  ///< data: position of the first byte in its stream
  std::uint64_t value = 0;   ///< ack, window
  std::uint64_t cookie = 0;  ///< the controller's own; kept as it is
  mix::Bytes bytes;          ///< data, datagram (payload only)
};

/// Why a parcel came or did not. Lost and cut parcels are delivered too, when their fate is known,
/// so that the recording can say what became of them: the controller reports, and drops them.
enum class Fate : std::uint8_t { delivered, lost, cut, queue_full, corrupted, duplicated };

/// As the recording and the chain spell it.
constexpr const char* name_of(Fate fate) {
  constexpr const char* kNames[] = {"delivered",  "lost",      "cut",
                                    "queue_full", "corrupted", "duplicated"};
  return kNames[static_cast<std::size_t>(fate)];
}

struct Delivery {
  VirtualTime at;
  Fate fate = Fate::delivered;
  Parcel parcel;
};

class Network {
 public:
  virtual ~Network() = default;
  /// Takes a parcel. `parcel.sent` never decreases for one `from`; between hosts it may, by less
  /// than the horizon, also after take_due() of a later time.
  virtual void submit(Parcel&& parcel) = 0;
  /// When the next parcel is due; nothing for never.
  virtual std::optional<VirtualTime> next_due() const = 0;
  /// Appends every parcel due at or before `now`, in the order (time, kind, sending host, its
  /// sequence number).
  virtual void take_due(VirtualTime now, std::vector<Delivery>& out) = 0;
  /// Before this time it brings nothing that is submitted at `from` or later, and decides nothing
  /// by itself. `from`: it promises nothing.
  virtual VirtualTime horizon(VirtualTime from) const { return from; }
};

}  // namespace lab
