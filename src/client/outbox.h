// SPDX-License-Identifier: Apache-2.0
// What a user wrote and the client has not sent yet: first come, first served, one packet each.
//
// Taking a message never changes when a packet is sent: the real stream ticks whether this is empty
// or full, and a user who writes faster than that is told so. A message stays the user's until its
// packet was handed to the network; one whose packet could not be sent goes back to the front.
// Bounds: wire/limits.h. Pure; one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "src/crypto/keys.h"
#include "src/prelude/bytes.h"
#include "src/wire/limits.h"

namespace mix::client {

struct Message {
  crypto::PublicKey recipient;
  Bytes text;

  bool operator==(const Message&) const = default;
};

class Outbox {
 public:
  static constexpr std::size_t kCapacity = wire::kMaxQueuedMessages;

  /// False when the box is full. A message in the hands of the network still has its place.
  bool put(Message message) {
    if (x_waiting.size() + x_in_hand >= kCapacity) return false;
    x_waiting.push_back(std::move(message));
    return true;
  }
  /// The next to send, or null. Stays where it is.
  const Message* front() const { return x_waiting.empty() ? nullptr : &x_waiting.front(); }

  /// The front is being handed to the network. Follow with sent() or failed().
  Message take() {
    Message message = std::move(x_waiting.front());
    x_waiting.pop_front();
    ++x_in_hand;
    return message;
  }
  void sent() { --x_in_hand; }
  void failed(Message message) {
    --x_in_hand;
    x_waiting.push_front(std::move(message));
  }

  std::size_t size() const { return x_waiting.size() + x_in_hand; }

 private:
  std::deque<Message> x_waiting;
  std::size_t x_in_hand = 0;
};

}  // namespace mix::client
