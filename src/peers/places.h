// SPDX-License-Identifier: Apache-2.0
// The places that connections to others may take: so many in all, and a few of them for peers that
// never took a packet. Who is listed, and whether he answers, a stranger decides; peers that took
// packets before keep room whatever he lists.
//
// One connection has one place from before it is begun until it is closed. When there is none left,
// the one that has been silent longest among those with nothing to carry goes. A peer that never
// took a packet is in the way of no other: its attempt goes when a peer asks that has let fewer
// attempts hang. Whoever has waited a while may take the place of a connection on which nothing
// moved since it began to wait.
//
// Order, not time: a count of everything that happened says who is silent longest. Cost: a step for
// each connection only when there is no place. Pure; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>

namespace mix::peers {

/// What is known of a peer that wants to connect (reputation.h).
struct Claim {
  bool proven = false;  // took a packet, and let none wait since
  unsigned hung = 0;    // how often it let one wait in vain, since it took one
};

class Place;
using PlacePtr = std::unique_ptr<Place>;

class Places {
 public:
  struct Limits {
    std::size_t all = 1;
    std::size_t unproven = 1;
  };
  explicit Places(Limits limits) : x_limits(limits) {}
  Places(const Places&) = delete;
  Places& operator=(const Places&) = delete;

  /// Null when there is none now.
  PlacePtr take(const Claim& claim);
  /// For who waits since `moment`: perhaps the place of a connection that has not moved since.
  PlacePtr take_from_stalled(const Claim& claim, std::uint64_t moment);
  /// Ends the idle connection that is silent longest; false when there is none.
  bool drop_idle();

  /// Now, in things that happened.
  std::uint64_t moment() const { return x_moment; }
  std::size_t taken() const { return x_proven.size() + x_unproven.size(); }
  std::size_t unproven() const { return x_unproven.size(); }
  /// Connections that lost their place to somebody else.
  std::uint64_t lost() const { return x_lost; }
  /// Called when a place became free and nobody has it yet.
  std::function<void()> on_free;

 private:
  friend class Place;
  using Order = std::list<Place*>;  // silent longest first

  bool drop_worse(const Claim& claim);
  bool full() const { return taken() >= x_limits.all; }
  bool full_for(const Claim& claim) const {
    return full() || (!claim.proven && x_unproven.size() >= x_limits.unproven);
  }
  PlacePtr give(const Claim& claim);
  void end(Place& place);
  void leave(Place& place);

  Limits x_limits;
  Order x_proven, x_unproven;
  std::uint64_t x_moment = 0;
  std::uint64_t x_lost = 0;
};

/// Belongs to one connection; it is free when this dies. Must not outlive its Places.
class Place {
 public:
  ~Place();
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  /// Closes the connection, which has lost its place. May destroy this object.
  std::function<void()> lose;
  /// Whether nothing is on its way there; it is when there is no such function.
  std::function<bool()> idle;

  /// Still its connection's.
  bool held() const { return x_in; }
  /// Something moved.
  void progress();
  /// It carried a packet.
  void prove();

 private:
  friend class Places;
  Place(Places& places, const Claim& claim) : x_places(places), x_claim(claim) {}
  Places::Order& order() { return x_claim.proven ? x_places.x_proven : x_places.x_unproven; }

  Places& x_places;
  Claim x_claim;
  bool x_in = false;
  std::uint64_t x_moved = 0;
  Places::Order::iterator x_at;
};

}  // namespace mix::peers
