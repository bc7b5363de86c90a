// SPDX-License-Identifier: Apache-2.0
#include "src/client/own_mark.h"

#include "src/crypto/cipher.h"
#include "src/prelude/check.h"
#include "src/topology/path.h"

namespace mix::client {

OwnMark::OwnMark(const crypto::PrivateKey& self) {
  crypto::hkdf_sha256(self.bytes(), as_bytes("mixlab client: recognise own packets, 1"),
                      x_key.mutable_bytes());
}

Mark OwnMark::mark(Kind kind, BytesView body) const {
  CHECK(body.size() <= kLongestOwnPayload, body.size());
  ByteArray<1 + kLongestOwnPayload> hashed;
  hashed[0] = static_cast<std::uint8_t>(kind);
  std::ranges::copy(body, hashed.begin() + 1);
  const auto digest =
      crypto::keyed_blake2b(x_key.bytes(), BytesView(hashed).first(1 + body.size()));
  Mark out;
  std::copy_n(digest.begin(), out.size(), out.begin());
  return out;
}

OwnPayload OwnMark::make(Kind kind, ports::Entropy& payloads) const {
  CHECK(kind != Kind::real);
  const std::size_t length =
      kShortestOwnPayload +
      topology::choose_index(kLongestOwnPayload - kShortestOwnPayload + 1, payloads);
  Bytes bytes(kLongestOwnPayload);
  payloads.fill(bytes);
  bytes.resize(length);
  const BytesSpan tail = BytesSpan(bytes).last(kMarkBytes);
  const Mark name = mark(kind, BytesView(bytes).first(length - kMarkBytes));
  std::ranges::copy(name, tail.begin());
  return {std::move(bytes), name};
}

std::optional<Recognised> OwnMark::recognise(BytesView message) const {
  if (message.size() < kShortestOwnPayload || message.size() > kLongestOwnPayload)
    return std::nullopt;
  const BytesView body = message.first(message.size() - kMarkBytes);
  const BytesView tail = message.last(kMarkBytes);
  for (const Kind kind : {Kind::loop, Kind::cover}) {
    const Mark expected = mark(kind, body);
    if (crypto::equal_in_constant_time(expected, tail)) return Recognised{kind, expected};
  }
  return std::nullopt;
}

}  // namespace mix::client
