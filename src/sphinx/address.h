// SPDX-License-Identifier: Apache-2.0
// Node addresses: an IP address and a port in the 32 bytes a routing record has for the next hop.
// Names are not resolved here, IPv6 scopes and flow labels do not fit the format.
#pragma once

#include <compare>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "src/prelude/bytes.h"
#include "src/sphinx/geometry.h"

namespace mix::sphinx {

/// Where a node listens. Compare these, not the 32 bytes: trailing bytes mean nothing on the wire.
struct NodeAddress {
  enum class Family : std::uint8_t { ipv4 = 4, ipv6 = 6 };

  Family family = Family::ipv4;
  ByteArray<16> octets{};  // network order; IPv4 uses the first four, the others stay zero
  std::uint16_t port = 0;

  static NodeAddress ipv4(const ByteArray<4>& octets, std::uint16_t port);
  static NodeAddress ipv6(const ByteArray<16>& octets, std::uint16_t port);
  /// nullopt when the first byte is neither 4 nor 6; trailing bytes are ignored.
  static std::optional<NodeAddress> decode(const ByteArray<kAddressBytes>& bytes);
  /// "127.0.0.1:9980" or "[::1]:9997"; numeric only. The error says what was expected.
  static std::expected<NodeAddress, std::string> from_text(std::string_view text);

  ByteArray<kAddressBytes> encode() const;
  /// The address alone, without brackets: "127.0.0.1", "::1".
  std::string host_text() const;
  std::string to_text() const;

  auto operator<=>(const NodeAddress&) const = default;
};

}  // namespace mix::sphinx

template <>
struct std::hash<mix::sphinx::NodeAddress> {
  std::size_t operator()(const mix::sphinx::NodeAddress& address) const noexcept;
};
