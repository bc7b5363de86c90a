// SPDX-License-Identifier: Apache-2.0
// Who had a key or an address before he fell silent. A directory forgets an entry after ten
// seconds, which is less than a machine needs to start again; whoever announced it last may take it
// back for an hour (roster.h says how), whoever announced it meanwhile.
//
// It keeps nothing from anybody: while the owner is silent, others may have what was his. So
// filling it shuts nobody out; it only makes the directory forget an owner sooner.
// Bounds: Limits. A source that has used up its share is remembered no more; when all is full the
// one that fell silent first goes. Pure; one thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "src/prelude/instant.h"
#include "src/topology/shares.h"

namespace mix::topology {

class PastOwners {
 public:
  struct Limits {
    std::size_t things = 8192;  // keys and addresses
    std::size_t sources = 4;    // see Shares
    Duration memory = 1h;       // from the last presence
  };
  explicit PastOwners(Limits limits) : x_limits(limits), x_shares(limits.things, limits.sources) {}
  PastOwners(PastOwners&&) = default;  // never copied: its queue names what its map holds

  /// `source`, last heard of at `heard`, has fallen silent. Whoever had the thing before him and is
  /// still remembered stays its owner.
  void remember(const std::string& thing, const std::string& source, Instant heard, Instant now);
  /// Its owner, if he was `source`, speaks again.
  void forget(const std::string& thing, std::string_view source);
  bool is_owner(std::string_view source, std::string_view thing, Instant now) const;
  std::size_t size() const { return x_owners.size(); }

 private:
  struct Owner {
    std::string source;
    Instant heard;
  };
  using Owners = std::map<std::string, Owner, std::less<>>;  // by thing
  void erase(Owners::iterator owner);
  void erase_oldest();

  Limits x_limits;
  Shares x_shares;
  Owners x_owners;
  std::set<std::pair<Instant, std::string_view>> x_queue;  // of x_owners, longest silent first
};

}  // namespace mix::topology
