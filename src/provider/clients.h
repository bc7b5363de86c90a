// SPDX-License-Identifier: Apache-2.0
// Who is a client: accounts in order of registration, how much mail waits for each, and when it was
// last used, which is when its owner registered or pulled.
//
// Registering is free, so accounts that nobody uses have to make room: when there are as many as
// there may be, a newcomer takes the place of the longest unused one (spare). One with mail never
// goes; one that registered and never pulled goes after wire::kUnpulledAccountAge; any other after
// `age`. A client that runs pulls every few seconds, so a stranger who registers without end pushes
// nobody out who runs, or was away for less than `age`. As a token depends on the address only,
// who comes back later gets the same. (A stranger who leaves a message in each of his accounts
// keeps them until it expires: --mail-age.) When accounts were used is not kept on disk: those read
// back count as pulled, and as used when the first request came. Pure. Bounds: the caller asks
// full(). Threads: one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <unordered_map>
#include <vector>

#include "src/crypto/keys.h"
#include "src/prelude/instant.h"
#include "src/wire/request.h"

namespace mix::provider {

using wire::ClientAddress;

/// An age that nobody reaches; half of what there is, so that sums with it do not overflow.
inline constexpr Duration kNoAge = Duration::max() / 2;

class Clients {
 public:
  Clients(std::size_t most, Duration age) : x_most(most), x_age(std::min(age, kNoAge)) {}

  /// One that was there before this program began.
  void read_back(const ClientAddress& address, std::size_t waiting);
  /// Uses it, too. Adding one again only does that.
  void add(const ClientAddress& address, Instant now);
  void pulled(const ClientAddress& address, Instant now);
  /// Of one without mail.
  void remove(const ClientAddress& address);

  bool contains(const ClientAddress& address) const { return find(address) != nullptr; }
  /// Messages that wait for it; nothing when it is no client. Valid until the next call.
  std::size_t* waiting(const ClientAddress& address);
  const std::size_t* waiting(const ClientAddress& address) const;
  /// In order of registration.
  const std::vector<ClientAddress>& in_order() const { return x_order; }

  /// With so many on their way to the disk.
  bool full(std::size_t under_way) const { return x_order.size() + under_way >= x_most; }
  /// Who has to go next. Looked for at most once in wire::kSpareLookGap.
  std::optional<ClientAddress> spare(Instant now);

 private:
  struct Client {
    std::size_t waiting = 0;
    std::optional<Instant> used;  // nothing: not since the program began
    bool pulled = false;
  };
  const Client* find(const ClientAddress& address) const;
  Client* find(const ClientAddress& address);
  /// How much longer than it has to it was not used; less than zero for one that stays.
  Duration overdue(const Client& client, Instant now) const;
  void look_for_spares(Instant now);
  void begin(Instant now);

  std::size_t x_most;
  Duration x_age;
  std::optional<Instant> x_began;  // the first request
  std::vector<ClientAddress> x_order;
  /// Only looked up, never walked: its order means nothing.
  std::unordered_map<crypto::PublicKey, Client> x_clients;
  std::vector<ClientAddress> x_spares;  // as they were found, the next one last
  std::optional<Instant> x_next_look;
};

}  // namespace mix::provider
