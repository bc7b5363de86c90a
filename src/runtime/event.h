// SPDX-License-Identifier: Apache-2.0
// How one task tells another that something changed. A notification is remembered until somebody
// waits, several at once are one: wait in a loop around the condition.
//
// Waiters run in a later turn, in the order they began to wait, never inside notify(). Threads: the
// loop's (from elsewhere: Loop::post a job that notifies).
#pragma once

#include <memory>
#include <optional>

#include "src/prelude/instant.h"
#include "src/runtime/loop.h"

namespace mix::runtime {

class Event {
 public:
  explicit Event(Loop& loop);
  ~Event();  // whoever still waits is never resumed
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  /// Wakes everybody who waits; with nobody waiting the next wait returns at once.
  void notify();
  Task<> wait();
  /// False when `deadline` came first.
  Task<bool> wait_until(Instant deadline);

 private:
  struct Impl;
  std::shared_ptr<Impl> x;
};

}  // namespace mix::runtime
