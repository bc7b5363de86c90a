// SPDX-License-Identifier: Apache-2.0
#include "src/crypto/agreement.h"

#include <rapidcheck/boost_test.h>
#include <boost/test/unit_test.hpp>

#include "src/crypto/generator.h"
#include "src/crypto/reference_curve.h"

using namespace mix;
using namespace mix::crypto;

namespace {

constexpr Point kBase{9};

Generator chance(std::uint64_t seed) {
  ByteArray<32> key{};
  for (std::size_t i = 0; i < 8; ++i)
    key[i] = static_cast<std::uint8_t>(seed >> (8 * i));
  return Generator(key, "test");
}

Scalar random_scalar(std::uint64_t seed) {
  return Scalar::reduce(chance(seed).array<64>());
}

ByteArray<32> bytes_of(const Scalar& scalar) {
  ByteArray<32> bytes;
  std::ranges::copy(scalar.bytes(), bytes.begin());
  return bytes;
}

ByteArray<32> hex32(std::string_view text) {
  ByteArray<32> out;
  std::ranges::copy(from_hex(text).value(), out.begin());
  return out;
}

/// [scalar]point both ways; equal, or the test fails.
bool agrees(const Scalar& scalar, const Point& point) {
  Point ours;
  return Multiplier(scalar).multiply(point, ours) &&
         ours == reference::multiply(bytes_of(scalar), point);
}

/// 8 * a little-endian number, as a scalar.
Scalar eight_times(const ByteArray<32>& s) {
  ByteArray<32> eight{8};
  return Scalar::reduce(s) * Scalar::reduce(eight);
}

}  // namespace

RC_BOOST_PROP(multiplication_is_that_of_the_plain_ladder, (std::uint64_t a, std::uint64_t b)) {
  const Point point = reference::multiply(bytes_of(random_scalar(b)), kBase);
  RC_ASSERT(agrees(random_scalar(a), point));
}

RC_BOOST_PROP(multiplying_the_base_is_multiplying_nine, (std::uint64_t a)) {
  const Multiplier multiplier(random_scalar(a));
  Point by_base, by_point;
  RC_ASSERT(multiplier.multiply_base(by_base));
  RC_ASSERT(multiplier.multiply(kBase, by_point));
  RC_ASSERT(by_base == by_point);
}

RC_BOOST_PROP(both_sides_agree, (std::uint64_t a, std::uint64_t b)) {
  const Multiplier alice(random_scalar(a)), bob(random_scalar(~b));
  Point public_alice, public_bob, shared_alice, shared_bob;
  RC_ASSERT(alice.multiply_base(public_alice) && bob.multiply_base(public_bob));
  RC_ASSERT(alice.multiply(public_bob, shared_alice) && bob.multiply(public_alice, shared_bob));
  RC_ASSERT(shared_alice == shared_bob);
}

// Scalars whose eighth is tiny, or next to a power of two where the choice of k turns over.
BOOST_AUTO_TEST_CASE(scalars_at_every_edge_of_the_clamped_shape_work) {
  const Point point = reference::multiply(bytes_of(random_scalar(7)), kBase);
  for (std::uint8_t small = 1; small <= 40; ++small)
    BOOST_TEST(agrees(Scalar::reduce(ByteArray<1>{small}), point), "scalar " << int{small});
  for (const char* edge : {
           "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",  // l: zero, below
           "ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",  // l - 1
           "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000000",  // l - 2^252
           "eed3f55c1a631258d69cf7a2def9de1400000000000000000000000000000000",
           "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff0f",  // 2^252 - 1
           "0000000000000000000000000000000000000000000000000000000000000010",  // 2^252
           "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff07",  // 2^251 - 1
           "0000000000000000000000000000000000000000000000000000000000000008",  // 2^251
           "f6e97a2e8d31092c6bce7b51ef7c6f0a00000000000000000000000000000008",  // (l - 1) / 2
           "f7e97a2e8d31092c6bce7b51ef7c6f0a00000000000000000000000000000008",
       }) {
    const Scalar scalar = eight_times(hex32(edge));
    if (scalar.is_zero()) continue;
    BOOST_TEST(agrees(scalar, point), "eighth " << edge);
    Point by_base, by_point;
    BOOST_TEST(Multiplier(scalar).multiply_base(by_base));
    BOOST_TEST(Multiplier(scalar).multiply(kBase, by_point));
    BOOST_TEST(by_base == by_point, "base, eighth " << edge);
  }
}

BOOST_AUTO_TEST_CASE(zero_and_points_of_small_order_are_refused_with_a_zero_result) {
  Point out = kBase;
  BOOST_TEST(!Multiplier(Scalar()).multiply(kBase, out));
  BOOST_TEST(out == Point{});
  out = kBase;
  BOOST_TEST(!Multiplier(Scalar()).multiply_base(out));
  BOOST_TEST(out == Point{});
  for (const char* small_order : {
           "0000000000000000000000000000000000000000000000000000000000000000",
           "0100000000000000000000000000000000000000000000000000000000000000",
           "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
           "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
           "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
           "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
           "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
           "0000000000000000000000000000000000000000000000000000000000000080",
       }) {
    for (const Scalar& scalar : {random_scalar(3), Scalar::reduce(ByteArray<1>{8})}) {
      out = kBase;
      BOOST_TEST(!Multiplier(scalar).multiply(hex32(small_order), out), small_order);
      BOOST_TEST(out == Point{});
    }
  }
}

BOOST_AUTO_TEST_CASE(the_top_bit_and_a_reducible_coordinate_change_nothing) {
  const Multiplier multiplier(random_scalar(11));
  Point expected, got, top = kBase, reducible;
  top[31] |= 0x80;
  reducible.fill(0xff);
  reducible[0] = 0xed + 9;  // p + 9
  reducible[31] = 0x7f;
  BOOST_TEST(multiplier.multiply(kBase, expected));
  BOOST_TEST(multiplier.multiply(top, got));
  BOOST_TEST(got == expected);
  BOOST_TEST(multiplier.multiply(reducible, got));
  BOOST_TEST(got == expected);
}

BOOST_AUTO_TEST_CASE(canonical_means_below_the_group_order) {
  const auto order = hex32("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  ByteArray<32> below = order, all_ones;
  below[0] -= 1;
  all_ones.fill(0xff);
  BOOST_TEST(Scalar::is_canonical(below));
  BOOST_TEST(Scalar::is_canonical(ByteArray<32>{}));
  BOOST_TEST(!Scalar::is_canonical(order));
  BOOST_TEST(!Scalar::is_canonical(all_ones));
  BOOST_TEST(Scalar::reduce(order).is_zero());
}

BOOST_AUTO_TEST_CASE(multiplications_are_counted) {
  const std::uint64_t before = multiplications();
  Point out;
  BOOST_TEST(Multiplier(random_scalar(1)).multiply(kBase, out));
  BOOST_TEST(Multiplier(random_scalar(1)).multiply_base(out));
  BOOST_TEST(multiplications() - before == 2u);
}
