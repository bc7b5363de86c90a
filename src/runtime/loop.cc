// SPDX-License-Identifier: Apache-2.0
//
// How a task waits and who wakes it.
//
// Everything that can resume a task lies in one of three places: an operation of Asio's (sockets,
// signals), a timer in x_timers, or a job in x_parked (events). When run() ends it empties all
// three, which destroys the coroutine frames and everything they hold, while what they refer to is
// still alive in the caller's scope. Without that order a frame destroyed last would reach for
// services destroyed before it.
//
// Timers are an ordered map by (deadline, number), served by one Alarm. Cancelling leaves the alarm
// as it is: at most one idle wake-up later is cheaper than a system call at each cancellation, and
// connections come and go by the packet.
#include "src/runtime/loop.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <exception>
#include <map>
#include <optional>
#include <utility>

#include "src/prelude/check.h"
#include "src/runtime/alarm.h"
#include "src/runtime/kept.h"
#include "src/runtime/suspend.h"
#include "src/runtime/sweep.h"

namespace mix::runtime {
namespace asio = boost::asio;

namespace {

/// An io_context that can be emptied before it is destroyed.
class Context : public asio::io_context {
 public:
  Context() : asio::io_context(1) {}  // one thread runs it: no locks, no wake-ups for its own posts
  void drop_operations() { shutdown(); }
};

[[noreturn]] void stop_for(const std::exception_ptr& failure) {
  std::string what = "of unknown type";
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& e) {
    what = e.what();
  } catch (...) {
  }
  CHECK(false, "an exception left a task:", what);
  std::terminate();
}

}  // namespace

struct Loop::Impl {
  explicit Impl(Loop& loop)
      : work(asio::make_work_guard(context)), signals(context), sweep(loop), kept(loop) {}

  void run_timers() {
    armed.reset();
    const Instant now = clock.now();
    while (!timers.empty() && timers.begin()->first.first <= now) {
      Job job = std::move(timers.begin()->second);
      due_of.erase(timers.begin()->first.second);
      timers.erase(timers.begin());
      job();
    }
    arm();
  }
  void arm() {
    if (timers.empty()) return;
    const Instant first = timers.begin()->first.first;
    if (armed && *armed <= first) return;
    armed = first;
    alarm->arm(first);
  }
  /// Destroys every task and timer, then what their frames may have left behind.
  void drop_everything() {
    for (int again = 0; again < 2; ++again) {
      std::exchange(timers, {}).clear();
      std::exchange(parked, {}).clear();
      context.drop_operations();
    }
  }
  void wait_for_signal() {
    signals.async_wait([this](const boost::system::error_code& failure, int number) {
      if (failure) return;
      signals.clear();  // the system's own handling is back: a second signal ends the program
      stopped_by = number;
      if (handler)
        handler(number);
      else
        context.stop();
    });
  }

  Context context;
  ports::SystemClock clock;
  asio::executor_work_guard<asio::io_context::executor_type> work;
  asio::signal_set signals;
  std::function<void(int)> handler;
  int stopped_by = 0;
  bool ran = false;
  std::map<std::pair<Instant, std::uint64_t>, Job> timers;
  std::map<std::uint64_t, Instant> due_of;
  std::map<std::uint64_t, Job> parked;
  std::uint64_t last_id = 0;
  std::optional<Instant> armed;
  std::optional<Alarm> alarm;  // made last: it asks the loop for its context
  Sweep sweep;
  Kept kept;  // goes first: its streams are known to the sweep
};

Loop::Loop() {
  // A pipe whose reader went away, a file that may not grow any more: errors of one write, not the
  // end of the program.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  x = std::make_unique<Impl>(*this);
  x->alarm.emplace(*this, [this] { x->run_timers(); });
}

Loop::~Loop() {
  x->drop_everything();  // of a loop that never ran
}

Instant Loop::now() const {
  return x->clock.now();
}
WallTime Loop::wall_now() const {
  return x->clock.wall_now();
}

void Loop::spawn(Task<> task) {
  asio::co_spawn(x->context, std::move(task), [](const std::exception_ptr& failure) {
    if (failure) stop_for(failure);
  });
}

void Loop::post(Job job) {
  asio::post(x->context, std::move(job));
}

int Loop::run() {
  CHECK(!std::exchange(x->ran, true), "a loop runs once");
  x->signals.add(SIGINT);
  x->signals.add(SIGTERM);
  x->wait_for_signal();
  x->context.run();
  x->signals.clear();
  x->drop_everything();
  return x->stopped_by;
}

void Loop::stop() {
  x->context.stop();
}

void Loop::on_signal(std::function<void(int)> handler) {
  x->handler = std::move(handler);
}

TimerId Loop::call_at(Instant when, Job job) {
  const std::uint64_t id = ++x->last_id;
  x->timers.emplace(std::pair(when, id), std::move(job));
  x->due_of.emplace(id, when);
  x->arm();
  return TimerId{id};
}

void Loop::cancel(TimerId timer) {
  const auto at = x->due_of.find(static_cast<std::uint64_t>(timer));
  if (at == x->due_of.end()) return;
  const auto node = x->timers.extract(std::pair(at->second, at->first));
  x->due_of.erase(at);  // the job goes last: it may hold a frame whose end cancels timers
}

Task<> Loop::sleep_until(Instant when) {
  return suspend([this, when](Job resume) { call_at(when, std::move(resume)); });
}
Task<> Loop::sleep_for(Duration d) {
  return sleep_until(now() + d);
}
Task<> Loop::yield() {
  return suspend([this](Job resume) { post(std::move(resume)); });
}

asio::io_context& Loop::context() {
  return x->context;
}

std::uint64_t Loop::park(Job resume) {
  const std::uint64_t id = ++x->last_id;
  x->parked.emplace(id, std::move(resume));
  return id;
}

Job Loop::unpark(std::uint64_t id) {
  auto node = x->parked.extract(id);
  return node.empty() ? Job() : std::move(node.mapped());
}

Sweep& Loop::sweep() {
  return x->sweep;
}
Kept& Loop::kept() {
  return x->kept;
}

}  // namespace mix::runtime
