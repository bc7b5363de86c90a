// SPDX-License-Identifier: Apache-2.0
// Builds what a tick sends: a loop, a user's message, or a filler in its place.
//
// Every tick draws the same from each generator, whatever it sends and whether it can send at all:
// one route, one delay per mix, one packet's secrets, one payload's random bytes. So with equal
// seeds the routes and sizes of all packets are equal whatever the user does. All kinds of packets
// share one law of delays. Decides what, never when (traffic/emission.h does). Pure; one thread.
#pragma once

#include <expected>
#include <string>

#include "src/client/chance.h"
#include "src/client/kind.h"
#include "src/client/network_map.h"
#include "src/client/outbox.h"
#include "src/client/own_mark.h"
#include "src/sphinx/packet.h"

namespace mix::client {

/// Longer means would ask mixes for delays beyond what they accept (an hour; a sample is at most 38
/// means).
inline constexpr Duration kMaxMeanDelay = 90s;

struct Composed {
  Kind kind;
  sphinx::Packet packet;
  crypto::PublicKey recipient;
  const topology::MixInfo* first;  // into the map; valid until its next take()
  Mark mark{};                     // of a loop or a filler
};

class Composer {
 public:
  /// `chance` must outlive this object.
  Composer(const crypto::KeyPair& self, Duration mean_delay, Chance& chance);

  /// The error says why nothing can be sent now.
  using Result = std::expected<Composed, std::string>;
  Result loop(const NetworkMap& map) { return compose(map, Kind::loop, nullptr); }
  /// The message if there is one, else a filler.
  Result real(const NetworkMap& map, const Message* message) {
    return compose(map, message == nullptr ? Kind::cover : Kind::real, message);
  }

 private:
  Result compose(const NetworkMap& map, Kind kind, const Message* message);

  crypto::PublicKey x_self;
  OwnMark x_mark;
  Duration x_mean_delay;
  Chance& x_chance;
  sphinx::Builder x_builder;
};

}  // namespace mix::client
