// SPDX-License-Identifier: Apache-2.0
// Curve25519 spelt out from its definition, to judge agreement.h by and to make a stranger's odd
// points. For tests only: slow, and its time depends on its input.
//
// Montgomery form v^2 = u^3 + 486662 u^2 + u and Edwards form -x^2 + y^2 = 1 + d x^2 y^2 over
// p = 2^255 - 19, joined by u = (1 + y) / (1 - y). Adding points needs the Edwards form.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "src/prelude/bytes.h"

namespace mix::crypto::reference {

__extension__ typedef unsigned __int128 Wide;

/// A number modulo 2^256 - 38 = 2 p; made canonical when compared or written.
class Field {
 public:
  Field() = default;
  explicit Field(std::uint64_t small) : x_limbs{small, 0, 0, 0} {}
  /// Little-endian; the top bit is ignored.
  explicit Field(const ByteArray<32>& bytes) {
    for (std::size_t i = 0; i < 32; ++i)
      x_limbs[i / 8] |= std::uint64_t{bytes[i]} << (8 * (i % 8));
    x_limbs[3] &= ~std::uint64_t{0} >> 1;
  }

  Field operator+(const Field& other) const {
    std::array<std::uint64_t, 8> sum{};
    Wide carry = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      carry += Wide{x_limbs[i]} + other.x_limbs[i];
      sum[i] = static_cast<std::uint64_t>(carry);
      carry >>= 64;
    }
    sum[4] = static_cast<std::uint64_t>(carry);
    return fold(sum);
  }
  Field operator*(const Field& other) const {
    std::array<std::uint64_t, 8> product{};
    for (std::size_t i = 0; i < 4; ++i) {
      Wide carry = 0;
      for (std::size_t j = 0; j < 4; ++j) {
        carry += Wide{x_limbs[i]} * other.x_limbs[j] + product[i + j];
        product[i + j] = static_cast<std::uint64_t>(carry);
        carry >>= 64;
      }
      product[i + 4] = static_cast<std::uint64_t>(carry);
    }
    return fold(product);
  }
  Field operator-() const {  // (p - 1) * this
    return *this * power_base(0xffffffffffffffecU, ~std::uint64_t{0} >> 1);
  }
  Field operator-(const Field& other) const { return *this + -other; }
  /// this^(p - 2); zero for zero.
  Field inverse() const { return power(0xffffffffffffffebU, ~std::uint64_t{0} >> 1); }
  Field operator/(const Field& other) const { return *this * other.inverse(); }
  /// A square root, if there is one.
  std::optional<Field> root() const {
    const Field root_of_minus_one = Field(2).power(0xfffffffffffffffbU, ~std::uint64_t{0} >> 3);
    Field candidate = power(0xfffffffffffffffeU, ~std::uint64_t{0} >> 4);  // this^((p + 3) / 8)
    if (!(candidate * candidate == *this)) candidate = candidate * root_of_minus_one;
    if (candidate * candidate == *this) return candidate;
    return std::nullopt;
  }

  ByteArray<32> bytes() const {
    std::array<std::uint64_t, 4> least = x_limbs;
    for (int twice = 0; twice < 2; ++twice)
      subtract_prime(least);
    ByteArray<32> out;
    for (std::size_t i = 0; i < 32; ++i)
      out[i] = static_cast<std::uint8_t>(least[i / 8] >> (8 * (i % 8)));
    return out;
  }
  bool operator==(const Field& other) const { return bytes() == other.bytes(); }

 private:
  /// this^e, e's lowest limb `low`, its two middle limbs all ones, its highest `high`.
  Field power(std::uint64_t low, std::uint64_t high) const {
    const std::array<std::uint64_t, 4> e{low, ~std::uint64_t{0}, ~std::uint64_t{0}, high};
    Field result(1);
    for (std::size_t bit = 256; bit-- > 0;) {
      result = result * result;
      if (e[bit / 64] >> (bit % 64) & 1) result = result * *this;
    }
    return result;
  }
  static Field power_base(std::uint64_t low, std::uint64_t high) {
    Field number;
    number.x_limbs = {low, ~std::uint64_t{0}, ~std::uint64_t{0}, high};
    return number;
  }
  /// 2^256 is 38 modulo p.
  static Field fold(const std::array<std::uint64_t, 8>& wide) {
    Field out;
    Wide carry = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      carry += Wide{wide[i + 4]} * 38 + wide[i];
      out.x_limbs[i] = static_cast<std::uint64_t>(carry);
      carry >>= 64;
    }
    for (carry *= 38; carry != 0; carry *= 38)
      for (std::uint64_t& limb : out.x_limbs) {
        carry += limb;
        limb = static_cast<std::uint64_t>(carry);
        carry >>= 64;
      }
    return out;
  }
  static void subtract_prime(std::array<std::uint64_t, 4>& number) {
    const std::array<std::uint64_t, 4> prime =
        power_base(0xffffffffffffffedU, ~std::uint64_t{0} >> 1).x_limbs;
    std::array<std::uint64_t, 4> less{};
    std::uint64_t borrow = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const Wide difference = Wide{number[i]} - prime[i] - borrow;
      less[i] = static_cast<std::uint64_t>(difference);
      borrow = static_cast<std::uint64_t>(difference >> 64) & 1;
    }
    if (borrow == 0) number = less;
  }

  std::array<std::uint64_t, 4> x_limbs{};
};

/// The plain Montgomery ladder over bits 254 to 0 of the scalar, nothing clamped, nothing refused.
inline ByteArray<32> multiply(const ByteArray<32>& scalar, const ByteArray<32>& u) {
  const Field u1(u);
  Field x2(1), z2(0), x3 = u1, z3(1);
  for (std::size_t bit = 255; bit-- > 0;) {
    const bool swap = scalar[bit / 8] >> (bit % 8) & 1;
    if (swap) std::swap(x2, x3), std::swap(z2, z3);
    const Field a = x2 + z2, b = x2 - z2, c = x3 + z3, d = x3 - z3;
    const Field da = d * a, cb = c * b, aa = a * a, bb = b * b, e = aa - bb;
    x3 = (da + cb) * (da + cb);
    z3 = u1 * ((da - cb) * (da - cb));
    x2 = aa * bb;
    z2 = e * (aa + Field(121665) * e);
    if (swap) std::swap(x2, x3), std::swap(z2, z3);
  }
  return (x2 / z2).bytes();
}

/// An affine point of the Edwards form.
struct Edwards {
  Field x{0}, y{1};

  /// nullopt for a u-coordinate of the twist.
  static std::optional<Edwards> from_u(const ByteArray<32>& u_bytes) {
    const Field u(u_bytes), one(1), y = (u - one) / (u + one), yy = y * y;
    const auto x = ((yy - one) / (d() * yy + one)).root();
    if (!x) return std::nullopt;
    return Edwards{*x, y};
  }
  ByteArray<32> u() const { return ((Field(1) + y) / (Field(1) - y)).bytes(); }

  Edwards operator+(const Edwards& q) const {
    const Field one(1), dxy = d() * x * q.x * y * q.y;
    return {(x * q.y + y * q.x) / (one + dxy), (y * q.y + x * q.x) / (one - dxy)};
  }
  bool operator==(const Edwards&) const = default;

 private:
  static Field d() { return -(Field(121665) / Field(121666)); }
};

}  // namespace mix::crypto::reference
