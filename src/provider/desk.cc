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
    : x_limits(limits), x_peeler(keys.node), x_token_key(keys.token), x_tags(tag_memory_bytes) {
  for (const store::Account& account : accounts) {
    registered(account.address);
    x_waiting[crypto::PublicKey(account.address)] = account.waiting;
    x_messages += account.waiting;
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
  ++x_waiting[crypto::PublicKey(to)];
  ++x_messages;
  const BytesView message = arrived.message();
  return Delivery{header->tag(), to, Bytes(message.begin(), message.end())};
}

std::optional<DropReason> Desk::no_room_for(const ClientAddress& address) const {
  const auto found = x_waiting.find(crypto::PublicKey(address));
  if (found == x_waiting.end()) return DropReason::unknown_recipient;
  if (found->second >= x_limits.mailbox || x_messages >= x_limits.messages)
    return DropReason::mailbox_full;
  return std::nullopt;
}

void Desk::removed(const ClientAddress& from, std::size_t messages) {
  const auto found = x_waiting.find(crypto::PublicKey(from));
  CHECK(found != x_waiting.end());
  CHECK(found->second >= messages, found->second, messages);
  found->second -= messages;
  x_messages -= messages;
}

// ---- Clients --------------------------------------------------------------------------------

Answer Desk::answer(BytesView bytes) const {
  const auto request = wire::parse_request(bytes);
  if (!request) return Refuse{};
  if (const auto* pull = std::get_if<wire::PullRequest>(&*request)) {
    const bool ours = crypto::equal_in_constant_time(token_of(pull->address), pull->token);
    if (!ours || !x_waiting.contains(crypto::PublicKey(pull->address)))
      return Refuse{runtime::Refusal::bad_token};
    return GiveMail{pull->address};
  }
  const ClientAddress& address = std::get<wire::RegisterRequest>(*request).address;
  const bool is_new = !x_waiting.contains(crypto::PublicKey(address));
  if (is_new && full()) return Refuse{runtime::Refusal::accounts_full};
  return GiveToken{address, token_of(address), is_new};
}

void Desk::registered(const ClientAddress& address) {
  if (x_waiting.try_emplace(crypto::PublicKey(address), 0).second) x_clients.push_back(address);
}

std::size_t Desk::waiting(const ClientAddress& address) const {
  const auto found = x_waiting.find(crypto::PublicKey(address));
  return found == x_waiting.end() ? 0 : found->second;
}

AuthToken Desk::token_of(const ClientAddress& address) const {
  return crypto::hmac_sha256(x_token_key.bytes(), address);
}

}  // namespace mix::provider
