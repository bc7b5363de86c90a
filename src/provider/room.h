// SPDX-License-Identifier: Apache-2.0
// How the room for mail is shared out between accounts. Registering is free, so without a rule a
// hundred full mailboxes were the whole store, for ever.
//
// A quarter of the room is reserved, in equal parts for as many accounts as there may be: who holds
// less than his part (25 messages of a million, for ten thousand accounts) is never refused. The
// rest is shared. One account may hold --max-mailbox messages while at least a third of the shared
// room is free, which it is as long as half of everything is; then its limit falls with the free
// room and in proportion to it, to nothing: a dynamic threshold, as switches share out their memory
// (A. K. Choudhury, E. L. Hahne: Dynamic Queue Length Thresholds for Shared-Memory Packet Switches,
// IEEE/ACM Trans. Networking 6(2), 1998). It needs to know nobody, and who was there first keeps
// what he has.
//
// The threshold alone is not enough: queues of a switch drain, mailboxes of a stranger never do,
// and whoever fills n of them one after the other leaves 1 / (1 + 1/25)^n of the room. Hence the
// reserve (F. Kamoun, L. Kleinrock: Analysis of Shared Finite Storage in a Computer Network Node
// Environment Under General Traffic Conditions, IEEE Trans. Comm. 28(7), 1980).
//
// Pure: counts only. Threads: one.
#pragma once

#include <cstddef>

namespace mix::provider {

class Room {
 public:
  static constexpr std::size_t kReservedPart = 4;    ///< one of so many
  static constexpr std::size_t kFallsBelowPart = 3;  ///< of the shared room, being free

  /// For `messages` of at most `accounts`, and at most `mailbox` of one.
  Room(std::size_t messages, std::size_t accounts, std::size_t mailbox);

  /// For one more message of an account that holds so many.
  bool for_one_more(std::size_t held) const;
  /// An account that holds so many holds one more.
  void put(std::size_t held);
  /// An account that holds so many holds `messages` less.
  void removed(std::size_t held, std::size_t messages);

  /// Messages that an account may hold whatever the others do.
  std::size_t reserve() const { return x_reserve; }
  /// Messages that an account may hold now.
  std::size_t limit() const;
  std::size_t total() const { return x_total; }

 private:
  std::size_t beyond_reserve(std::size_t held) const {
    return held > x_reserve ? held - x_reserve : 0;
  }
  std::size_t free() const { return x_used < x_shared ? x_shared - x_used : 0; }
  /// Beyond its reserve.
  std::size_t threshold() const;

  std::size_t x_messages, x_mailbox, x_reserve, x_shared;
  std::size_t x_total = 0;
  std::size_t x_used = 0;  // of the shared room
};

}  // namespace mix::provider
