// SPDX-License-Identifier: Apache-2.0
// Nodes with keys, and routes through them, out of one number. For tests, benchmarks and fuzzing.
#pragma once

#include <vector>

#include "src/crypto/generator.h"
#include "src/sphinx/address.h"
#include "src/sphinx/packet.h"

namespace mix::sphinx {

struct SampleRoute {
  std::vector<crypto::PrivateKey> keys;
  std::vector<Hop> hops;
  Destination destination;
  BuildSecrets secrets;

  /// Delays of up to about a second.
  SampleRoute(std::size_t length, std::uint64_t seed) {
    ByteArray<32> key{};
    for (std::size_t i = 0; i < sizeof seed; ++i)
      key[i] = static_cast<std::uint8_t>(seed >> (8 * i));
    crypto::Generator chance(key, "a sample route");
    for (std::size_t i = 0; i < length; ++i) {
      const auto pair = crypto::KeyPair::generate(chance);
      const auto port = static_cast<std::uint16_t>(9980 + i);
      keys.push_back(pair.secret);
      hops.push_back({NodeAddress::ipv4({127, 0, 0, 1}, port).encode(), pair.public_key,
                      Duration(static_cast<std::int64_t>(chance.below(1u << 30)))});
    }
    chance.fill(destination.address);
    chance.fill(destination.surb_id);
    secrets = BuildSecrets::draw(chance);
  }
  std::expected<Packet, BuildError> build(BytesView message) const {
    return Builder().build(hops, destination, message, secrets);
  }
};

}  // namespace mix::sphinx
