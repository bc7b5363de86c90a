// SPDX-License-Identifier: Apache-2.0
//
// A text is a number in base 58, most significant digit first, with one '1' in front for each
// leading zero byte. Both directions multiply a little-endian number by one base and add one digit
// of the other; not digit by digit but four bytes, or five characters, at a time (58^5 fits into 32
// bits), because a directory's text may hold tens of thousands of keys.
#include "src/crypto/base58.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "src/prelude/check.h"

namespace mix::crypto {
namespace {

constexpr std::string_view kAlphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

constexpr std::size_t kGroup = 5;             // characters of one place
constexpr std::uint64_t kBase = 656'356'768;  // 58^5
constexpr std::uint64_t kWord = std::uint64_t{1} << 32;

constexpr auto kDigits = [] {
  std::array<std::int8_t, 256> out;
  out.fill(-1);
  for (std::size_t digit = 0; digit < kAlphabet.size(); ++digit)
    out[static_cast<std::uint8_t>(kAlphabet[digit])] = static_cast<std::int8_t>(digit);
  return out;
}();

/// A number in base `Base`, least significant place first, no leading zeros.
template <std::uint64_t Base>
struct Number {
  // 128 bytes are 32 words, or 36 groups; 176 characters are 33 words.
  std::array<std::uint32_t, 40> places;
  std::size_t size = 0;

  /// number * factor + more, both at most 2^32.
  void append(std::uint64_t factor, std::uint64_t more) {
    for (std::size_t i = 0; i < size; ++i) {
      more += places[i] * factor;
      places[i] = static_cast<std::uint32_t>(more % Base);
      more /= Base;
    }
    for (; more != 0; more /= Base)
      places[size++] = static_cast<std::uint32_t>(more % Base);
  }
};

}  // namespace

std::string to_base58(BytesView bytes) {
  CHECK(bytes.size() <= kBase58MaxBytes, bytes.size());
  Number<kBase> number;
  for (std::size_t at = 0; at < bytes.size();) {
    std::uint64_t factor = 1, word = 0;
    do {
      factor <<= 8;
      word = word << 8 | bytes[at++];
    } while (at % 4 != bytes.size() % 4);
    number.append(factor, word);
  }
  std::string text;
  text.reserve(kGroup * number.size + bytes.size());
  for (std::size_t i = 0; i < number.size; ++i)
    for (std::uint32_t place = number.places[i], n = 0; n < kGroup; ++n, place /= 58)
      text.push_back(kAlphabet[place % 58]);
  text.resize(text.find_last_not_of(kAlphabet[0]) + 1);
  const auto zeros = std::ranges::find_if(bytes, [](std::uint8_t b) { return b != 0; });
  text.append(static_cast<std::size_t>(zeros - bytes.begin()), kAlphabet[0]);
  std::ranges::reverse(text);
  return text;
}

std::optional<Bytes> from_base58(std::string_view text) {
  if (text.size() > kBase58MaxText) return std::nullopt;
  Number<kWord> number;
  for (std::size_t at = 0; at < text.size();) {
    std::uint64_t factor = 1, group = 0;
    do {
      const int digit = kDigits[static_cast<std::uint8_t>(text[at++])];
      if (digit < 0) return std::nullopt;
      factor *= 58;
      group = group * 58 + static_cast<std::uint64_t>(digit);
    } while (at % kGroup != text.size() % kGroup);
    number.append(factor, group);
  }
  Bytes bytes;
  bytes.reserve(4 * number.size + text.size());
  for (std::size_t i = 0; i < number.size; ++i)
    for (std::uint32_t place = number.places[i], n = 0; n < 4; ++n, place >>= 8)
      bytes.push_back(static_cast<std::uint8_t>(place));
  while (!bytes.empty() && bytes.back() == 0)
    bytes.pop_back();
  bytes.insert(bytes.end(), std::min(text.size(), text.find_first_not_of(kAlphabet[0])), 0);
  std::ranges::reverse(bytes);
  return bytes;
}

}  // namespace mix::crypto
