// SPDX-License-Identifier: Apache-2.0
#include "src/topology/roster.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "src/topology/source.h"

namespace mix::topology {
namespace {

/// What a packet is sent to, and what a client asks. No two living entries of a kind share one, nor
/// a mix and a provider of different sources.
std::vector<std::string> addresses_of(const MixInfo& mix) {
  return {one_spelling(mix.host)};
}
std::vector<std::string> addresses_of(const ProviderInfo& provider) {
  std::vector<std::string> out{one_spelling(provider.mixnet_listener)};
  std::string other = one_spelling(provider.client_listener);
  if (other != out.front()) out.push_back(std::move(other));
  return out;
}
std::vector<std::string> addresses_of(const CocoInfo& coco) {
  return {one_spelling(coco.host)};
}

/// The layer of a mix; others have none.
std::optional<unsigned> layer_of(const MixInfo& mix) {
  return mix.layer;
}
std::optional<unsigned> layer_of(const auto&) {
  return std::nullopt;
}

/// Of a provider; others have none.
std::size_t accounts_of(const ProviderInfo& provider) {
  return provider.registered_clients.size();
}
std::size_t accounts_of(const auto&) {
  return 0;
}

std::unexpected<Refusal> conflict(std::string text) {
  return std::unexpected(Refusal{Refusal::Kind::conflict, std::move(text)});
}
Refusal full(const Shares& shares, std::string_view source, std::size_t wanted, const char* what) {
  const bool whole = !shares.whole_has(wanted);
  const std::size_t most = whole ? shares.whole() : shares.share();
  return {Refusal::Kind::full, "full: " + std::to_string(most) + " " + what +
                                   (whole ? "" : " from " + neighbourhood_of(source))};
}

}  // namespace

Roster::Roster(Limits limits)
    : x_limits(limits),
      x_mixes(limits.mixes, limits.sources),
      x_providers(limits.providers, limits.sources),
      x_cocos(limits.cocos, limits.sources),
      x_accounts(limits.accounts, limits.sources),
      x_past(limits.past) {}

// ---- Entries come and go ---------------------------------------------------------------------

template <class Info>
void Roster::count(Book<Info>& book, const Entry<Info>& entry, bool in) {
  const auto change = in ? &Shares::add : &Shares::remove;
  (book.shares.*change)(entry.source, 1);
  (x_accounts.*change)(entry.source, accounts_of(entry.info));
}

template <class Info>
void Roster::put(Book<Info>& book, Info info, std::string source, Instant now) {
  if (const auto at = book.entries.find(info.public_key); at != book.entries.end()) erase(book, at);
  const crypto::PublicKey key = info.public_key;
  x_past.forget(key.to_base58(), source);
  for (std::string& address : addresses_of(info)) {
    x_past.forget(address, source);
    book.holders.emplace(std::move(address), key);
  }
  if (const auto layer = layer_of(info)) ++book.layers[*layer];
  std::string text = entry_json(info);
  Entry<Info> entry{std::move(info), std::move(source), now, now, std::move(text)};
  count(book, entry, true);
  book.entries.emplace(key, std::move(entry));
  book.earliest = std::min(book.earliest, now);
}

template <class Info>
void Roster::erase(Book<Info>& book, Found<Info> at) {
  count(book, at->second, false);
  for (const std::string& address : addresses_of(at->second.info))
    book.holders.erase(address);
  if (const auto layer = layer_of(at->second.info); layer && --book.layers[*layer] == 0)
    book.layers.erase(*layer);
  book.entries.erase(at);
}

/// Looks at the entries only when one can have expired: whoever asks anything has this done.
template <class Info>
std::vector<crypto::PublicKey> Roster::expire_in(Book<Info>& book, Instant now) {
  std::vector<crypto::PublicKey> old;
  const Instant oldest = now - x_limits.expiry;
  if (book.earliest > oldest) return old;
  book.earliest = Instant::max();
  for (const auto& [key, entry] : book.entries)
    if (entry.heard <= oldest)
      old.push_back(key);
    else
      book.earliest = std::min(book.earliest, entry.heard);
  for (const crypto::PublicKey& key : old) {
    const auto at = book.entries.find(key);
    const Entry<Info>& entry = at->second;
    x_past.remember(key.to_base58(), entry.source, entry.heard_itself, now);
    for (const std::string& address : addresses_of(entry.info))
      x_past.remember(address, entry.source, entry.heard_itself, now);
    erase(book, at);
  }
  return old;
}

template <class Info>
void Roster::touch(Entry<Info>& entry, std::string_view source, Instant now, WallTime wall) {
  entry.heard = now;
  if (entry.source == source) entry.heard_itself = now;
  entry.info.last_seen_ns = unix_ns(wall);
  ++x_touched;
}

// ---- Who may have what -----------------------------------------------------------------------

/// Whether `source` may change an entry, and with it take its key elsewhere.
template <class Info>
bool Roster::may_change(const Entry<Info>& entry, std::string_view source, Instant now) const {
  const auto is_home = [&](const std::string& address) { return home_of(address) == source; };
  return entry.source == source || std::ranges::any_of(addresses_of(entry.info), is_home) ||
         x_past.is_owner(source, entry.info.public_key.to_base58(), now);
}

/// Whether `source` may have an address that an entry of `holder`'s has now.
bool Roster::may_have(std::string_view address, std::string_view holder, std::string_view source,
                      Instant now) const {
  const std::string home = home_of(address);
  return holder == source || home == source ||
         (home != holder && x_past.is_owner(source, address, now));
}

template <class Info>
bool Roster::held(const Book<Info>& book, std::string_view address, std::string_view source,
                  Instant now) const {
  const auto holder = book.holders.find(address);
  return holder != book.holders.end() &&
         !may_have(address, book.entries.at(holder->second).source, source, now);
}

/// The keys, other than its own, whose place it takes by having its addresses.
template <class Info>
std::expected<std::vector<crypto::PublicKey>, Refusal> Roster::claim(Book<Info>& book,
                                                                     const Info& info,
                                                                     std::string_view source,
                                                                     Instant now) {
  constexpr bool routed = !std::is_same_v<Info, CocoInfo>;
  std::vector<crypto::PublicKey> past;
  for (const std::string& address : addresses_of(info)) {
    // An address that is a mix's and a provider's is in two layers, and packets to it may skip one.
    if (held(book, address, source, now) || (routed && (held(x_mixes, address, source, now) ||
                                                        held(x_providers, address, source, now))))
      return conflict(address + ": held by another node, announced from another address");
    const auto holder = book.holders.find(address);
    if (holder == book.holders.end() || holder->second == info.public_key) continue;
    if (std::ranges::find(past, holder->second) == past.end()) past.push_back(holder->second);
  }
  return past;
}

/// What there is too much of, once those whose place it takes have left.
template <class Info>
std::optional<Refusal> Roster::no_room(Book<Info>& book, const Info& info, std::string_view source,
                                       const std::vector<crypto::PublicKey>& past) {
  const auto leave = [&](const crypto::PublicKey& key, bool come_back) {
    if (const auto at = book.entries.find(key); at != book.entries.end())
      count(book, at->second, come_back);
  };
  std::vector<crypto::PublicKey> leaving = past;
  leaving.push_back(info.public_key);
  for (const crypto::PublicKey& key : leaving)
    leave(key, false);
  std::optional<Refusal> refusal;
  if (!book.shares.room_for(source, 1))
    refusal = full(book.shares, source, 1, "entries of this kind");
  else if (!x_accounts.room_for(source, accounts_of(info)))
    refusal = full(x_accounts, source, accounts_of(info), "accounts of all providers");
  for (const crypto::PublicKey& key : leaving)
    leave(key, true);
  return refusal;
}

template <class Info>
std::expected<Accepted, Refusal> Roster::announce_in(Book<Info>& book, const Info& info,
                                                     std::string_view sender, Instant now,
                                                     WallTime wall) {
  expire(now);
  std::string source = source_of(sender);
  const auto known = book.entries.find(info.public_key);
  Accepted accepted;
  accepted.is_new = known == book.entries.end();
  accepted.changed = accepted.is_new || !same_claim(known->second.info, info);
  const auto past = claim(book, info, source, now);
  if (!accepted.is_new) {
    Entry<Info>& entry = known->second;
    const bool may = may_change(entry, source, now);
    if (!may && accepted.changed)
      return conflict("pubKey: announced from another address, which alone may change it");
    const bool refreshes = !accepted.changed && (entry.source == source || !may || !past);
    if (refreshes && entry.source != source && now >= entry.heard_itself + x_limits.refresh)
      return conflict("pubKey: announced from another address, which is silent");
    if (refreshes) {
      touch(entry, source, now, wall);
      return accepted;
    }
  }
  if (!past) return std::unexpected(past.error());
  if (auto refusal = no_room(book, info, source, *past)) {
    // Others have filled what he would grow into; that must not put him out.
    if (!accepted.is_new && known->second.source == source) {
      touch(known->second, source, now, wall);
      refusal->text += "; the entry stays as it was";
    }
    return std::unexpected(std::move(*refusal));
  }
  for (const crypto::PublicKey& key : *past) {
    accepted.replaced = key.to_base58();
    accepted.taken.push_back(key);
    erase(book, book.entries.find(key));
  }
  Info stamped = info;
  stamped.last_seen_ns = unix_ns(wall);
  put(book, std::move(stamped), std::move(source), now);
  if (accepted.changed) ++x_revision;
  ++x_touched;
  return accepted;
}

std::expected<Accepted, Refusal> Roster::announce(const MixInfo& mix, std::string_view source,
                                                  Instant now, WallTime wall) {
  return announce_in(x_mixes, mix, source, now, wall);
}
std::expected<Accepted, Refusal> Roster::announce(const ProviderInfo& provider,
                                                  std::string_view source, Instant now,
                                                  WallTime wall) {
  return announce_in(x_providers, provider, source, now, wall);
}
std::expected<Accepted, Refusal> Roster::announce(const CocoInfo& coco, std::string_view source,
                                                  Instant now, WallTime wall) {
  return announce_in(x_cocos, coco, source, now, wall);
}

Expired Roster::expire(Instant now) {
  Expired gone{expire_in(x_mixes, now), expire_in(x_providers, now), expire_in(x_cocos, now)};
  if (gone.size() > 0) {
    ++x_revision;
    ++x_touched;
  }
  return gone;
}

std::optional<Instant> Roster::next_expiry() const {
  std::optional<Instant> first;
  const auto look = [&](const auto& book) {
    for (const auto& [key, entry] : book.entries)
      if (!first || entry.heard < *first) first = entry.heard;
  };
  look(x_mixes);
  look(x_providers);
  look(x_cocos);
  return first ? std::optional(*first + x_limits.expiry) : std::nullopt;
}

const MixInfo* Roster::find_mix(const crypto::PublicKey& key) const {
  const auto at = x_mixes.entries.find(key);
  return at == x_mixes.entries.end() ? nullptr : &at->second.info;
}

std::string Roster::text(LastSeen last_seen) const {
  TopologyWriter out(last_seen);
  const auto all = [&](const auto& book) {
    for (const auto& [key, entry] : book.entries)
      out.entry(entry.text, entry.info.last_seen_ns);
  };
  all(x_cocos);
  out.next_kind();
  for (const auto& [layer, count] : x_mixes.layers)
    for (const auto& [key, entry] : x_mixes.entries)
      if (entry.info.layer == layer) out.entry(entry.text, entry.info.last_seen_ns);
  out.next_kind();
  all(x_providers);
  return out.finish();
}

Topology Roster::topology() const {
  const auto infos = []<class Info>(const Book<Info>& book) {
    std::vector<Info> out;
    out.reserve(book.entries.size());
    for (const auto& [key, entry] : book.entries)
      out.push_back(entry.info);
    return out;
  };
  return {infos(x_mixes), infos(x_providers), infos(x_cocos)};
}

}  // namespace mix::topology
