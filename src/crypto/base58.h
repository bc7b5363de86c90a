// SPDX-License-Identifier: Apache-2.0
// Base58 with Bitcoin's alphabet and no checksum: the text form of every key and address.
// Bounded, because its cost is quadratic: at most 128 bytes, at most 176 characters.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "src/prelude/bytes.h"

namespace mix::crypto {

inline constexpr std::size_t kBase58MaxBytes = 128;
inline constexpr std::size_t kBase58MaxText = 176;  // ceil(128 * log 256 / log 58)

/// At most kBase58MaxBytes (CHECKed). Leading zero bytes become leading '1's.
std::string to_base58(BytesView bytes);
/// nullopt for a character outside the alphabet, or a text longer than kBase58MaxText.
std::optional<Bytes> from_base58(std::string_view text);

}  // namespace mix::crypto
