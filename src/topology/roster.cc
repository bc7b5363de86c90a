// SPDX-License-Identifier: Apache-2.0
#include "src/topology/roster.h"

#include <vector>

namespace mix::topology {
namespace {

/// What a packet is sent to, and what a client asks. No two living entries of a kind share one.
std::vector<std::string> addresses_of(const MixInfo& mix) {
  return {mix.host};
}
std::vector<std::string> addresses_of(const ProviderInfo& provider) {
  if (provider.client_listener == provider.mixnet_listener) return {provider.mixnet_listener};
  return {provider.mixnet_listener, provider.client_listener};
}
std::vector<std::string> addresses_of(const CocoInfo& coco) {
  return {coco.host};
}

/// A machine reaches itself by many addresses; a presence by 127.0.0.1 and one by ::1 are of one
/// source.
std::string_view source_of(std::string_view address) {
  if (address.starts_with("127.") || address == "::1" || address.starts_with("::ffff:127."))
    return "loopback";
  return address;
}

template <class Info>
bool differs(Info a, Info b) {
  a.last_seen_ns = b.last_seen_ns = 0;
  return a != b;
}

}  // namespace

namespace {

/// The layer of a mix; others have none.
std::optional<unsigned> layer_of(const MixInfo& mix) {
  return mix.layer;
}
std::optional<unsigned> layer_of(const auto&) {
  return std::nullopt;
}

}  // namespace

template <class Info>
void Roster::Book<Info>::put(const Info& info, std::string_view source, Instant now) {
  erase(info.public_key);
  for (std::string& address : addresses_of(info))
    holders.emplace(std::move(address), info.public_key);
  entries.emplace(info.public_key, Entry<Info>{info, std::string(source), now});
  if (const auto layer = layer_of(info)) ++layers[*layer];
}

template <class Info>
void Roster::Book<Info>::erase(const crypto::PublicKey& key) {
  const auto at = entries.find(key);
  if (at == entries.end()) return;
  for (const std::string& address : addresses_of(at->second.info))
    holders.erase(address);
  if (const auto layer = layer_of(at->second.info); layer && --layers[*layer] == 0)
    layers.erase(*layer);
  entries.erase(at);
}

template <class Info>
std::vector<crypto::PublicKey> Roster::Book<Info>::expire(Instant oldest) {
  std::vector<crypto::PublicKey> old;
  for (const auto& [key, entry] : entries)
    if (entry.heard <= oldest) old.push_back(key);
  for (const crypto::PublicKey& key : old)
    erase(key);
  return old;
}

template <class Info>
std::expected<Accepted, Refusal> Roster::announce_in(Book<Info>& book, std::size_t limit,
                                                     const Info& info, std::string_view sender,
                                                     Instant now, WallTime wall) {
  expire(now);
  const auto conflict = [](std::string text) {
    return std::unexpected(Refusal{Refusal::Kind::conflict, std::move(text)});
  };
  std::string source(source_of(sender));
  Info stamped = info;
  stamped.last_seen_ns = unix_ns(wall);
  const auto known = book.entries.find(info.public_key);
  Accepted accepted;
  accepted.is_new = known == book.entries.end();
  const bool changed = accepted.is_new || differs(known->second.info, info);
  if (!accepted.is_new && known->second.source != source) {
    if (changed)
      return conflict("pubKey: announced from another address, which alone may change it");
    source = known->second.source;
  }

  // Whoever holds one of these addresses with another key: our own past goes, anybody else stays.
  std::vector<crypto::PublicKey> past;
  for (const std::string& address : addresses_of(info)) {
    const auto holder = book.holders.find(address);
    if (holder == book.holders.end() || holder->second == info.public_key) continue;
    if (book.entries.at(holder->second).source != source)
      return conflict(address + ": held by another key, announced from another address");
    past.push_back(holder->second);
  }
  if (accepted.is_new && past.empty() && book.entries.size() >= limit)
    return std::unexpected(
        Refusal{Refusal::Kind::full, "full: " + std::to_string(limit) + " entries of this kind"});
  for (const crypto::PublicKey& key : past) {
    if (!book.entries.contains(key)) continue;
    accepted.replaced = key.to_base58();
    accepted.taken.push_back(key);
    book.erase(key);
  }
  accepted.changed = changed;
  book.put(stamped, source, now);
  if (changed) ++x_revision;
  ++x_touched;
  return accepted;
}

std::expected<Accepted, Refusal> Roster::announce(const MixInfo& mix, std::string_view source,
                                                  Instant now, WallTime wall) {
  return announce_in(x_mixes, x_limits.mixes, mix, source, now, wall);
}
std::expected<Accepted, Refusal> Roster::announce(const ProviderInfo& provider,
                                                  std::string_view source, Instant now,
                                                  WallTime wall) {
  return announce_in(x_providers, x_limits.providers, provider, source, now, wall);
}
std::expected<Accepted, Refusal> Roster::announce(const CocoInfo& coco, std::string_view source,
                                                  Instant now, WallTime wall) {
  return announce_in(x_cocos, x_limits.cocos, coco, source, now, wall);
}

Expired Roster::expire(Instant now) {
  const Instant oldest = now - x_limits.expiry;
  Expired gone{x_mixes.expire(oldest), x_providers.expire(oldest), x_cocos.expire(oldest)};
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
