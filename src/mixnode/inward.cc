// SPDX-License-Identifier: Apache-2.0
#include "src/mixnode/inward.h"

#include <algorithm>
#include <utility>

namespace mix::mixnode {
namespace {

using sphinx::NodeAddress;

bool is_inward_ipv4(const std::uint8_t* octets) {
  return octets[0] == 127 || octets[0] == 0 || (octets[0] == 169 && octets[1] == 254);
}

}  // namespace

bool is_inward(const NodeAddress& address) {
  const auto& o = address.octets;
  if (address.family == NodeAddress::Family::ipv4) return is_inward_ipv4(o.data());
  if (o[0] == 0xfe && (o[1] & 0xc0) == 0x80) return true;  // fe80::/10
  if (!std::all_of(o.begin(), o.begin() + 10, [](std::uint8_t octet) { return octet == 0; }))
    return false;
  if (o[10] == 0xff && o[11] == 0xff) return is_inward_ipv4(o.data() + 12);  // ::ffff:127.0.0.1
  return std::all_of(o.begin() + 10, o.begin() + 15,
                     [](std::uint8_t octet) { return octet == 0; }) &&
         o[15] <= 1;
}

std::vector<NodeAddress> sendable_from(const NodeAddress& own, std::vector<NodeAddress> listed) {
  if (!is_inward(own)) std::erase_if(listed, is_inward);
  return listed;
}

}  // namespace mix::mixnode
