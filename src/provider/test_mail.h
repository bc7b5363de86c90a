// SPDX-License-Identifier: Apache-2.0
// For tests: a provider's keys out of a number, and packets for its clients.
#pragma once

#include "src/provider/desk.h"
#include "src/sphinx/sample_route.h"

namespace mix::provider {

inline ClientAddress client(std::uint8_t n) {
  ClientAddress address{};
  address.fill(n);
  return address;
}

/// The last hop of a route of one, and what its senders need to know.
struct TestMail {
  explicit TestMail(std::uint64_t seed = 1) : node(sphinx::SampleRoute(1, seed).keys[0]) {}

  store::Keys keys() const {
    crypto::Secret<32> token;
    token.mutable_bytes()[0] = 7;
    return {node, token};
  }
  /// Packets with another `number` are other packets.
  sphinx::Packet packet(std::uint64_t number, const ClientAddress& to,
                        std::string_view text) const {
    return packet(number, to, text, node.public_key());
  }
  static sphinx::Packet packet(std::uint64_t number, const ClientAddress& to, std::string_view text,
                               const crypto::PublicKey& last_hop) {
    sphinx::SampleRoute route(1, 1'000'000 + number);
    route.hops[0].key = last_hop;
    route.destination.address = to;
    return route.build(as_bytes(text)).value();
  }
  /// Of which this node is not the last hop.
  sphinx::Packet forward(std::uint64_t number) const {
    sphinx::SampleRoute route(2, 2'000'000 + number);
    route.hops[0].key = node.public_key();
    return route.build(as_bytes("on its way")).value();
  }

  crypto::PrivateKey node;
};

}  // namespace mix::provider
