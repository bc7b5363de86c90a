// SPDX-License-Identifier: Apache-2.0
// One timerfd of its own, for what has to happen at an exact nanosecond: the hold queue, a sender's
// next tick. (Chores share the loop's timer: Loop::call_at. Asio's own timers are not used: they
// round to microseconds and wake twice.)
//
// Cost: arming is one system call, an expiry is one wake-up. Threads: the loop's.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "src/prelude/instant.h"
#include "src/runtime/loop.h"

namespace mix::runtime {

class Alarm {
 public:
  /// `ring` is called in the loop's thread, never before the deadline, once per arming. It may arm
  /// again.
  Alarm(Loop& loop, std::function<void()> ring);
  ~Alarm();
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  /// Replaces the deadline. One in the past rings in a later turn, not within this call.
  void arm(Instant deadline);
  void disarm();
  std::optional<Instant> deadline() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> x;
};

}  // namespace mix::runtime
