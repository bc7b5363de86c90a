// SPDX-License-Identifier: Apache-2.0
#include "src/crypto/keys.h"

#include <cstring>

#include "src/crypto/base58.h"
#include "src/prelude/check.h"

namespace mix::crypto {

std::optional<PublicKey> PublicKey::from_bytes(BytesView bytes) {
  if (bytes.size() != kBytes) return std::nullopt;
  PublicKey key;
  std::ranges::copy(bytes, key.x_bytes.begin());
  return key;
}

std::optional<PublicKey> PublicKey::from_base58(std::string_view text) {
  const std::optional<Bytes> bytes = crypto::from_base58(text);
  return bytes ? from_bytes(*bytes) : std::nullopt;
}

std::string PublicKey::to_base58() const {
  return crypto::to_base58(x_bytes);
}

PrivateKey PrivateKey::generate(ports::Entropy& entropy) {
  while (true) {
    Secret<64> wide;
    entropy.fill(wide.mutable_bytes());
    const Scalar scalar = Scalar::reduce(wide.bytes());
    if (!scalar.is_zero()) return PrivateKey(scalar);
  }
}

std::expected<PrivateKey, std::string> PrivateKey::from_bytes(BytesView little_endian) {
  if (little_endian.size() != kBytes)
    return std::unexpected("a private key has 32 bytes, not " +
                           std::to_string(little_endian.size()));
  if (!Scalar::is_canonical(little_endian.first<kBytes>()))
    return std::unexpected(
        "the private key is not below the order of the curve's group (a clamped X25519 key?)");
  const Scalar scalar = Scalar::reduce(little_endian);
  if (scalar.is_zero()) return std::unexpected("the private key is zero");
  return PrivateKey(scalar);
}

PublicKey PrivateKey::public_key() const {
  ByteArray<PublicKey::kBytes> point;
  CHECK(Multiplier(x_scalar).multiply_base(point), "a private key is never zero");
  return PublicKey(point);
}

KeyPair KeyPair::generate(ports::Entropy& entropy) {
  return from_secret(PrivateKey::generate(entropy));
}

}  // namespace mix::crypto

std::size_t std::hash<mix::crypto::PublicKey>::operator()(
    const mix::crypto::PublicKey& key) const noexcept {
  std::size_t head;
  std::memcpy(&head, key.bytes().data(), sizeof head);
  return head;
}
