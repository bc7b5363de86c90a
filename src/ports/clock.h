// SPDX-License-Identifier: Apache-2.0
// The first of the two things a program cannot compute. A program reads time here and in
// runtime/loop.h (which waits) and nowhere else; tests hand in a clock of their own.
#pragma once

#include "src/prelude/instant.h"

namespace mix::ports {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
  virtual WallTime wall_now() const = 0;
};

/// CLOCK_MONOTONIC and CLOCK_REALTIME. Stateless; any thread.
class SystemClock final : public Clock {
 public:
  Instant now() const override;
  WallTime wall_now() const override;
};

/// A clock that stands still until a test moves it.
class ManualClock final : public Clock {
 public:
  Instant now() const override { return x_now; }
  WallTime wall_now() const override { return x_wall; }
  void advance(Duration d) {
    x_now += d;
    x_wall += d;
  }

 private:
  Instant x_now{};
  WallTime x_wall{};
};

}  // namespace mix::ports
