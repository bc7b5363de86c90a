// SPDX-License-Identifier: Apache-2.0
// Arithmetic of the key agreement: scalars modulo l and unclamped multiplication on Curve25519, as
// the packet format needs it (a plain X25519 clamps its scalar and gives other results).
//
// l = 2^252 + 27742317777372353535851937790883648493, the order of the group that base point 9
// spans. Scalars and u-coordinates are 32 bytes, little-endian. Everything here takes the same time
// for every secret, with one exception of probability 2^-126 that agreement.cc explains.
// Does not check that a point lies on the curve: the twist is as strong, and a point of small order
// gives the all-zero result, which is reported. Threads: values; any thread.
#pragma once

#include <cstdint>

#include "src/crypto/secret.h"
#include "src/prelude/bytes.h"

namespace mix::crypto {

inline constexpr std::size_t kScalarBytes = 32;
inline constexpr std::size_t kPointBytes = 32;
/// A u-coordinate. Bit 255 is ignored, values above the field's prime are reduced.
using Point = ByteArray<kPointBytes>;

/// A number below l; wiped when it goes.
class Scalar {
 public:
  /// Zero.
  Scalar() = default;
  /// Any little-endian number of at most 64 bytes, modulo l.
  static Scalar reduce(BytesView little_endian);
  /// Whether 32 bytes are a number below l.
  static bool is_canonical(std::span<const std::uint8_t, kScalarBytes> bytes);

  Scalar operator*(const Scalar& other) const;
  bool is_zero() const;
  std::span<const std::uint8_t, kScalarBytes> bytes() const { return x_bytes.bytes(); }

 private:
  Secret<kScalarBytes> x_bytes;
};

/// A scalar made ready to multiply points. Preparing costs two scalar multiplications modulo l
/// (well under a microsecond); a node prepares its own key once.
class Multiplier {
 public:
  explicit Multiplier(const Scalar& scalar);

  /// out = [scalar]point. False, and out all zero, when the result is the neutral element (a point
  /// of small order, or the scalar zero): nobody honest asks for that.
  [[nodiscard]] bool multiply(const Point& point, std::span<std::uint8_t, kPointBytes> out) const;
  /// out = [scalar]B.
  [[nodiscard]] bool multiply_base(std::span<std::uint8_t, kPointBytes> out) const;

 private:
  Secret<kScalarBytes> x_first;
  Secret<kScalarBytes> x_second;  // used only when the scalar had to be split
  bool x_split = false;
  bool x_zero = false;
};

/// Point multiplications done by this thread so far; what the cost of a packet is counted in.
std::uint64_t multiplications();

}  // namespace mix::crypto
