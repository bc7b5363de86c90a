// SPDX-License-Identifier: Apache-2.0
#include "src/crypto/keys.h"

#include <rapidcheck/boost_test.h>
#include <boost/test/unit_test.hpp>

#include "src/crypto/base58.h"
#include "src/crypto/generator.h"
#include "src/crypto/pem.h"

using namespace mix;
using namespace mix::crypto;

namespace {

KeyPair some_pair(std::uint8_t seed = 1) {
  Generator chance(ByteArray<32>{seed}, "test");
  return KeyPair::generate(chance);
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != text.npos; at += by.size())
    text.replace(at, what.size(), by);
  return text;
}

}  // namespace

BOOST_AUTO_TEST_CASE(base58_known_answers) {
  BOOST_TEST(to_base58(as_bytes("Hello World!")) == "2NEpo7TZRRrLZSi2U");
  BOOST_TEST(to_base58(Bytes{0, 0, 0x28, 0x7f, 0xb4, 0xcd}) == "11233QC4");
  BOOST_TEST(to_base58({}) == "");
  BOOST_TEST(to_base58(Bytes{0}) == "1");
}

RC_BOOST_PROP(base58_comes_back_as_the_same_bytes, (Bytes bytes)) {
  const auto zeros = *rc::gen::inRange<std::size_t>(0, 5);
  bytes.insert(bytes.begin(), zeros, 0);
  if (bytes.size() > kBase58MaxBytes) bytes.resize(kBase58MaxBytes);
  RC_ASSERT(from_base58(to_base58(bytes)) == bytes);
}

/// As one does it on paper: divides by 58 and writes down what is left.
RC_BOOST_PROP(base58_is_long_division, (Bytes bytes)) {
  if (bytes.size() > kBase58MaxBytes) bytes.resize(kBase58MaxBytes);
  constexpr std::string_view kDigits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
  std::string expected;
  for (Bytes rest = bytes; std::ranges::any_of(rest, [](std::uint8_t b) { return b != 0; });) {
    unsigned left = 0;
    for (std::uint8_t& byte : rest) {
      left = left << 8 | byte;
      byte = static_cast<std::uint8_t>(left / 58);
      left %= 58;
    }
    expected.insert(expected.begin(), kDigits[left]);
  }
  for (std::size_t at = 0; at < bytes.size() && bytes[at] == 0; ++at)
    expected.insert(expected.begin(), '1');
  RC_ASSERT(to_base58(bytes) == expected);
}

BOOST_AUTO_TEST_CASE(base58_refuses_strange_characters_and_lengths) {
  for (const char* wrong : {"0", "O", "I", "l", "abc ", "ab+c", "\xc3\xa9"})
    BOOST_TEST(!from_base58(wrong).has_value(), wrong);
  BOOST_TEST(!from_base58(std::string(kBase58MaxText + 1, 'z')).has_value());
  const Bytes longest(kBase58MaxBytes, 0xff);
  BOOST_TEST((from_base58(to_base58(longest)) == longest));
}

BOOST_AUTO_TEST_CASE(a_public_key_has_exactly_32_bytes) {
  const PublicKey key = some_pair().public_key;
  BOOST_TEST((PublicKey::from_base58(key.to_base58()) == key));
  BOOST_TEST(!PublicKey::from_base58("").has_value());
  BOOST_TEST(!PublicKey::from_base58(to_base58(Bytes(31, 7))).has_value());
  BOOST_TEST(!PublicKey::from_base58(to_base58(Bytes(33, 7))).has_value());
  BOOST_TEST(!PublicKey::from_base58(key.to_base58() + " ").has_value());
  BOOST_TEST(!PublicKey::from_bytes(Bytes(31)).has_value());
  BOOST_TEST((std::hash<PublicKey>{}(key) != std::hash<PublicKey>{}(some_pair(2).public_key)));
}

BOOST_AUTO_TEST_CASE(a_private_key_is_a_canonical_scalar_other_than_zero) {
  const PrivateKey key = some_pair().secret;
  BOOST_TEST(equal(PrivateKey::from_bytes(key.bytes())->bytes(), key.bytes()));
  ByteArray<32> clamped{};
  clamped[0] = 8;
  clamped[31] = 0x40;
  BOOST_TEST(PrivateKey::from_bytes(clamped).error().find("clamped") != std::string::npos);
  BOOST_TEST(PrivateKey::from_bytes(ByteArray<32>{}).error().find("zero") != std::string::npos);
  BOOST_TEST(PrivateKey::from_bytes(Bytes(31)).error().find("31") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(generating_a_key_draws_64_bytes) {
  Generator chance(ByteArray<32>{}, "test");
  const KeyPair pair = KeyPair::generate(chance);
  BOOST_TEST(chance.drawn() == 64u);
  BOOST_TEST((pair.secret.public_key() == pair.public_key));
}

BOOST_AUTO_TEST_CASE(key_files_have_crlf_and_are_read_with_either_ending) {
  const KeyPair pair = some_pair();
  const std::string secret = to_pem(pair.secret), open = to_pem(pair.public_key);
  BOOST_TEST(replaced(secret, "\r\n", "").find('\n') == std::string::npos);
  for (const auto& [from, to] : {std::pair{"", ""}, {"\r\n", "\n"}}) {
    const auto read = private_key_from_pem(*from ? replaced(secret, from, to) : secret);
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST(equal(read->bytes(), pair.secret.bytes()));
    const auto read_open = public_key_from_pem(*from ? replaced(open, from, to) : open);
    BOOST_REQUIRE(read_open.has_value());
    BOOST_TEST((*read_open == pair.public_key));
  }
  BOOST_TEST(private_key_from_pem("\n\n" + secret + "\n").has_value());
}

BOOST_AUTO_TEST_CASE(a_damaged_key_file_is_an_error_that_says_what_was_expected) {
  const KeyPair pair = some_pair();
  const std::string good = to_pem(pair.secret);
  const std::size_t base64 = good.find("\r\n") + 2;
  const auto why = [](const std::string& text) {
    const auto key = private_key_from_pem(text);
    return key ? std::string("accepted") : key.error();
  };
  BOOST_TEST(why("").find("begin") != std::string::npos);
  BOOST_TEST(why(to_pem(pair.public_key)).find("PRIVATE KEY") != std::string::npos);
  BOOST_TEST(why(good.substr(0, base64 + 10)).find("end") != std::string::npos);
  BOOST_TEST(why(std::string(good).replace(base64, 1, "!")).find("base64") != std::string::npos);
  BOOST_TEST(why(std::string(good).erase(base64, 4)).find("32 bytes") != std::string::npos);
  BOOST_TEST(why(std::string(good).insert(base64, "AAAA")).find("32 bytes") != std::string::npos);
  BOOST_TEST(why(replaced(good, "=\r\n", "=!\r\n")).find("base64") != std::string::npos);
  BOOST_TEST(why(replaced(good, "=\r\n", "=\r\nAA\r\n")).find("base64") != std::string::npos);
  BOOST_TEST(why(good + "x").find("end") != std::string::npos);
  BOOST_TEST(why(good + std::string(kPemMaxText, '\n')).find("4096") != std::string::npos);
  const std::string clamped_key = "-----BEGIN DUMMY KEY BASED ON X25519 PRIVATE KEY-----\n" +
                                  std::string(42, '/') + "8=\n" +
                                  "-----END DUMMY KEY BASED ON X25519 PRIVATE KEY-----\n";
  BOOST_TEST(why(clamped_key).find("order") != std::string::npos);
}
