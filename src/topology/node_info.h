// SPDX-License-Identifier: Apache-2.0
// What a node says of itself, as a value. The same three types serve a presence (what a node
// claims) and a topology (what the directory hands out). Who checks what is in fields.h; the JSON
// texts are in json.h. Field names on the wire are those of the original programs.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
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

// Whether two entries say the same, whenever they were said last. (Nothing is copied: an entry may
// have ten thousand accounts.)
inline bool same_claim(const MixInfo& a, const MixInfo& b) {
  const auto claim = [](const MixInfo& x) {
    return std::tie(x.host, x.public_key, x.version, x.layer, x.location);
  };
  return claim(a) == claim(b);
}
inline bool same_claim(const ProviderInfo& a, const ProviderInfo& b) {
  const auto claim = [](const ProviderInfo& x) {
    return std::tie(x.client_listener, x.mixnet_listener, x.public_key, x.version,
                    x.registered_clients, x.location);
  };
  return claim(a) == claim(b);
}
inline bool same_claim(const CocoInfo& a, const CocoInfo& b) {
  const auto claim = [](const CocoInfo& x) {
    return std::tie(x.host, x.public_key, x.version, x.type, x.location);
  };
  return claim(a) == claim(b);
}

}  // namespace mix::topology
