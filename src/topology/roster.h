// SPDX-License-Identifier: Apache-2.0
// The directory's memory: every unexpired presence, and the rules by which one may replace another.
// Pure: time and the sender's address are handed in. What a field may hold is checked before
// (fields.h).
//
// Rules. An entry is known by its key and lives 10 s after its last presence. While it lives, a
// presence from another source (source.h) may refresh it, for a minute, but change nothing (a
// machine may speak from several addresses; but nobody shall keep in all who ever left, as theirs),
// and nobody else may claim its address; from the same source both are accepted: a node that
// restarts with a new key takes its old entry's place at once. Two may do more, because ten seconds
// of silence must not lose a node to whoever announces it meanwhile, for as long as he goes on:
//
// * Who speaks from an address has it, whoever announced it before: no one but its owner can. He
//   may change an entry that is at his address, too. This says nothing about keys: anybody is at
//   home somewhere, and were that enough for a key, a stranger could announce a living node's from
//   there, and win over every node that announces a name.
// * Who had a key or an address before may take it back for an hour after he was heard of last
//   (past_owners.h); not an address from who speaks from it.
//
// Otherwise the first stays. Nothing here proves anything about keys: one is announced, not shown
// to be held.
//
// What a source may fill is shared out (shares.h). Accounts of all providers are counted together:
// an entry that may not grow stays as it is, and lives. Bounds: Limits; a full roster refuses
// newcomers and keeps who is in. Threads: one at a time.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/prelude/instant.h"
#include "src/topology/json.h"
#include "src/topology/past_owners.h"
#include "src/topology/shares.h"
#include "src/topology/topology.h"

namespace mix::topology {

/// Why a presence was not taken: `conflict` is answered 409, `full` 503.
struct Refusal {
  enum class Kind { conflict, full };
  Kind kind = Kind::conflict;
  std::string text;
};

struct Accepted {
  bool is_new = false;                   // the key was not in before
  bool changed = false;                  // it is new, or says something else than before
  std::string replaced;                  // base58 of the key whose place it took, or empty
  std::vector<crypto::PublicKey> taken;  // all whose place it took: a provider has two addresses
};

/// Who is not in any more.
struct Expired {
  std::vector<crypto::PublicKey> mixes, providers, cocos;

  std::size_t size() const { return mixes.size() + providers.size() + cocos.size(); }
};

class Roster {
 public:
  struct Limits {
    std::size_t mixes = 4096;
    std::size_t providers = 32;
    std::size_t cocos = 64;
    std::size_t accounts = 40'000;  // of all providers together
    std::size_t sources = 4;        // it takes at least so many to fill one of these; see Shares
    Duration expiry = 10s;
    Duration refresh = 1min;  // so long others keep an entry in whose own source is silent
    PastOwners::Limits past = {};
  };

  Roster() : Roster(Limits()) {}
  explicit Roster(Limits limits);

  /// `source` is the sender's numeric address without port; `now` orders, `wall` is shown.
  std::expected<Accepted, Refusal> announce(const MixInfo& mix, std::string_view source,
                                            Instant now, WallTime wall);
  std::expected<Accepted, Refusal> announce(const ProviderInfo& provider, std::string_view source,
                                            Instant now, WallTime wall);
  std::expected<Accepted, Refusal> announce(const CocoInfo& coco, std::string_view source,
                                            Instant now, WallTime wall);
  /// Forgets who was last heard of `expiry` ago or longer; says who.
  Expired expire(Instant now);
  /// When the next entry expires if nobody says anything; nothing without entries.
  std::optional<Instant> next_expiry() const;

  Topology topology() const;
  /// to_json(topology()), out of texts made when the entries last changed.
  std::string text(LastSeen last_seen) const;
  /// How many mixes are in each layer, without making a topology: a presence must not cost more the
  /// more there are.
  const std::map<unsigned, std::size_t>& layers() const { return x_mixes.layers; }
  /// Null when no such mix is in; valid until the next change.
  const MixInfo* find_mix(const crypto::PublicKey& key) const;
  /// Counts every change of anything but last_seen.
  std::uint64_t revision() const { return x_revision; }
  /// Counts every change.
  std::uint64_t touched() const { return x_touched; }

 private:
  template <class Info>
  struct Entry {
    Info info;
    std::string source;  // who announced it first, or has shown more right to it since
    Instant heard;
    Instant heard_itself;  // from `source`
    std::string text;      // entry_json(info)
  };
  /// The entries of one kind, and who holds which of their addresses (in one_spelling).
  template <class Info>
  struct Book {
    Book(std::size_t limit, std::size_t sources) : shares(limit, sources) {}

    std::map<crypto::PublicKey, Entry<Info>> entries;
    std::map<std::string, crypto::PublicKey, std::less<>> holders;
    std::map<unsigned, std::size_t> layers;  // of mixes; no layer is empty
    Shares shares;
    Instant earliest = Instant::max();  // nobody was last heard of before
  };
  template <class Info>
  using Found = typename std::map<crypto::PublicKey, Entry<Info>>::iterator;

  template <class Info>
  std::expected<Accepted, Refusal> announce_in(Book<Info>& book, const Info& info,
                                               std::string_view sender, Instant now, WallTime wall);
  template <class Info>
  std::expected<std::vector<crypto::PublicKey>, Refusal> claim(Book<Info>& book, const Info& info,
                                                               std::string_view source,
                                                               Instant now);
  template <class Info>
  std::optional<Refusal> no_room(Book<Info>& book, const Info& info, std::string_view source,
                                 const std::vector<crypto::PublicKey>& past);
  template <class Info>
  bool may_change(const Entry<Info>& entry, std::string_view source, Instant now) const;
  bool may_have(std::string_view address, std::string_view holder, std::string_view source,
                Instant now) const;
  template <class Info>
  bool held(const Book<Info>& book, std::string_view address, std::string_view source,
            Instant now) const;
  template <class Info>
  void touch(Entry<Info>& entry, std::string_view source, Instant now, WallTime wall);
  template <class Info>
  void put(Book<Info>& book, Info info, std::string source, Instant now);
  template <class Info>
  void erase(Book<Info>& book, Found<Info> at);
  template <class Info>
  void count(Book<Info>& book, const Entry<Info>& entry, bool in);
  template <class Info>
  std::vector<crypto::PublicKey> expire_in(Book<Info>& book, Instant now);

  Limits x_limits;
  Book<MixInfo> x_mixes;
  Book<ProviderInfo> x_providers;
  Book<CocoInfo> x_cocos;
  Shares x_accounts;
  PastOwners x_past;
  std::uint64_t x_revision = 0;
  std::uint64_t x_touched = 0;
};

}  // namespace mix::topology
