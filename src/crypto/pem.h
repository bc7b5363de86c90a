// SPDX-License-Identifier: Apache-2.0
// Key files: 32 raw bytes in base64 between the tags that the original programs use. Lines end with
// CR LF when written; either ending is accepted when read. No file is opened here, and the bytes of
// a pair are not checked against each other.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "src/crypto/keys.h"

namespace mix::crypto {

inline constexpr std::size_t kPemMaxText = 4096;

/// Holds the secret in clear: write it to a file of mode 0600, then wipe() the text.
std::string to_pem(const PrivateKey& key);
std::string to_pem(const PublicKey& key);

/// Blank lines before and after are ignored, the base64 may be broken over lines; anything else is
/// an error that says what was expected. At most kPemMaxText characters.
std::expected<PrivateKey, std::string> private_key_from_pem(std::string_view text);
std::expected<PublicKey, std::string> public_key_from_pem(std::string_view text);

}  // namespace mix::crypto
