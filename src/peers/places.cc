// SPDX-License-Identifier: Apache-2.0
#include "src/peers/places.h"

#include <algorithm>
#include <utility>

namespace mix::peers {

PlacePtr Places::take(const Claim& claim) {
  const bool share_left = claim.proven || x_unproven.size() < x_limits.unproven;
  if (!share_left && !drop_worse(claim)) return nullptr;
  if (full() && !drop_idle()) return nullptr;
  return give(claim);
}

PlacePtr Places::take_from_stalled(const Claim& claim, std::uint64_t moment) {
  if (PlacePtr place = take(claim)) return place;
  const auto stalled = [&](const Place* one) { return one->x_moved <= moment; };
  const auto no_better = [&](const Place* one) {
    return stalled(one) && (claim.proven || one->x_claim.hung >= claim.hung);
  };
  const auto unproven = std::ranges::find_if(x_unproven, no_better);
  if (unproven != x_unproven.end())
    end(**unproven);
  else if (claim.proven && !x_proven.empty() && stalled(x_proven.front()))
    end(*x_proven.front());
  return full_for(claim) ? nullptr : give(claim);
}

bool Places::drop_idle() {
  const auto found =
      std::ranges::find_if(x_proven, [](const Place* one) { return one->idle && one->idle(); });
  if (found == x_proven.end()) return false;
  end(**found);
  return true;
}

/// Of the peers that let more attempts hang than this one: the worst, and of equals the first.
bool Places::drop_worse(const Claim& claim) {
  const auto worst =
      std::ranges::max_element(x_unproven, {}, [](const Place* one) { return one->x_claim.hung; });
  if (worst == x_unproven.end() || (*worst)->x_claim.hung <= claim.hung) return false;
  end(**worst);
  return true;
}

PlacePtr Places::give(const Claim& claim) {
  PlacePtr place(new Place(*this, claim));
  Order& order = place->order();
  place->x_at = order.insert(order.end(), place.get());
  place->x_moved = ++x_moment;
  place->x_in = true;
  return place;
}

void Places::end(Place& place) {
  ++x_lost;
  leave(place);
  // It may destroy the place.
  if (const auto lose = std::exchange(place.lose, {})) lose();
}

void Places::leave(Place& place) {
  if (std::exchange(place.x_in, false)) place.order().erase(place.x_at);
}

Place::~Place() {
  if (!x_in) return;
  x_places.leave(*this);
  if (x_places.on_free) x_places.on_free();
}

void Place::progress() {
  if (!x_in) return;
  x_moved = ++x_places.x_moment;
  order().splice(order().end(), order(), x_at);
}

void Place::prove() {
  if (x_claim.proven) return;
  const bool in = x_in;
  x_places.leave(*this);
  x_claim = {.proven = true};
  if (!in) return;
  Places::Order& proven = x_places.x_proven;
  x_at = proven.insert(proven.end(), this);
  x_moved = ++x_places.x_moment;
  x_in = true;
  if (x_places.on_free) x_places.on_free();  // one of the few for the unproven
}

}  // namespace mix::peers
