// SPDX-License-Identifier: Apache-2.0
// The nouns of a run as small integers. A host is a simulated machine; a node is one program on
// it, as the recording's table `node` numbers them. Both count from 0 in the order of the
// canonical scenario, so that they are equal in two runs of one scenario; never order by name.
#pragma once

#include <compare>
#include <cstdint>

namespace lab {

enum class HostId : std::uint32_t {};
enum class NodeId : std::uint32_t {};

inline constexpr HostId kNoHost{0xffffffff};
inline constexpr NodeId kNoNode{0xffffffff};

constexpr std::uint32_t index(HostId id) {
  return static_cast<std::uint32_t>(id);
}
constexpr std::uint32_t index(NodeId id) {
  return static_cast<std::uint32_t>(id);
}

}  // namespace lab
