// SPDX-License-Identifier: Apache-2.0
// The routing information of a packet (beta) and its MAC (gamma): what the sender nests, and what
// one hop reads. Keys come from outside; alpha and the payload are packet.cc's business.
#pragma once

#include <expected>
#include <span>

#include "src/crypto/cipher.h"
#include "src/crypto/keys.h"
#include "src/prelude/bytes.h"
#include "src/prelude/instant.h"
#include "src/sphinx/errors.h"
#include "src/sphinx/geometry.h"
#include "src/sphinx/hop_keys.h"

namespace mix::sphinx {

using AddressBytes = ByteArray<kAddressBytes>;  // of a node: address.h; of a client: its public key
using SurbId = ByteArray<kSurbIdBytes>;
using Gamma = ByteArray<kGammaBytes>;
using Beta = ByteArray<kBetaBytes>;

struct Hop {
  AddressBytes address{};
  crypto::PublicKey key;
  Duration delay{};  // how long this hop is asked to hold the packet; unused at the last hop
};
struct Destination {
  AddressBytes address{};
  SurbId surb_id{};
};

/// The MAC one hop must see in front of its beta.
Gamma mac_of(const HopKeys& keys, std::span<const std::uint8_t, kBetaBytes> beta);

/// Nests the records of a whole route. keys[i] belongs to route[i]; 1 to kMaxHops of both
/// (CHECKed). Writes gamma and beta as the first hop will receive them.
void build_routing(std::span<const Hop> route, std::span<const HopKeys> keys,
                   const Destination& destination, BytesView final_padding, crypto::AesCtr& stream,
                   std::span<std::uint8_t, kGammaBytes + kBetaBytes> out);

/// One hop's record in clear.
struct Routing {
  bool is_final = false;
  AddressBytes address{};  // of the next node, or of the destination
  SurbId surb_id{};        // final only
  Duration delay{};        // forward only
  /// Forward only: gamma and beta for the next node.
  ByteArray<kGammaBytes + kBetaBytes> next{};
};
/// Decrypts beta, whose MAC the caller has verified.
std::expected<Routing, PeelError> read_routing(const HopKeys& keys,
                                               std::span<const std::uint8_t, kBetaBytes> beta,
                                               crypto::AesCtr& stream);

}  // namespace mix::sphinx
