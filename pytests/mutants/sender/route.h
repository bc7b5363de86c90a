// SPDX-License-Identifier: Apache-2.0
// A route as a command line spells it, and what it means in a topology: any nodes in any order,
// which no honest client would choose.
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/ports/entropy.h"
#include "src/presence/watcher.h"
#include "src/sphinx/packet.h"

namespace mutants {

/// "mix:2", "mix:2:1" (the second of layer 2, by key), "provider", "provider:1",
/// "127.0.0.1:9980=KEY", or "127.0.0.1:9980" (the node the topology has there, or nobody).
struct HopSpec {
  enum class Kind { mix, provider, address };
  Kind kind = Kind::mix;
  unsigned layer = 0;
  std::size_t number = 0;
  mix::sphinx::NodeAddress address;
  std::optional<mix::crypto::PublicKey> key;
  std::string text;
};
/// The error says what was expected.
std::expected<HopSpec, std::string> read_hop(std::string_view text);

struct Place {
  mix::sphinx::NodeAddress address;
  mix::crypto::PublicKey key;
};
/// Where the hop is now; nothing when the topology lacks it. An address that nobody has and that
/// names no key gets one that nobody holds.
std::optional<Place> find(const HopSpec& hop, const mix::presence::View& view,
                          mix::ports::Entropy& entropy);

}  // namespace mutants
