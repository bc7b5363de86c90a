// SPDX-License-Identifier: Apache-2.0
// Addresses that mean something else on every machine: the machine itself (loopback, 0.0.0.0 and
// ::), or whoever is on the same wire (link-local, where clouds answer with credentials).
//
// Presence proves nothing, so anybody can list such an address as a mix, build a packet for it, and
// thereby have another machine's mix send bytes, most of them of his choosing, to a service that
// listens for that machine only. A mix sends there only where its own address is one of these: on a
// devnet. Ranges: RFC 6890, RFC 4291. Pure.
#pragma once

#include <vector>

#include "src/sphinx/address.h"

namespace mix::mixnode {

bool is_inward(const sphinx::NodeAddress& address);

/// Those of a listed node's addresses that a mix announced at `own` sends to, in their order.
std::vector<sphinx::NodeAddress> sendable_from(const sphinx::NodeAddress& own,
                                               std::vector<sphinx::NodeAddress> listed);

}  // namespace mix::mixnode
