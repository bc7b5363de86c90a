// SPDX-License-Identifier: Apache-2.0
//
// How a clamped X25519 does an unclamped multiplication.
//
// The format multiplies points by plain scalars a in [0, l). libsodium's X25519, the constant-time
// ladder we want, first clamps its scalar: it clears the low three bits (so the scalar becomes a
// multiple of 8), clears bit 255 and sets bit 254. A scalar that already has that shape passes
// unchanged, so for each a we look for a k of that shape with [k]P = +-[a]P; the sign is lost in a
// u-coordinate anyway.
//
// On the prime-order subgroup only k modulo l counts. Let s = a / 8 modulo l. Then k = 8 s is
// congruent to a and a multiple of 8, and k' = 8 (l - s) is congruent to -a. Since s + (l - s) = l
// and l is a little more than 2^252, one of the two has its top bit exactly at 251 unless the other
// is tiny (below about 2^125): then 8 times it has its top bit at 254. We choose with a mask, not a
// branch, because the choice tells something about the secret.
//
// A tiny s (or l - s) comes once in 2^126 draws, but scalars like 8 exist. Such an a is split into
// a1 * a2 with a1 from a hash of a, and multiplied by in two steps: both are then of the usual
// kind. This branch is the one exception to constant time.
//
// Because k is a multiple of 8, a point of order 2, 4 or 8 that somebody added to P vanishes: all
// eight variants of a packet's alpha give one shared secret, hence one replay tag.
#include "src/crypto/agreement.h"

#include <sodium.h>

#include "src/crypto/ready.h"
#include "src/prelude/check.h"

namespace mix::crypto {
namespace {

constexpr ByteArray<kScalarBytes> kOrder = {
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
constexpr ByteArray<kScalarBytes> kInverseOfEight = {
    0x79, 0x2f, 0xdc, 0xe2, 0x29, 0xe5, 0x06, 0x61, 0xd0, 0xda, 0x1c, 0x7d, 0xb3, 0x9d, 0xd3, 0x07,
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0x06};

thread_local std::uint64_t multiplications_done = 0;

/// 0xff when the number's highest bit is exactly bit 251, else 0.
std::uint8_t top_bit_is_251(std::span<const std::uint8_t, kScalarBytes> s) {
  const unsigned bits = s[31] >> 3;  // bits 251 to 255
  return static_cast<std::uint8_t>(((bits ^ 1U) - 1U) >> 24);
}

/// 8 * s; s is below 2^253.
void times_eight(std::span<std::uint8_t, kScalarBytes> s) {
  for (std::size_t i = kScalarBytes; i-- > 1;)
    s[i] = static_cast<std::uint8_t>(s[i] << 3 | s[i - 1] >> 5);
  s[0] = static_cast<std::uint8_t>(s[0] << 3);
}

/// The k of the essay for `scalar`; false when there is none.
bool to_clamped(const Scalar& scalar, Secret<kScalarBytes>& k) {
  Secret<kScalarBytes> s, minus_s;
  crypto_core_ed25519_scalar_mul(s.mutable_bytes().data(), scalar.bytes().data(),
                                 kInverseOfEight.data());
  crypto_core_ed25519_scalar_negate(minus_s.mutable_bytes().data(), s.bytes().data());
  const std::uint8_t take_s = top_bit_is_251(s.bytes());
  const std::span out = k.mutable_bytes();
  for (std::size_t i = 0; i < kScalarBytes; ++i)
    out[i] = static_cast<std::uint8_t>((s.bytes()[i] & take_s) | (minus_s.bytes()[i] & ~take_s));
  const bool found = top_bit_is_251(out) != 0;
  times_eight(out);
  return found;
}

bool ladder(std::span<const std::uint8_t, kScalarBytes> k,
            std::span<const std::uint8_t, kPointBytes> point,
            std::span<std::uint8_t, kPointBytes> out) {
  ++multiplications_done;
  return crypto_scalarmult_curve25519(out.data(), k.data(), point.data()) == 0;
}

}  // namespace

Scalar Scalar::reduce(BytesView little_endian) {
  CHECK(little_endian.size() <= crypto_core_ed25519_NONREDUCEDSCALARBYTES, little_endian.size());
  ready();
  Secret<crypto_core_ed25519_NONREDUCEDSCALARBYTES> wide;
  std::ranges::copy(little_endian, wide.mutable_bytes().begin());
  Scalar reduced;
  crypto_core_ed25519_scalar_reduce(reduced.x_bytes.mutable_bytes().data(), wide.bytes().data());
  return reduced;
}

bool Scalar::is_canonical(std::span<const std::uint8_t, kScalarBytes> bytes) {
  unsigned borrow = 0;
  for (std::size_t i = 0; i < kScalarBytes; ++i)
    borrow = ((unsigned{bytes[i]} - kOrder[i] - borrow) >> 8) & 1U;
  return borrow == 1;
}

Scalar Scalar::operator*(const Scalar& other) const {
  Scalar product;
  crypto_core_ed25519_scalar_mul(product.x_bytes.mutable_bytes().data(), bytes().data(),
                                 other.bytes().data());
  return product;
}

bool Scalar::is_zero() const {
  return sodium_is_zero(bytes().data(), kScalarBytes) == 1;
}

Multiplier::Multiplier(const Scalar& scalar) {
  ready();
  if (to_clamped(scalar, x_first)) return;
  x_zero = scalar.is_zero();
  x_split = !x_zero;
  for (std::uint8_t attempt = 0; x_split; ++attempt) {
    Secret<64> hash;
    crypto_generichash(hash.mutable_bytes().data(), hash.bytes().size(), &attempt, sizeof attempt,
                       scalar.bytes().data(), kScalarBytes);
    const Scalar factor = Scalar::reduce(hash.bytes());
    Secret<kScalarBytes> inverse;
    if (crypto_core_ed25519_scalar_invert(inverse.mutable_bytes().data(), factor.bytes().data()) !=
        0)
      continue;
    if (to_clamped(factor, x_first) &&
        to_clamped(scalar * Scalar::reduce(inverse.bytes()), x_second))
      return;
  }
}

bool Multiplier::multiply(const Point& point, std::span<std::uint8_t, kPointBytes> out) const {
  bool usable = !x_zero;
  if (x_split) {
    Secret<kPointBytes> between;
    usable = ladder(x_second.bytes(), point, between.mutable_bytes()) &&
             ladder(x_first.bytes(), between.bytes(), out);
  } else {
    usable = usable && ladder(x_first.bytes(), point, out);
  }
  if (!usable) wipe(out);
  return usable;
}

bool Multiplier::multiply_base(std::span<std::uint8_t, kPointBytes> out) const {
  if (x_zero) {
    wipe(out);
    return false;
  }
  ++multiplications_done;
  crypto_scalarmult_curve25519_base(out.data(), x_first.bytes().data());
  if (!x_split) return true;
  Secret<kPointBytes> between{std::span<const std::uint8_t, kPointBytes>(out)};
  return ladder(x_second.bytes(), between.bytes(), out);
}

std::uint64_t multiplications() {
  return multiplications_done;
}

}  // namespace mix::crypto
