// SPDX-License-Identifier: Apache-2.0
// A node's and a client's long-term keys: a secret scalar below l, and its public u-coordinate,
// which is also a client's address. Files are in pem.h, the text form is base58 without checksum.
#pragma once

#include <compare>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "src/crypto/agreement.h"
#include "src/ports/entropy.h"
#include "src/prelude/bytes.h"

namespace mix::crypto {

class PublicKey {
 public:
  static constexpr std::size_t kBytes = kPointBytes;
  /// All zero: no key of anybody.
  PublicKey() = default;
  explicit PublicKey(const ByteArray<kBytes>& bytes) : x_bytes(bytes) {}

  /// Exactly 32 bytes; any such are accepted (whether they lie on the curve shows when used).
  static std::optional<PublicKey> from_bytes(BytesView bytes);
  /// nullopt for characters outside the alphabet or anything that is not exactly 32 bytes.
  static std::optional<PublicKey> from_base58(std::string_view text);
  std::string to_base58() const;
  const ByteArray<kBytes>& bytes() const { return x_bytes; }

  auto operator<=>(const PublicKey&) const = default;

 private:
  ByteArray<kBytes> x_bytes{};
};

/// Copyable; every copy wipes itself. Never zero, always below l.
class PrivateKey {
 public:
  static constexpr std::size_t kBytes = kScalarBytes;
  /// 64 bytes of entropy modulo l.
  static PrivateKey generate(ports::Entropy& entropy);
  /// The error says what is wrong: not 32 bytes, zero, or not below l (as a clamped X25519 key is).
  static std::expected<PrivateKey, std::string> from_bytes(BytesView little_endian);

  PublicKey public_key() const;
  std::span<const std::uint8_t, kBytes> bytes() const { return x_scalar.bytes(); }
  const Scalar& scalar() const { return x_scalar; }

 private:
  explicit PrivateKey(const Scalar& scalar) : x_scalar(scalar) {}
  Scalar x_scalar;
};

struct KeyPair {
  PrivateKey secret;
  PublicKey public_key;

  static KeyPair generate(ports::Entropy& entropy);
  /// The pair that belongs to a secret.
  static KeyPair from_secret(const PrivateKey& secret) { return {secret, secret.public_key()}; }
};

}  // namespace mix::crypto

template <>
struct std::hash<mix::crypto::PublicKey> {
  /// For hash tables only. Keys are chosen by strangers: bound the table, never trust the spread.
  std::size_t operator()(const mix::crypto::PublicKey& key) const noexcept;
};
