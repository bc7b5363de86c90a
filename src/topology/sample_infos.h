// SPDX-License-Identifier: Apache-2.0
// For tests: entries that are right in every field, told apart by a number.
#pragma once

#include <string>

#include "src/topology/node_info.h"

namespace mix::topology {

inline crypto::PublicKey sample_key(unsigned number) {
  ByteArray<32> bytes{};
  bytes[0] = 9;
  bytes[30] = static_cast<std::uint8_t>(number >> 8);
  bytes[31] = static_cast<std::uint8_t>(number);
  return crypto::PublicKey(bytes);
}

inline MixInfo sample_mix(unsigned number, unsigned layer) {
  return {.host = "localhost:" + std::to_string(1000 + number),
          .public_key = sample_key(number),
          .version = "0.4.0-rc.2",
          .layer = layer,
          .location = {},
          .last_seen_ns = 0};
}

inline ProviderInfo sample_provider(unsigned number) {
  return {.client_listener = "127.0.0.1:" + std::to_string(20'000 + number),
          .mixnet_listener = "127.0.0.1:" + std::to_string(30'000 + number),
          .public_key = sample_key(number),
          .version = "0.4.0-mixlab.1",
          .registered_clients = {},
          .location = {},
          .last_seen_ns = 0};
}

inline CocoInfo sample_coco(unsigned number) {
  return {.host = "127.0.0.1:" + std::to_string(40'000 + number),
          .public_key = sample_key(number),
          .version = "0.4.0",
          .type = "validator",
          .location = {},
          .last_seen_ns = 0};
}

}  // namespace mix::topology
