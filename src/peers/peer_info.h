// SPDX-License-Identifier: Apache-2.0
// What a sender to an address needs to know of the node that listens there. A value.
#pragma once

#include <vector>

#include "src/sphinx/address.h"

namespace mix::peers {

struct PeerInfo {
  /// Reads many packets from one connection (one of our programs, by its version).
  bool keeps_connections = false;
  /// Where else the same node may listen, in the order in which to try; the address itself too.
  std::vector<sphinx::NodeAddress> addresses;
};

}  // namespace mix::peers
