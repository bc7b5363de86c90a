// SPDX-License-Identifier: Apache-2.0
// What a provider decides: which packets it takes for whom, who is a client, whose mail a request
// may have. Pure: bytes come in, decisions go out; what is to be kept is kept by store/store.h, and
// the desk is told what became of it.
//
// A token is an HMAC of the client's address under a key of this provider's, so it opens that
// address's mailbox and no other. That is hygiene, not protection: registering proves nothing, so
// whoever registers an address is given its token (the 0.4 wire leaves no room for a proof).
// Order of accounts: that of registration, on the wire too. Who may hold how much mail is in
// room.h, whose account makes room for whose in clients.h. Bounds: Limits. Threads: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "src/provider/clients.h"
#include "src/provider/room.h"
#include "src/record/drop_reason.h"
#include "src/runtime/refusals.h"
#include "src/sphinx/packet.h"
#include "src/sphinx/tag_memory.h"
#include "src/store/accounts.h"
#include "src/wire/frame.h"
#include "src/wire/request.h"

namespace mix::provider {

using wire::AuthToken;

struct Limits {
  std::size_t accounts = wire::kMaxAccounts;
  std::size_t mailbox = wire::kMaxMailboxMessages;  ///< messages waiting for one client
  std::size_t messages = wire::kMaxStoredMessages;  ///< messages waiting for all clients together
  std::size_t queue = wire::kMaxStoreQueue;         ///< requests waiting for the disk
  Duration account_age = wire::kAccountAge;         ///< see clients.h
};

/// A packet to be kept: its tag and its message, together.
struct Delivery {
  sphinx::Tag tag;
  ClientAddress to;
  Bytes message;
};
/// A packet not kept. Its tag is kept where the MAC held, so that it stays refused.
struct Refusal {
  record::DropReason reason;
  std::optional<sphinx::Tag> tag;
};

/// Answers to a client's request.
struct Refuse {
  runtime::Refusal why = runtime::Refusal::bad_request;
};
struct GiveToken {
  ClientAddress address;
  AuthToken token;
  bool is_new;  ///< the account must be kept before the token is given
};
struct GiveMail {
  ClientAddress address;
  Instant asked;
};
using Answer = std::variant<Refuse, GiveToken, GiveMail>;

class Desk {
 public:
  /// `tags` are those of packets taken before, oldest first.
  Desk(const store::Keys& keys, std::span<const store::Account> accounts,
       std::span<const sphinx::Tag> tags, std::size_t tag_memory_bytes, Limits limits);

  /// `queued` requests wait for the disk. A delivery counts as waiting in its mailbox at once.
  std::expected<Delivery, Refusal> take(wire::PacketView packet, std::size_t queued);
  /// That delivery could not be kept, or so many messages have left the mailbox.
  void removed(const ClientAddress& from, std::size_t messages);

  /// Asking is using the account.
  Answer answer(BytesView request, Instant now);
  /// The account was kept. Again for one that is there: no effect.
  void registered(const ClientAddress& address) { x_clients.add(address, x_now); }

  /// There are as many as may be, with so many registrations on their way to the disk.
  bool full(std::size_t under_way = 0) const { return x_clients.full(under_way); }
  /// The account that is none any more, so that another can be one; nothing when all are in use.
  std::optional<ClientAddress> make_room();
  /// In order of registration.
  const std::vector<ClientAddress>& clients() const { return x_clients.in_order(); }
  std::size_t waiting(const ClientAddress& address) const;
  /// Messages that one account may hold now.
  std::size_t mailbox_limit() const { return x_room.limit(); }
  const sphinx::TagMemory& tags() const { return x_tags; }

 private:
  AuthToken token_of(const ClientAddress& address) const;
  std::optional<record::DropReason> no_room_for(const ClientAddress& address) const;

  Limits x_limits;
  sphinx::Peeler x_peeler;
  crypto::Secret<32> x_token_key;
  sphinx::TagMemory x_tags;
  Clients x_clients;
  Room x_room;      // of what waits for them
  Instant x_now{};  // of the latest request
  sphinx::Packet x_in{};
};

}  // namespace mix::provider
