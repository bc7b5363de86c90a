// SPDX-License-Identifier: Apache-2.0
// The coarse time-outs of connections: one timer for all of them, set to the earliest moment at
// which any may be due and never closer than a second. Internal to this folder.
#pragma once

#include <list>
#include <optional>

#include "src/prelude/instant.h"
#include "src/runtime/loop.h"
#include "src/wire/limits.h"

namespace mix::runtime {

/// Something with a time-out. Knows its own limits; is asked when it is due.
class Swept {
 public:
  /// When it would time out if nothing happened; nothing when it has no limit.
  virtual std::optional<Instant> due() const = 0;
  /// Called when due() has passed. Must not add or remove anybody.
  virtual void time_out() = 0;

 protected:
  ~Swept() = default;
};

class Sweep {
 public:
  using Place = std::list<Swept*>::iterator;
  static constexpr Duration kInterval = wire::kSweepInterval;

  explicit Sweep(Loop& loop) : x_loop(loop) {}
  Place add(Swept& swept) { return x_swept.insert(x_swept.end(), &swept); }
  void remove(Place place) { x_swept.erase(place); }
  /// To be called when the limit of one of them became earlier.
  void expect(Instant due);

 private:
  void run();

  Loop& x_loop;
  std::list<Swept*> x_swept;  // in the order they were added
  TimerId x_timer{};
  std::optional<Instant> x_next;
};

}  // namespace mix::runtime
