// SPDX-License-Identifier: Apache-2.0
#include "src/provider/desk.h"

#include <algorithm>

#include "src/crypto/cipher.h"
#include "src/peers/peel_reason.h"
#include "src/prelude/check.h"

namespace mix::provider {
namespace {

using peers::reason_of;
using record::DropReason;

std::unexpected<Refusal> refused(DropReason reason, std::optional<sphinx::Tag> tag = {}) {
  return std::unexpected(Refusal{reason, tag});
}

}  // namespace

Desk::Desk(const store::Keys& keys, std::span<const store::Account> accounts,
           std::span<const sphinx::Tag> tags, std::size_t tag_memory_bytes, Limits limits)
    : x_limits(limits),
      x_peeler(keys.node),
      x_token_key(keys.token),
      x_tags(tag_memory_bytes),
      x_clients(limits.accounts, limits.account_age),
      x_room(limits.messages, limits.accounts, limits.mailbox) {
  for (const store::Account& account : accounts) {
    x_clients.read_back(account.address, account.waiting);
    for (std::size_t held = 0; held < account.waiting; ++held)
      x_room.put(held);
  }
  for (const sphinx::Tag& tag : tags)
    (void)x_tags.remember(tag);
}

// ---- Packets --------------------------------------------------------------------------------

std::expected<Delivery, Refusal> Desk::take(wire::PacketView packet, std::size_t queued) {
  // Asked first: what cannot be kept must not cost point multiplications.
  if (queued >= x_limits.queue) return refused(DropReason::pending_full);
  std::ranges::copy(packet, x_in.begin());
  const auto header = x_peeler.open_header(x_in);
  if (!header) return refused(reason_of(header.error()));
  // Remembered for every packet whose MAC held, whatever becomes of it.
  if (!x_tags.remember(header->tag())) return refused(DropReason::replay);
  if (!header->is_final()) return refused(DropReason::forward_at_provider, header->tag());
  const auto peeled = header->finish(x_in);
  if (!peeled) return refused(reason_of(peeled.error()), header->tag());
  const auto& arrived = std::get<sphinx::Final>(*peeled);
  const ClientAddress& to = arrived.destination.address;
  if (const auto reason = no_room_for(to)) return refused(*reason, header->tag());
  x_room.put((*x_clients.waiting(to))++);
  const BytesView message = arrived.message();
  return Delivery{header->tag(), to, Bytes(message.begin(), message.end())};
}

std::optional<DropReason> Desk::no_room_for(const ClientAddress& address) const {
  const std::size_t* held = x_clients.waiting(address);
  if (!held) return DropReason::unknown_recipient;
  if (!x_room.for_one_more(*held)) return DropReason::mailbox_full;
  return std::nullopt;
}

void Desk::removed(const ClientAddress& from, std::size_t messages) {
  std::size_t* held = x_clients.waiting(from);
  CHECK(held != nullptr);
  CHECK(*held >= messages, *held, messages);
  x_room.removed(*held, messages);
  *held -= messages;
}

// ---- Clients --------------------------------------------------------------------------------

Answer Desk::answer(BytesView bytes, Instant now) {
  x_now = now;
  const auto request = wire::parse_request(bytes);
  if (!request) return Refuse{};
  if (const auto* pull = std::get_if<wire::PullRequest>(&*request)) {
    const bool ours = crypto::equal_in_constant_time(token_of(pull->address), pull->token);
    if (!ours || !x_clients.contains(pull->address)) return Refuse{runtime::Refusal::bad_token};
    x_clients.pulled(pull->address, now);
    return GiveMail{pull->address, now};
  }
  const ClientAddress& address = std::get<wire::RegisterRequest>(*request).address;
  const bool is_new = !x_clients.contains(address);
  if (is_new && full() && !x_clients.spare(now)) return Refuse{runtime::Refusal::accounts_full};
  if (!is_new) x_clients.add(address, now);
  return GiveToken{address, token_of(address), is_new};
}

std::optional<ClientAddress> Desk::make_room() {
  const auto spare = x_clients.spare(x_now);
  if (spare) x_clients.remove(*spare);
  return spare;
}

std::size_t Desk::waiting(const ClientAddress& address) const {
  const std::size_t* waiting = x_clients.waiting(address);
  return waiting ? *waiting : 0;
}

AuthToken Desk::token_of(const ClientAddress& address) const {
  return crypto::hmac_sha256(x_token_key.bytes(), address);
}

}  // namespace mix::provider
