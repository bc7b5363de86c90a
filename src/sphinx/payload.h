// SPDX-License-Identifier: Apache-2.0
// The innermost block of a packet: 16 zeros, the destination, the message, a marker byte, zeros.
// The zeros are the payload's only integrity: one changed bit anywhere makes the whole block
// random.
#pragma once

#include <expected>

#include "src/prelude/bytes.h"
#include "src/sphinx/errors.h"
#include "src/sphinx/geometry.h"
#include "src/sphinx/header.h"

namespace mix::sphinx {

using PayloadBlock = ByteArray<kPayloadBytes>;

/// At most kMaxMessageBytes (CHECKed).
void write_payload(const AddressBytes& destination, BytesView message,
                   std::span<std::uint8_t, kPayloadBytes> block);

/// The number of bytes of the message, which begins behind the destination. Checks all that a block
/// allows to check: a random one passes with probability 2^-384.
std::expected<std::size_t, PeelError> check_payload(const PayloadBlock& block,
                                                    const AddressBytes& destination);

}  // namespace mix::sphinx
