// SPDX-License-Identifier: Apache-2.0
#include "src/crypto/generator.h"

#include <rapidcheck/boost_test.h>
#include <boost/test/unit_test.hpp>

using namespace mix;
using namespace mix::crypto;

namespace {

constexpr ByteArray<32> kKey{1, 2, 3};

}  // namespace

BOOST_AUTO_TEST_CASE(equal_keys_and_purposes_give_equal_streams) {
  Generator one(kKey, "loop gaps"), same(kKey, "loop gaps"), other(kKey, "real gaps"),
      elsewhere(ByteArray<32>{9}, "loop gaps");
  const auto stream = one.array<2000>();
  BOOST_TEST(stream == same.array<2000>());
  BOOST_TEST(stream != other.array<2000>());
  BOOST_TEST(stream != elsewhere.array<2000>());
}

RC_BOOST_PROP(a_stream_does_not_depend_on_how_it_is_cut, (const std::vector<std::uint8_t>& cuts)) {
  Generator whole(kKey, "test"), pieces(kKey, "test");
  Bytes expected, got;
  for (std::uint8_t cut : cuts) {
    Bytes piece(std::size_t{cut} * 5);
    pieces.fill(piece);
    got.insert(got.end(), piece.begin(), piece.end());
  }
  expected.resize(got.size());
  whole.fill(expected);
  RC_ASSERT(got == expected);
  RC_ASSERT(pieces.drawn() == got.size());
}

BOOST_AUTO_TEST_CASE(a_stream_does_not_repeat_itself) {
  Generator chance(kKey, "test");
  std::vector<ByteArray<16>> seen(10'000);
  for (auto& draw : seen)
    draw = chance.array<16>();
  std::ranges::sort(seen);
  BOOST_TEST((std::ranges::adjacent_find(seen) == seen.end()));
}

BOOST_AUTO_TEST_CASE(a_root_is_asked_for_32_bytes_once) {
  Generator root(kKey, "root"), key_source(kKey, "root");
  Generator child(root, "child");
  BOOST_TEST(root.drawn() == 32u);
  BOOST_TEST(child.array<600>() == Generator(key_source.array<32>(), "child").array<600>());
  BOOST_TEST(root.drawn() == 32u);
}

RC_BOOST_PROP(below_stays_below, (std::uint64_t n, std::uint8_t seed)) {
  RC_PRE(n > 0);
  Generator chance(ByteArray<32>{seed}, "test");
  for (int i = 0; i < 20; ++i)
    RC_ASSERT(chance.below(n) < n);
}

// With n = 3 * 2^62 a plain remainder would make the lowest third of the results twice as likely as
// the others: half of the draws instead of a third.
BOOST_AUTO_TEST_CASE(below_is_uniform_where_a_remainder_is_not) {
  Generator chance(kKey, "test");
  const std::uint64_t third = std::uint64_t{1} << 62;
  int low = 0;
  constexpr int kDraws = 30'000;
  for (int i = 0; i < kDraws; ++i)
    low += chance.below(3 * third) < third;
  BOOST_TEST(low > kDraws / 3 - 400);  // five standard deviations
  BOOST_TEST(low < kDraws / 3 + 400);
  BOOST_TEST(chance.drawn() > 8 * std::uint64_t{kDraws});  // a quarter was drawn again
}

BOOST_AUTO_TEST_CASE(below_reaches_every_value_evenly) {
  Generator chance(kKey, "test");
  std::array<int, 6> count{};
  for (int i = 0; i < 60'000; ++i)
    ++count[chance.below(6)];
  double chi_square = 0;
  for (int n : count)
    chi_square += (n - 10'000.0) * (n - 10'000.0) / 10'000.0;
  BOOST_TEST(chi_square < 20.5);  // 5 degrees of freedom, 1 in 1000
  BOOST_TEST(chance.drawn() == 480'000u);
  BOOST_TEST(chance.below(1) == 0u);
}
