// SPDX-License-Identifier: Apache-2.0
// Words for raw memory, and hexadecimal. No encodings that only one format uses (base58 is in
// crypto).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mix {

using Bytes = std::vector<std::uint8_t>;
using BytesView = std::span<const std::uint8_t>;
using BytesSpan = std::span<std::uint8_t>;
template <std::size_t N>
using ByteArray = std::array<std::uint8_t, N>;

/// The bytes of a text, without copying it.
inline BytesView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
/// The text that some bytes are, without copying or checking them.
inline std::string_view as_text(BytesView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline bool equal(BytesView a, BytesView b) {
  return std::ranges::equal(a, b);
}

/// Lower-case hexadecimal, two digits a byte.
std::string to_hex(BytesView bytes);
/// The inverse, either case; nullopt for an odd length or a digit that is none.
std::optional<Bytes> from_hex(std::string_view text);

}  // namespace mix
