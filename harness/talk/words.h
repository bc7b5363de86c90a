// SPDX-License-Identifier: Apache-2.0
// The few encodings a speaker needs: a public key's PEM file to the base58 address of its owner,
// and base64 for the websocket's handshake. Pure; a wrong text gives nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "src/prelude/bytes.h"

namespace lab::talk {

std::string to_base64(mix::BytesView bytes);
std::optional<mix::Bytes> from_base64(std::string_view text);
std::string to_base58(mix::BytesView bytes);
/// The content of the first block of a PEM text, in base58; it must be 32 bytes.
std::optional<std::string> address_in_pem(std::string_view pem);

}  // namespace lab::talk
