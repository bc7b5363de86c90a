// SPDX-License-Identifier: Apache-2.0
// The directory's memory: every unexpired presence, and the rules by which one may replace another.
// Pure: time and the sender's address are handed in. What a field may hold is checked before
// (fields.h).
//
// Rules. An entry is known by its key and lives 10 s after its last presence. While it lives, a
// presence from another source address may refresh it but change nothing, and nobody else may claim
// its address with another key; from the same source both are accepted: a node that restarts with a
// new key takes its old entry's place at once. Every loopback address is the same source. Nothing
// here proves anything: a key is announced, not shown to be held.
// Bounds: Limits; a full roster refuses newcomers and keeps who is in. Threads: one at a time.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/prelude/instant.h"
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
    Duration expiry = 10s;
  };

  Roster() : Roster(Limits()) {}
  explicit Roster(Limits limits) : x_limits(limits) {}

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
    std::string source;  // who announced it first
    Instant heard;
  };
  /// The entries of one kind, and who holds which of their addresses.
  template <class Info>
  struct Book {
    std::map<crypto::PublicKey, Entry<Info>> entries;
    std::map<std::string, crypto::PublicKey, std::less<>> holders;
    std::map<unsigned, std::size_t> layers;  // of mixes; no layer is empty

    void put(const Info& info, std::string_view source, Instant now);
    void erase(const crypto::PublicKey& key);
    std::vector<crypto::PublicKey> expire(Instant oldest);
  };

  template <class Info>
  std::expected<Accepted, Refusal> announce_in(Book<Info>& book, std::size_t limit,
                                               const Info& info, std::string_view source,
                                               Instant now, WallTime wall);

  Limits x_limits;
  Book<MixInfo> x_mixes;
  Book<ProviderInfo> x_providers;
  Book<CocoInfo> x_cocos;
  std::uint64_t x_revision = 0;
  std::uint64_t x_touched = 0;
};

}  // namespace mix::topology
