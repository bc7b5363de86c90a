// SPDX-License-Identifier: Apache-2.0
// The one place where a program waits: one thread, one event loop, tasks that are coroutines.
//
// It brings a clock (now), chores (sleep_until), stopping (SIGINT, SIGTERM), and a way in for other
// threads (post). It does not do I/O: that is stream.h, http_*.h and websocket.h.
// Order: tasks that became ready run first come, first served; timers due at one instant run in the
// order they were set. Nothing depends on addresses, hashes or threads.
// Cost: all timers of a loop share one timerfd; cancelling one never wakes the program later than
// once. No task runs on another thread; only post() may be called from one.
// Life: when run() returns, every task and timer has been destroyed, so what they referred to must
// live until then; streams and servers may outlive run(), but not the loop.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <memory>

#include "src/ports/clock.h"
#include "src/prelude/instant.h"
#include "src/runtime/refusals.h"

namespace boost::asio {
class io_context;
}

namespace mix::runtime {

/// A coroutine that runs when it is awaited or spawned.
template <class T = void>
using Task = boost::asio::awaitable<T>;
/// Called once at most.
using Job = std::move_only_function<void()>;

/// Names a timer; zero names none.
enum class TimerId : std::uint64_t {};

class Loop final : public ports::Clock {
 public:
  Loop();
  ~Loop() override;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  Instant now() const override;
  WallTime wall_now() const override;

  /// Starts the task before spawn returns when called from a task; it then runs until it waits. An
  /// exception that leaves it is our own bug: the program stops and says what it was.
  void spawn(Task<> task);
  /// From any thread: runs the job in a later turn. Wakes the loop only when it may be asleep.
  void post(Job job);

  /// Until stop() or a signal; answers the signal's number, or 0. Once in a loop's life.
  int run();
  /// From the loop's thread; run() returns when the present turn is over.
  void stop();
  /// What a signal does instead of stop(), for instance saying goodbye first. A second signal
  /// kills.
  void on_signal(std::function<void(int)> handler);

  Task<> sleep_until(Instant when);
  Task<> sleep_for(Duration d);
  /// Runs the job at `when` or as soon after as the program wakes; never early.
  TimerId call_at(Instant when, Job job);
  /// Without effect for a timer that has run, or for none.
  void cancel(TimerId id);

  /// Lets everybody else who is ready go first.
  Task<> yield();

  /// The program's one table of what strangers were refused.
  Refusals& refusals() { return x_refusals; }

  // ---- For this folder only ----
  boost::asio::io_context& context();
  /// Keeps what resumes a task until it is asked for again, or the loop ends.
  std::uint64_t park(Job resume);
  /// Empty when the loop has ended since.
  Job unpark(std::uint64_t id);
  class Sweep& sweep();
  class Kept& kept();

 private:
  struct Impl;
  Refusals x_refusals;
  std::unique_ptr<Impl> x;
};

}  // namespace mix::runtime
