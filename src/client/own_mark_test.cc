// SPDX-License-Identifier: Apache-2.0
#include "src/client/own_mark.h"

#include <rapidcheck/boost_test.h>
#include <boost/test/unit_test.hpp>
#include <set>

#include "src/client/test_world.h"

using namespace mix;
using namespace mix::client;

namespace {

crypto::PrivateKey key(std::uint8_t seed) {
  auto chance = test::generator(seed, "key");
  return crypto::PrivateKey::generate(chance);
}

}  // namespace

RC_BOOST_PROP(its_own_payloads_are_recognised_with_their_kind, (std::uint8_t seed)) {
  const OwnMark mine(key(1));
  auto chance = test::generator(seed);
  for (const Kind kind : {Kind::loop, Kind::cover}) {
    const OwnPayload payload = mine.make(kind, chance);
    const auto seen = mine.recognise(payload.bytes);
    RC_ASSERT(seen.has_value());
    RC_ASSERT(seen->kind == kind);
    RC_ASSERT(seen->mark == payload.mark);
  }
}

RC_BOOST_PROP(nobody_else_recognises_them, (std::uint8_t seed)) {
  auto chance = test::generator(seed);
  const OwnPayload payload = OwnMark(key(1)).make(Kind::loop, chance);
  RC_ASSERT(!OwnMark(key(2)).recognise(payload.bytes));
}

RC_BOOST_PROP(what_others_wrote_is_not_recognised, (const Bytes& message)) {
  RC_ASSERT(!OwnMark(key(1)).recognise(message));
}

RC_BOOST_PROP(one_changed_bit_is_enough_not_to_be_recognised, (std::uint8_t seed)) {
  const OwnMark mine(key(1));
  auto chance = test::generator(seed);
  OwnPayload payload = mine.make(Kind::cover, chance);
  const auto bit = *rc::gen::inRange<std::size_t>(0, payload.bytes.size() * 8);
  payload.bytes[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
  RC_ASSERT(!mine.recognise(payload.bytes));
}

BOOST_AUTO_TEST_CASE(a_restarted_client_still_recognises_what_it_sent_before) {
  auto chance = test::generator(3);
  const OwnPayload payload = OwnMark(key(1)).make(Kind::loop, chance);
  BOOST_TEST(OwnMark(key(1)).recognise(payload.bytes).has_value());
}

BOOST_AUTO_TEST_CASE(payloads_of_any_kind_cost_the_same_draws) {
  const OwnMark mine(key(1));
  auto chance = test::generator(4);
  for (std::uint64_t i = 1; i <= 100; ++i) {
    (void)mine.make(i % 2 == 0 ? Kind::loop : Kind::cover, chance);
    BOOST_REQUIRE_EQUAL(chance.drawn(), i * OwnMark::kPayloadDraw);
  }
}

BOOST_AUTO_TEST_CASE(payloads_look_random_in_every_byte_and_in_length) {
  const OwnMark mine(key(1));
  auto chance = test::generator(5);
  constexpr int kPayloads = 4000;
  std::set<std::size_t> lengths;
  std::vector<std::vector<int>> first(kShortestOwnPayload, std::vector<int>(256));
  auto last = first;
  for (int i = 0; i < kPayloads; ++i) {
    const Bytes payload = mine.make(i % 2 == 0 ? Kind::loop : Kind::cover, chance).bytes;
    lengths.insert(payload.size());
    BOOST_REQUIRE(payload.size() >= kShortestOwnPayload);
    BOOST_REQUIRE(payload.size() <= kLongestOwnPayload);
    for (std::size_t at = 0; at < kShortestOwnPayload; ++at) {
      ++first[at][payload[at]];
      ++last[at][payload[payload.size() - 1 - at]];
    }
  }
  BOOST_TEST(lengths.size() > 900u);  // of 944; 4000 draws leave out 13.6 on average
  // chi^2 with 255 degrees of freedom exceeds 400 with probability 10^-8.
  const auto chi_squared = [](const std::vector<int>& counts) {
    double sum = 0;
    for (const int count : counts) {
      const double expected = kPayloads / 256.0;
      sum += (count - expected) * (count - expected) / expected;
    }
    return sum;
  };
  for (std::size_t at = 0; at < kShortestOwnPayload; ++at) {
    BOOST_TEST(chi_squared(first[at]) < 400);
    BOOST_TEST(chi_squared(last[at]) < 400);
  }
}
