// SPDX-License-Identifier: Apache-2.0
// What came for the user and was not fetched yet, in order of arrival. Nothing real is dropped
// because it came twice: two equal messages may both be meant, and the network delivers at least
// once.
//
// Bounds: kCapacity messages, the oldest go first and are counted; a fetch takes at most as much as
// one reply may carry, the rest waits for the next. Pure; one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "src/prelude/bytes.h"
#include "src/wire/limits.h"

namespace mix::client {

class Inbox {
 public:
  static constexpr std::size_t kCapacity = wire::kMaxReceivedMessages;
  /// Of one fetch. The TCP socket's reply counts messages in 16 bits; 16 MiB is what a websocket
  /// library takes in one frame by default, and JSON may need six characters a byte.
  static constexpr std::size_t kMaxFetchMessages = 65'535;
  static constexpr std::size_t kMaxFetchBytes = 2 * wire::kMiB;

  void put(Bytes message);
  /// The oldest, out of the box.
  std::vector<Bytes> fetch();

  std::size_t size() const { return x_messages.size(); }
  /// Messages nobody fetched in time.
  std::uint64_t overflowed() const { return x_overflowed; }

 private:
  std::deque<Bytes> x_messages;
  std::uint64_t x_overflowed = 0;
};

}  // namespace mix::client
