// SPDX-License-Identifier: Apache-2.0
// Which addresses took a packet, and which let somebody wait in vain: attempts to connect that
// hung, connections that were not read from. Only waiting costs others anything, so a peer that
// refuses keeps its good name, and has it when it is back.
//
// Bounds: kMost addresses of each kind; those heard of longest ago are forgotten first, and are
// strangers again. Threads: one. Pure.
#pragma once

#include <list>
#include <map>

#include "src/peers/places.h"
#include "src/sphinx/address.h"
#include "src/wire/limits.h"

namespace mix::peers {

class Reputation {
 public:
  static constexpr std::size_t kMost = wire::kMaxPeers;

  explicit Reputation(std::size_t most = kMost) : x_most(most) {}

  Claim of(const sphinx::NodeAddress& address) const {
    if (x_good.contains(address)) return {.proven = true};
    return {.hung = x_bad.count_of(address)};
  }
  void took_a_packet(const sphinx::NodeAddress& address) {
    x_bad.forget(address);
    x_good.note(address, x_most);
  }
  void hung(const sphinx::NodeAddress& address) {
    x_good.forget(address);
    x_bad.note(address, x_most);
  }

  std::size_t size() const { return x_good.size() + x_bad.size(); }

 private:
  /// Addresses with a count, in the order in which they were noted last.
  class Noted {
   public:
    bool contains(const sphinx::NodeAddress& address) const { return x_known.contains(address); }
    unsigned count_of(const sphinx::NodeAddress& address) const {
      const auto found = x_known.find(address);
      return found == x_known.end() ? 0 : found->second.count;
    }
    std::size_t size() const { return x_known.size(); }
    void note(const sphinx::NodeAddress& address, std::size_t most) {
      auto found = x_known.find(address);
      if (found == x_known.end()) {
        if (x_known.size() >= most) forget(sphinx::NodeAddress(x_order.front()));
        found = x_known.emplace(address, Known{}).first;
        found->second.at = x_order.insert(x_order.end(), address);
      }
      if (found->second.count < kHighest) ++found->second.count;
      x_order.splice(x_order.end(), x_order, found->second.at);
    }
    void forget(const sphinx::NodeAddress& address) {
      const auto found = x_known.find(address);
      if (found == x_known.end()) return;
      x_order.erase(found->second.at);
      x_known.erase(found);
    }

   private:
    static constexpr unsigned kHighest = 1'000'000;
    struct Known {
      unsigned count = 0;
      std::list<sphinx::NodeAddress>::iterator at;
    };
    std::map<sphinx::NodeAddress, Known> x_known;
    std::list<sphinx::NodeAddress> x_order;
  };

  std::size_t x_most;
  Noted x_good, x_bad;
};

}  // namespace mix::peers
