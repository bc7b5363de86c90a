// SPDX-License-Identifier: Apache-2.0
//
// A text is a number in base 58, most significant digit first, with one '1' in front for each
// leading zero byte. Both directions multiply a little-endian number by one base and add one digit
// of the other, digit by digit.
#include "src/crypto/base58.h"

#include "src/prelude/check.h"

namespace mix::crypto {
namespace {

constexpr std::string_view kAlphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// number = number * from + digit, in base `to`, least significant digit first, no leading zeros.
void append_digit(Bytes& number, unsigned from, unsigned to, unsigned digit) {
  unsigned carry = digit;
  for (std::uint8_t& place : number) {
    carry += place * from;
    place = static_cast<std::uint8_t>(carry % to);
    carry /= to;
  }
  for (; carry != 0; carry /= to)
    number.push_back(static_cast<std::uint8_t>(carry % to));
}

}  // namespace

std::string to_base58(BytesView bytes) {
  CHECK(bytes.size() <= kBase58MaxBytes, bytes.size());
  Bytes number;
  for (std::uint8_t byte : bytes)
    append_digit(number, 256, 58, byte);
  const auto zeros = std::ranges::find_if(bytes, [](std::uint8_t b) { return b != 0; });
  std::string text(static_cast<std::size_t>(zeros - bytes.begin()), kAlphabet[0]);
  for (auto digit = number.rbegin(); digit != number.rend(); ++digit)
    text.push_back(kAlphabet[*digit]);
  return text;
}

std::optional<Bytes> from_base58(std::string_view text) {
  if (text.size() > kBase58MaxText) return std::nullopt;
  Bytes number;
  for (char c : text) {
    const std::size_t digit = kAlphabet.find(c);
    if (digit == kAlphabet.npos) return std::nullopt;
    append_digit(number, 58, 256, static_cast<unsigned>(digit));
  }
  number.insert(number.end(), std::min(text.size(), text.find_first_not_of(kAlphabet[0])), 0);
  std::ranges::reverse(number);
  return number;
}

}  // namespace mix::crypto
