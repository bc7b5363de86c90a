// SPDX-License-Identifier: Apache-2.0
#include "src/peers/outgoing.h"

#include <algorithm>

#include "src/runtime/settings.h"

namespace mix::peers {

using runtime::Refusal;
using runtime::Task;

/// Keeps the line right however a waiting task ends.
struct Outgoing::InLine {
  Outgoing& outgoing;
  Waiter waiter;
  std::map<Rank, Waiter*>::iterator at;

  InLine(Outgoing& of, const Claim& claim) : outgoing(of), waiter(of.x_loop) {
    waiter.claim = claim;
    const Rank rank{!claim.proven, claim.hung, ++of.x_numbers};
    at = of.x_waiters.emplace(rank, &waiter).first;
  }
  InLine(const InLine&) = delete;
  InLine& operator=(const InLine&) = delete;
  ~InLine() { outgoing.x_waiters.erase(at); }
};

Places& Outgoing::places() {
  if (!x_places) {
    const std::size_t all =
        x_most > 0 ? x_most : std::min(wire::kMaxConnections, runtime::share_of_descriptors());
    x_places.emplace(Places::Limits{
        .all = all, .unproven = std::max<std::size_t>(1, all / wire::kShareOfUnproven)});
    x_places->on_free = [this] { hand_out(); };
  }
  return *x_places;
}

PlacePtr Outgoing::take(const Claim& claim) {
  PlacePtr place = places().take(claim);
  count_lost();
  return place;
}

bool Outgoing::drop_idle() {
  const bool dropped = places().drop_idle();
  count_lost();
  return dropped;
}

/// As the listeners do: a connection that had to go is a refusal.
void Outgoing::count_lost() {
  for (; x_counted < x_places->lost(); ++x_counted)
    x_loop.refusals().add(Refusal::connections_full);
}

/// Those who wait have been refused with the places as they were: where the first in line is
/// refused again, nobody else has more right to one.
void Outgoing::hand_out() {
  for (auto& [rank, waiter] : x_waiters) {
    if (waiter->place) continue;
    waiter->place = take(waiter->claim);
    if (!waiter->place) return;
    waiter->changed.notify();
  }
}

Task<PlacePtr> Outgoing::wait(Claim claim, Instant deadline) {
  InLine line(*this, claim);
  Waiter& waiter = line.waiter;
  while (!waiter.place && x_loop.now() < deadline) {
    const std::uint64_t since = places().moment();
    const Instant hurry = std::min(deadline, x_loop.now() + x_hurry);
    while (!waiter.place && x_loop.now() < hurry)
      co_await waiter.changed.wait_until(hurry);
    if (waiter.place || hurry == deadline) break;
    waiter.place = places().take_from_stalled(claim, since);
    count_lost();
  }
  if (!waiter.place) x_loop.refusals().add(Refusal::connections_full);
  co_return std::move(waiter.place);
}

}  // namespace mix::peers
