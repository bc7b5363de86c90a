// SPDX-License-Identifier: Apache-2.0
// Replies with mail that were not acknowledged yet: whose mailbox they are of, and since when.
//
// Registering proves nothing, so whoever knows an address can pull its mailbox, and while he does
// not take the replies his connections hold the mail. What is out for longer than
// wire::kStalledReply goes to the newest pull that would find nothing: its old reply is broken off.
// (Who takes the replies has the mail, and it is gone: no rule about time can help against that.)
//
// Bounds: the provider's connections. Threads: the loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <unordered_map>
#include <vector>

#include "src/crypto/keys.h"
#include "src/prelude/instant.h"
#include "src/wire/request.h"

namespace mix::provider {

class Replies {
 public:
  /// Names a reply.
  struct Out {
    wire::ClientAddress mailbox;
    std::uint64_t number;
  };
  struct TakenBack {
    std::size_t replies = 0;
    std::vector<std::int64_t> mail;
  };

  /// A reply with this mail is on its way. `break_off` must work until end().
  Out begin(const wire::ClientAddress& mailbox, std::vector<std::int64_t> mail, Instant now,
            std::function<void()> break_off);
  /// It arrived or never will; its mail, unless that was taken back.
  std::optional<std::vector<std::int64_t>> end(const Out& out);
  /// Breaks off what has stalled of a mailbox.
  TakenBack take_back(const wire::ClientAddress& mailbox, Instant now);

 private:
  struct Reply {
    std::uint64_t number;
    std::vector<std::int64_t> mail;
    Instant since;
    std::function<void()> break_off;
  };
  std::uint64_t x_last = 0;
  /// Only looked up, never walked. A mailbox has a few at most (store/mailbox.h), oldest first.
  std::unordered_map<crypto::PublicKey, std::list<Reply>> x_out;
};

}  // namespace mix::provider
