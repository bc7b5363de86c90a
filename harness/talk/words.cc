// SPDX-License-Identifier: Apache-2.0
#include "harness/talk/words.h"

namespace lab::talk {
namespace {

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

}  // namespace

std::string to_base64(mix::BytesView bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t three = 0;
    for (std::size_t j = 0; j < 3; ++j)
      three = three << 8 | (i + j < bytes.size() ? bytes[i + j] : 0u);
    for (std::size_t j = 0; j < 4; ++j)
      out += i + j <= bytes.size() ? kBase64[three >> (18 - 6 * j) & 63] : '=';
  }
  return out;
}

std::optional<mix::Bytes> from_base64(std::string_view text) {
  while (text.ends_with('='))
    text.remove_suffix(1);
  mix::Bytes out;
  std::uint32_t bits = 0;
  int count = 0;
  for (char c : text) {
    const std::size_t value = kBase64.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out.push_back(static_cast<std::uint8_t>(bits >> count));
  }
  return out;
}

std::string to_base58(mix::BytesView bytes) {
  std::string reversed;
  mix::Bytes rest(bytes.begin(), bytes.end());
  std::size_t first = 0;  // of the digits that are left
  while (first < rest.size()) {
    std::uint32_t remainder = 0;
    for (std::size_t i = first; i < rest.size(); ++i) {
      const std::uint32_t value = remainder << 8 | rest[i];
      rest[i] = static_cast<std::uint8_t>(value / 58);
      remainder = value % 58;
    }
    reversed += kBase58[remainder];
    while (first < rest.size() && rest[first] == 0)
      ++first;
  }
  // Leading zero bytes are a '1' each; the digits above have none of them but for an all-zero text.
  std::string out;
  for (std::uint8_t byte : bytes) {
    if (byte != 0) break;
    out += '1';
  }
  while (!reversed.empty() && reversed.back() == '1')
    reversed.pop_back();
  out.append(reversed.rbegin(), reversed.rend());
  return out;
}

std::optional<std::string> address_in_pem(std::string_view pem) {
  const std::size_t begin = pem.find("-----BEGIN ");
  if (begin == std::string_view::npos) return std::nullopt;
  const std::size_t body = pem.find('\n', begin), end = pem.find("-----END ", begin);
  if (body == std::string_view::npos || end == std::string_view::npos || end < body)
    return std::nullopt;
  std::string text;
  for (char c : pem.substr(body, end - body))
    if (c != '\r' && c != '\n' && c != ' ') text += c;
  const auto key = from_base64(text);
  if (!key || key->size() != 32) return std::nullopt;
  return to_base58(*key);
}

}  // namespace lab::talk
