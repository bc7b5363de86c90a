// SPDX-License-Identifier: Apache-2.0
// What a user may ask of a running client, whichever door the question comes through (websocket or
// TCP socket). Answers are immediate: nothing here waits for the network. One thread (the loop's).
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "src/crypto/keys.h"
#include "src/prelude/bytes.h"
#include "src/sphinx/geometry.h"

namespace mix::client {

/// Texts that applications may compare with, exactly as the original client has them.
inline constexpr const char* kInvalidTopology = "Invalid network topology";
inline constexpr std::size_t kMaxMessage = sphinx::kMaxMessageBytes;

class Service {
 public:
  virtual ~Service() = default;

  /// Queues one message of at most kMaxMessage bytes (CHECKed). The error is for the caller: the
  /// queue is full.
  virtual std::expected<void, std::string> send(const crypto::PublicKey& recipient,
                                                BytesView message) = 0;
  /// Takes what came, oldest first; what one reply cannot carry waits for the next.
  virtual std::vector<Bytes> fetch() = 0;
  /// Everybody registered with a provider of the present topology, in its order; nothing without a
  /// topology.
  virtual std::expected<std::vector<crypto::PublicKey>, std::string> clients() = 0;
  virtual crypto::PublicKey own_address() const = 0;
};

}  // namespace mix::client
