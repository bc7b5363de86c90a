// SPDX-License-Identifier: Apache-2.0
// Who may be a mix's next hop: the strict rule of layers, over every topology seen lately. Pure:
// names are resolved and clocks are read elsewhere.
//
// The rule: a mix of layer i sends to layer i + 1 only, and a mix of the last layer to providers
// only. The number of layers is a setting, not what the directory happens to show, or who runs a
// directory could shorten routes. An entry counts while it is listed, and for a minute after: a
// packet's route was chosen earlier than the packet is judged. An address listed in two places
// may be used if one of them allows it.
//
// Bounds: kMaxListed addresses of one topology, as many that have left. Where there would be more,
// those that have left are forgotten, and those of the next layer come first. Threads: one.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <vector>

#include "src/peers/peer_info.h"
#include "src/prelude/instant.h"
#include "src/sphinx/address.h"
#include "src/wire/limits.h"

namespace mix::mixnode {

/// One node of a topology, its name resolved.
struct Listed {
  /// All of them belong to the node; a sender may have used any. Empty: did not resolve.
  std::vector<sphinx::NodeAddress> addresses;
  /// Of a mix; a provider counts as the layer behind the last.
  unsigned layer = 0;
  /// Reads many packets from one connection (one of our programs, by its version).
  bool keeps_connections = false;

  bool operator==(const Listed&) const = default;
};

using peers::PeerInfo;

enum class Standing {
  next_layer,   ///< may be sent to
  other_layer,  ///< is in the topology, and may not
  unknown,      ///< nobody has this address
};

class Neighbours {
 public:
  static constexpr std::size_t kMaxListed =
      wire::kMaxAddressesPerName * (wire::kMaxMixnodes + wire::kMaxProviders);

  Neighbours(unsigned own_layer, unsigned layers);

  /// A topology arrived. It replaces the one before, whose entries count a while longer.
  void update(std::span<const Listed> topology, Instant now);
  /// One arrived at some time.
  bool any() const { return x_any; }

  Standing judge(const sphinx::NodeAddress& address, Instant now) const;
  /// nullptr for an address that never was in the next layer; valid until the next update. Who
  /// holds it longer keeps it alive.
  std::shared_ptr<const PeerInfo> info(const sphinx::NodeAddress& address) const;

  /// Addresses remembered.
  std::size_t size() const { return x_known.size(); }

 private:
  /// One role of one address: in the next layer, or in another.
  struct Membership {
    bool listed = false;
    Instant until = Instant::min();  // when it stops to count, once it is not listed
    bool counts(Instant now) const { return listed || now < until; }
  };
  struct Known {
    Membership next;
    Membership other;
    std::shared_ptr<const PeerInfo> info;
  };

  void retire(Instant now);
  void make_room(std::span<const Listed> topology);
  void list(const Listed& node);
  void forget(Instant now);

  unsigned x_next_layer;
  bool x_any = false;
  std::map<sphinx::NodeAddress, Known> x_known;
};

}  // namespace mix::mixnode
