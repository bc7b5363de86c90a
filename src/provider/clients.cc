// SPDX-License-Identifier: Apache-2.0
#include "src/provider/clients.h"

#include <algorithm>
#include <functional>
#include <ranges>
#include <tuple>

#include "src/prelude/check.h"
#include "src/wire/limits.h"

namespace mix::provider {

void Clients::read_back(const ClientAddress& address, std::size_t waiting) {
  if (x_clients.try_emplace(crypto::PublicKey(address), Client{waiting, {}, true}).second)
    x_order.push_back(address);
}

void Clients::add(const ClientAddress& address, Instant now) {
  begin(now);
  const auto [at, is_new] = x_clients.try_emplace(crypto::PublicKey(address));
  if (is_new) x_order.push_back(address);
  at->second.used = now;
}

void Clients::pulled(const ClientAddress& address, Instant now) {
  begin(now);
  Client* client = find(address);
  CHECK(client != nullptr);
  client->used = now;
  client->pulled = true;
}

void Clients::remove(const ClientAddress& address) {
  const Client* client = find(address);
  CHECK(client != nullptr && client->waiting == 0);
  x_clients.erase(crypto::PublicKey(address));
  x_order.erase(std::ranges::find(x_order, address));
}

// ---- Room for one more ----------------------------------------------------------------------

std::optional<ClientAddress> Clients::spare(Instant now) {
  begin(now);
  if (!x_next_look || now >= *x_next_look) look_for_spares(now);
  while (!x_spares.empty()) {
    const Client* client = find(x_spares.back());  // it may have been used since, or be gone
    if (client && overdue(*client, now) >= 0ns) return x_spares.back();
    x_spares.pop_back();
  }
  return std::nullopt;
}

/// Everybody is looked at, so that a flood of newcomers costs one look a second.
void Clients::look_for_spares(Instant now) {
  x_next_look = now + wire::kSpareLookGap;
  x_spares.clear();
  for (const ClientAddress& address : std::views::reverse(x_order))
    if (overdue(*find(address), now) >= 0ns) x_spares.push_back(address);
  // The next one last: who never pulled goes before who did, then who is unused for longer.
  std::ranges::stable_sort(x_spares, std::greater(), [&](const ClientAddress& address) {
    const Client& client = *find(address);
    return std::tuple(client.pulled, client.used.value_or(*x_began));
  });
}

Duration Clients::overdue(const Client& client, Instant now) const {
  if (client.waiting > 0) return -1ns;
  const Duration unused = now - client.used.value_or(*x_began);
  return unused - (client.pulled ? x_age : std::min(x_age, wire::kUnpulledAccountAge));
}

void Clients::begin(Instant now) {
  if (!x_began) x_began = now;
}

// ---- Looking up -----------------------------------------------------------------------------

const Clients::Client* Clients::find(const ClientAddress& address) const {
  const auto found = x_clients.find(crypto::PublicKey(address));
  return found == x_clients.end() ? nullptr : &found->second;
}
Clients::Client* Clients::find(const ClientAddress& address) {
  const auto found = x_clients.find(crypto::PublicKey(address));
  return found == x_clients.end() ? nullptr : &found->second;
}

std::size_t* Clients::waiting(const ClientAddress& address) {
  Client* client = find(address);
  return client ? &client->waiting : nullptr;
}
const std::size_t* Clients::waiting(const ClientAddress& address) const {
  const Client* client = find(address);
  return client ? &client->waiting : nullptr;
}

}  // namespace mix::provider
