// SPDX-License-Identifier: Apache-2.0
// How a client recognises the packets it sent to itself, when nobody else can.
//
// A payload is random bytes of a random length, ended by 16 bytes of a keyed hash over the rest and
// the packet's kind. The key is derived from the client's private key, so a loop that waited in the
// mailbox while the client was restarted is still recognised. To everybody without the key, the
// provider included, loops and fillers are random bytes: no marker, no counter, no constant, no
// constant length. A stranger's bytes pass with probability 2^-127.
//
// Remembers nothing (loop_ledger.h does). Pure; one thread.
#pragma once

#include <optional>

#include "src/client/kind.h"
#include "src/crypto/keys.h"
#include "src/crypto/secret.h"
#include "src/ports/entropy.h"
#include "src/prelude/bytes.h"
#include "src/sphinx/geometry.h"

namespace mix::client {

/// What a payload ends with: unique to one packet, so also its name while it is under way.
using Mark = ByteArray<16>;
inline constexpr std::size_t kMarkBytes = std::tuple_size_v<Mark>;
/// Shorter ones would repeat too soon to be told apart.
inline constexpr std::size_t kShortestOwnPayload = 2 * kMarkBytes;
inline constexpr std::size_t kLongestOwnPayload = sphinx::kMaxMessageBytes;

struct OwnPayload {
  Bytes bytes;
  Mark mark{};
};
struct Recognised {
  Kind kind;
  Mark mark;
};

class OwnMark {
 public:
  explicit OwnMark(const crypto::PrivateKey& self);

  /// A payload for a packet to oneself. Draws kPayloadDraw bytes, whatever length comes out.
  OwnPayload make(Kind kind, ports::Entropy& payloads) const;
  static constexpr std::size_t kPayloadDraw = 8 + kLongestOwnPayload;

  /// Which of our own packets these bytes came in; nothing when somebody else wrote them.
  std::optional<Recognised> recognise(BytesView message) const;

 private:
  Mark mark(Kind kind, BytesView body) const;
  crypto::Secret<32> x_key;
};

}  // namespace mix::client
