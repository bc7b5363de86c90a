// SPDX-License-Identifier: Apache-2.0
// What a sender and one hop share for one packet: four keys out of one shared secret.
#pragma once

#include "src/crypto/agreement.h"
#include "src/prelude/bytes.h"
#include "src/sphinx/geometry.h"

namespace mix::sphinx {

/// Wipes itself.
class HopKeys {
 public:
  HopKeys() = default;
  /// From the shared u-coordinate.
  explicit HopKeys(std::span<const std::uint8_t, crypto::kPointBytes> shared_secret);

  std::span<const std::uint8_t, kStreamKeyBytes> stream() const {
    return x_bytes.part<0, kStreamKeyBytes>();
  }
  std::span<const std::uint8_t, kMacKeyBytes> mac() const {
    return x_bytes.part<kStreamKeyBytes, kMacKeyBytes>();
  }
  std::span<const std::uint8_t, kPayloadKeyBytes> payload() const {
    return x_bytes.part<kStreamKeyBytes + kMacKeyBytes, kPayloadKeyBytes>();
  }
  /// As bytes, for whoever wants to see them; as a scalar modulo l, for use.
  std::span<const std::uint8_t, kBlindingBytes> blinding_bytes() const {
    return x_bytes.part<kHopKeyBytes - kBlindingBytes, kBlindingBytes>();
  }
  crypto::Scalar blinding() const { return crypto::Scalar::reduce(blinding_bytes()); }

 private:
  crypto::Secret<kHopKeyBytes> x_bytes;
};

}  // namespace mix::sphinx
