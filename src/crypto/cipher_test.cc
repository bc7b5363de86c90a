// SPDX-License-Identifier: Apache-2.0
#include "src/crypto/cipher.h"

#include <rapidcheck/boost_test.h>
#include <boost/test/unit_test.hpp>

#include "src/crypto/generator.h"

using namespace mix;
using namespace mix::crypto;

namespace {

template <std::size_t N>
ByteArray<N> random_array(std::uint64_t seed) {
  ByteArray<32> key{};
  for (std::size_t i = 0; i < 8; ++i)
    key[i] = static_cast<std::uint8_t>(seed >> (8 * i));
  return Generator(key, "test").array<N>();
}

std::size_t differing_bits(BytesView a, BytesView b) {
  std::size_t bits = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    bits += static_cast<std::size_t>(__builtin_popcount(a[i] ^ b[i]));
  return bits;
}

}  // namespace

BOOST_AUTO_TEST_CASE(published_known_answers) {
  const Bytes material(22, 0x0b);
  ByteArray<42> out;
  hkdf_sha256(material, {}, out);  // RFC 5869, test case 3
  BOOST_TEST(
      to_hex(out) ==
      "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
  BOOST_TEST(to_hex(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))) ==
             "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");  // RFC 4231, 2
  ByteArray<32> zeros{};
  xor_chacha20(ByteArray<32>{}, zeros);
  BOOST_TEST(to_hex(zeros) == "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7");
  BOOST_TEST(to_hex(digest16({})) == "cae66941d9efbd404e4d88758ea67670");
  ByteArray<16> block{};
  AesCtr().xor_stream(ByteArray<16>{}, block);
  BOOST_TEST(to_hex(block) == "66e94bd4ef8a2c3b884cfa59ca342b2e");  // AES-128, all zeros
}

RC_BOOST_PROP(a_shorter_derivation_is_a_prefix_of_a_longer_one, (const Bytes& material)) {
  const auto size = *rc::gen::inRange<std::size_t>(0, 256);
  ByteArray<256> longer;
  hkdf_sha256(material, as_bytes("info"), longer);
  Bytes shorter(size);
  hkdf_sha256(material, as_bytes("info"), shorter);
  RC_ASSERT(equal(shorter, BytesView(longer).first(size)));
}

RC_BOOST_PROP(lioness_decrypts_what_it_encrypted, (std::uint64_t seed)) {
  const auto key = random_array<kLionessKeyBytes>(seed);
  const auto plain = random_array<kLionessBlockBytes>(~seed);
  auto block = plain;
  lioness_encrypt(key, block);
  RC_ASSERT(block != plain);
  lioness_decrypt(key, block);
  RC_ASSERT(block == plain);
}

// Each of 8192 bits flips with probability 1/2: more than six standard deviations is a broken
// round.
RC_BOOST_PROP(one_changed_bit_makes_a_lioness_block_random, (std::uint64_t seed)) {
  const auto bit = *rc::gen::inRange<std::size_t>(0, 8 * kLionessBlockBytes);
  const auto key = random_array<kLionessKeyBytes>(seed);
  auto one = random_array<kLionessBlockBytes>(~seed), other = one;
  other[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
  const bool encrypt = *rc::gen::arbitrary<bool>();
  (encrypt ? lioness_encrypt : lioness_decrypt)(key, one);
  (encrypt ? lioness_encrypt : lioness_decrypt)(key, other);
  const std::size_t bits = differing_bits(one, other);
  RC_ASSERT(bits > 4096 - 272 && bits < 4096 + 272);
}

RC_BOOST_PROP(a_stream_depends_on_its_key_alone, (std::uint64_t a, std::uint64_t b)) {
  AesCtr used, fresh;
  ByteArray<360> first{}, again{};
  ByteArray<23> odd{};
  used.xor_stream(random_array<16>(b), odd);  // leaves half a block behind
  used.xor_stream(random_array<16>(a), first);
  fresh.xor_stream(random_array<16>(a), again);
  RC_ASSERT(first == again);
  used.xor_stream(random_array<16>(a), again);
  RC_ASSERT(again == (ByteArray<360>{}));
}

RC_BOOST_PROP(comparing_in_constant_time_is_comparing, (const Bytes& a)) {
  RC_ASSERT(equal_in_constant_time(a, a));
  RC_ASSERT(!equal_in_constant_time(a, Bytes(a.size() + 1)));
  if (a.empty()) return;
  Bytes b = a;
  b[*rc::gen::inRange<std::size_t>(0, a.size())] ^= 0x80;
  RC_ASSERT(!equal_in_constant_time(a, b));
}

BOOST_AUTO_TEST_CASE(a_secret_is_wiped_when_it_goes) {
  alignas(Secret<64>) ByteArray<sizeof(Secret<64>)> place;
  auto* secret = new (place.data()) Secret<64>(random_array<64>(5));
  BOOST_TEST(secret->bytes()[0] == random_array<64>(5)[0]);
  secret->~Secret();
  const volatile std::uint8_t* after = place.data();
  for (std::size_t i = 0; i < place.size(); ++i)
    BOOST_TEST(after[i] == 0);
}
