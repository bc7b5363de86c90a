// SPDX-License-Identifier: Apache-2.0
#include "src/sphinx/hop_keys.h"

#include "src/crypto/cipher.h"

namespace mix::sphinx {

HopKeys::HopKeys(std::span<const std::uint8_t, crypto::kPointBytes> shared_secret) {
  crypto::hkdf_sha256(shared_secret, as_bytes(kKeyDerivationInfo), x_bytes.mutable_bytes());
}

}  // namespace mix::sphinx
