// SPDX-License-Identifier: Apache-2.0
#include "src/provider/room.h"

#include <algorithm>

#include "src/prelude/check.h"

namespace mix::provider {

Room::Room(std::size_t messages, std::size_t accounts, std::size_t mailbox)
    : x_messages(messages),
      x_mailbox(mailbox),
      x_reserve(std::min(messages / kReservedPart / accounts, mailbox)),
      x_shared(messages - accounts * x_reserve) {}

bool Room::for_one_more(std::size_t held) const {
  // The first only when there are more accounts than there may be (the bound was larger once).
  return x_total < x_messages && held < limit();
}

std::size_t Room::limit() const {
  return std::min(x_reserve + threshold(), x_mailbox);
}

/// Rounded up: while anything is free, an account without a reserve may hold a message, too.
std::size_t Room::threshold() const {
  const std::size_t falls_below = std::max<std::size_t>(x_shared / kFallsBelowPart, 1);
  // A mailbox has at most 10^7 messages and the store 10^9: the product fits.
  return (x_mailbox * free() + falls_below - 1) / falls_below;
}

void Room::put(std::size_t held) {
  ++x_total;
  if (held >= x_reserve) ++x_used;
}

void Room::removed(std::size_t held, std::size_t messages) {
  CHECK(messages <= held && messages <= x_total, messages, held, x_total);
  x_total -= messages;
  x_used -= beyond_reserve(held) - beyond_reserve(held - messages);
}

}  // namespace mix::provider
