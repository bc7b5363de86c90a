// SPDX-License-Identifier: Apache-2.0
// What a node says of itself, as a value. The same three types serve a presence (what a node
// claims) and a topology (what the directory hands out). Who checks what is in fields.h; the JSON
// texts are in json.h. Field names on the wire are those of the original programs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/crypto/keys.h"

namespace mix::topology {

struct MixInfo {
  std::string host;  // "localhost:9980", "1.2.3.4:1789": a name or an address, and a port
  crypto::PublicKey public_key;
  std::string version;
  unsigned layer = 0;  // 1 is the first
  std::string location;
  std::int64_t last_seen_ns = 0;  // since 1970, by the directory's clock; not part of a claim

  bool operator==(const MixInfo&) const = default;
};

struct ProviderInfo {
  std::string client_listener;  // both numeric: "127.0.0.1:9998", "[::1]:9998"
  std::string mixnet_listener;
  crypto::PublicKey public_key;
  std::string version;
  std::vector<crypto::PublicKey> registered_clients;
  std::string location;
  std::int64_t last_seen_ns = 0;

  bool operator==(const ProviderInfo&) const = default;
};

struct CocoInfo {
  std::string host;
  crypto::PublicKey public_key;
  std::string version;
  std::string type;
  std::string location;
  std::int64_t last_seen_ns = 0;

  bool operator==(const CocoInfo&) const = default;
};

}  // namespace mix::topology
