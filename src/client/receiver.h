// SPDX-License-Identifier: Apache-2.0
// The client's side of its provider: registers, pulls, and registers again when a pull is refused.
//
// Whoever calls slot() sets the times (timetable.h); what happens in a slot depends on whether
// there is a token, never on what came before or who reads it. Every exchange has a connection of
// its own, as the protocol wants; a slow one does not hold up the next.
// Bounds: exchanges under way, bytes of a reply, time of an exchange (up to a second late).
// An outage is said once, and once when it is over. Threads: the loop's. Must outlive its run.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "src/crypto/keys.h"
#include "src/runtime/loop.h"
#include "src/runtime/stream.h"
#include "src/wire/request.h"

namespace mix::client {

class Receiver {
 public:
  /// And of the descriptors no more than nodes that never took a packet have (wire/limits.h): the
  /// provider is chosen from what is listed, too.
  static constexpr std::size_t kMaxExchanges = 64;
  static constexpr Duration kExchangeTimeout = 10s;
  struct Counts {
    std::uint64_t pulls = 0;
    std::uint64_t refused = 0;  // the provider said no, or what was no reply
    std::uint64_t failed = 0;   // it could not be reached, or did not answer in time
    std::uint64_t skipped = 0;  // too many exchanges were under way
  };
  struct Handlers {
    std::function<void()> registered;        // each time
    std::function<void(BytesView)> message;  // each one that is no dummy
  };

  Receiver(runtime::Loop& loop, const crypto::PublicKey& self, Handlers handlers)
      : x_loop(loop), x_self(self), x_handlers(std::move(handlers)) {}

  /// One exchange with the provider that has this key and listens here: a pull with a token, else a
  /// registration. A token belongs to a provider's key; another key needs another.
  void slot(const crypto::PublicKey& provider, const runtime::Address& listener);

  const Counts& counts() const { return x_counts; }

 private:
  using Reply = std::expected<Bytes, std::string>;
  runtime::Task<Reply> exchange(runtime::Address listener, Bytes request);
  runtime::Task<> enrol(crypto::PublicKey provider, runtime::Address listener);
  runtime::Task<> pull(crypto::PublicKey provider, runtime::Address listener,
                       wire::AuthToken token);
  void complain(const runtime::Address& listener, const std::string& why);
  void well(const runtime::Address& listener);

  runtime::Loop& x_loop;
  crypto::PublicKey x_self;
  Handlers x_handlers;
  crypto::PublicKey x_provider;
  std::optional<wire::AuthToken> x_token;
  bool x_enrolling = false;
  std::size_t x_exchanges = 0;
  bool x_outage = false;
  Counts x_counts;
};

}  // namespace mix::client
