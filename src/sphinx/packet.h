// SPDX-License-Identifier: Apache-2.0
// Packets: building one for a route, and taking one layer off. packet.cc opens with how it works.
//
// Bytes in, bytes out: nothing here waits, sends, or remembers (tag_memory.h does). Bounds: routes
// of 1 to 5 hops, messages of 0 to 975 bytes, no heap allocation per packet. A stranger's bytes
// give a PeelError, never a crash. Threads: a Builder or a Peeler serves one thread at a time.
#pragma once

#include <expected>
#include <span>
#include <variant>

#include "src/crypto/cipher.h"
#include "src/crypto/keys.h"
#include "src/ports/entropy.h"
#include "src/prelude/bytes.h"
#include "src/prelude/instant.h"
#include "src/sphinx/errors.h"
#include "src/sphinx/geometry.h"
#include "src/sphinx/header.h"

namespace mix::sphinx {

using Packet = ByteArray<kPacketBytes>;
/// By which a node knows a packet it has seen, however its bytes were varied. Keyed with the node's
/// secret: senders cannot choose it, and two nodes have different ones for one packet.
using Tag = ByteArray<16>;

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
  bool is_final() const { return x_routing.is_final; }
  /// Forward: where next. Final: the destination.
  const AddressBytes& address() const { return x_routing.address; }
  /// Forward only; zero for a final header.
  Duration delay() const { return x_routing.delay; }

  /// Decrypts the payload of the packet this header was opened from, and blinds alpha.
  std::expected<Peeled, PeelError> finish(const Packet& same_packet) const;

 private:
  friend class Peeler;
  OpenedHeader() = default;
  std::expected<Peeled, PeelError> finish_forward(const Packet& in) const;
  std::expected<Peeled, PeelError> finish_final(const Packet& in) const;

  Tag x_tag{};
  Routing x_routing;
  HopKeys x_keys;
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
