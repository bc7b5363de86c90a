// SPDX-License-Identifier: Apache-2.0
// Packets: building one for a route, and taking one layer off. packet.cc opens with how it works.
//
// Bytes in, bytes out: nothing here waits, sends, or remembers (tag_memory.h does). Bounds: routes
// of 1 to 5 hops, messages of 0 to 975 bytes, no heap allocation per packet. A stranger's bytes
// give a PeelError, never a crash. Threads: a Builder or a Peeler serves one thread at a time.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string_view>
#include <variant>

#include "src/crypto/cipher.h"
#include "src/crypto/keys.h"
#include "src/ports/entropy.h"
#include "src/prelude/bytes.h"
#include "src/prelude/instant.h"
#include "src/sphinx/geometry.h"

namespace mix::sphinx {

using Packet = ByteArray<kPacketBytes>;
using AddressBytes = ByteArray<kAddressBytes>;  // of a node: address.h; of a client: its public key
using SurbId = ByteArray<kSurbIdBytes>;
/// By which a node knows a packet it has seen, however its bytes were varied. Keyed with the node's
/// secret: senders cannot choose it, and two nodes have different ones for one packet.
using Tag = ByteArray<16>;

struct Hop {
  AddressBytes address{};
  crypto::PublicKey key;
  Duration delay{};  // how long this hop is asked to hold the packet; unused at the last hop
};
struct Destination {
  AddressBytes address{};
  SurbId surb_id{};
};

enum class BuildError {
  no_hops,
  too_many_hops,     // more than 5
  message_too_long,  // more than 975 bytes
  negative_delay,
  unusable_key,  // a hop's public key is a point of small order
};
std::string_view to_text(BuildError error);

enum class PeelError {
  zero_secret,          // alpha is a point of small order
  bad_mac,              // not for this node, or the header was changed on the way
  unknown_flag,         // the routing record is neither forward nor final
  payload_zeros,        // final hop: the 16 leading bytes are not zero
  payload_padding,      // final hop: no marker, or something other than zeros behind it
  payload_destination,  // final hop: payload and header name different destinations
};
std::string_view to_text(PeelError error);

/// What one packet is made from besides route and message. Wipes itself.
struct BuildSecrets {
  crypto::Secret<kInitialSecretBytes> initial;          // a number, reduced modulo l
  crypto::Secret<kMaxFinalPaddingBytes> final_padding;  // the first bytes are used

  /// Always 312 bytes, whatever is built from them.
  static BuildSecrets draw(ports::Entropy& entropy);
};

class Builder {
 public:
  /// n hops cost n + 1 point multiplications.
  std::expected<Packet, BuildError> build(std::span<const Hop> route,
                                          const Destination& destination, BytesView message,
                                          const BuildSecrets& secrets);
  /// Draws the secrets first, also when an error follows: draws never depend on what is sent.
  std::expected<Packet, BuildError> build(std::span<const Hop> route,
                                          const Destination& destination, BytesView message,
                                          ports::Entropy& entropy) {
    return build(route, destination, message, BuildSecrets::draw(entropy));
  }

 private:
  crypto::AesCtr x_stream;
};

/// The one-off form of Builder::build.
std::expected<Packet, BuildError> build(std::span<const Hop> route, const Destination& destination,
                                        BytesView message, ports::Entropy& entropy);

/// To be held for `delay`, then sent on.
struct Forward {
  AddressBytes next_address;
  Duration delay;  // asked by the sender; beyond 2^63 - 1 ns it reads as that
  Packet packet;
};
/// Arrived: for the mailbox of `destination`.
struct Final {
  Destination destination;
  BytesView message() const { return BytesView(x_plain).subspan(kMessageAt, x_message_bytes); }

 private:
  friend class OpenedHeader;
  static constexpr std::size_t kMessageAt = kLeadingZeroBytes + kAddressBytes;
  ByteArray<kPayloadBytes> x_plain{};
  std::size_t x_message_bytes = 0;
};
using Peeled = std::variant<Forward, Final>;

/// A header whose MAC held. The caller asks its tag memory now; only then the costly rest follows.
class OpenedHeader {
 public:
  const Tag& tag() const { return x_tag; }
  bool is_final() const { return x_final; }
  /// Forward: where next. Final: the destination.
  const AddressBytes& address() const { return x_address; }
  /// Forward only; zero for a final header.
  Duration delay() const { return x_delay; }

  /// Decrypts the payload of the packet this header was opened from, and blinds alpha.
  std::expected<Peeled, PeelError> finish(const Packet& same_packet) const;

 private:
  friend class Peeler;
  OpenedHeader() = default;
  std::expected<Peeled, PeelError> finish_forward(const Packet& in) const;
  std::expected<Peeled, PeelError> finish_final(const Packet& in) const;

  Tag x_tag{};
  bool x_final = false;
  AddressBytes x_address{};
  SurbId x_surb_id{};
  Duration x_delay{};
  ByteArray<kGammaBytes + kBetaBytes> x_next_header{};  // gamma and beta of the packet to send
  crypto::Secret<kHopKeyBytes> x_keys;
};

/// A node's side. Holds the node's key; wiped when it goes.
class Peeler {
 public:
  explicit Peeler(const crypto::PrivateKey& key);

  /// Everything up to and including the MAC and the routing record.
  std::expected<OpenedHeader, PeelError> open_header(const Packet& packet);
  /// Both steps at once, for who keeps no tags.
  std::expected<Peeled, PeelError> peel(const Packet& packet);

 private:
  crypto::Multiplier x_key;
  crypto::Secret<32> x_tag_key;
  crypto::AesCtr x_stream;
};

}  // namespace mix::sphinx
