// SPDX-License-Identifier: Apache-2.0
#include "src/runtime/event.h"

#include <algorithm>
#include <vector>

#include "src/runtime/suspend.h"

namespace mix::runtime {

struct Event::Impl {
  struct Waiter {
    std::uint64_t parked = 0;
    TimerId timer{};
    bool* notified = nullptr;  // in the waiting task's frame
  };
  explicit Impl(Loop& of) : loop(of) {}

  Loop& loop;
  std::vector<Waiter> waiters;
  bool pending = false;

  void wake(const Waiter& waiter, bool notified) {
    loop.cancel(waiter.timer);
    Job resume = loop.unpark(waiter.parked);
    if (!resume) return;
    *waiter.notified = notified;
    loop.post(std::move(resume));
  }
  void timed_out(std::uint64_t parked) {
    const auto at = std::ranges::find(waiters, parked, &Waiter::parked);
    if (at == waiters.end()) return;
    const Waiter waiter = *at;
    waiters.erase(at);
    wake(waiter, false);
  }

  static Task<bool> wait(std::shared_ptr<Impl> self, std::optional<Instant> deadline) {
    if (std::exchange(self->pending, false)) co_return true;
    bool notified = false;
    co_await suspend([&](Job resume) {
      Waiter waiter{self->loop.park(std::move(resume)), TimerId{}, &notified};
      if (deadline)
        waiter.timer =
            self->loop.call_at(*deadline, [weak = std::weak_ptr(self), parked = waiter.parked] {
              if (const auto event = weak.lock()) event->timed_out(parked);
            });
      self->waiters.push_back(waiter);
    });
    co_return notified;
  }
};

Event::Event(Loop& loop) : x(std::make_shared<Impl>(loop)) {}

Event::~Event() {
  for (const Impl::Waiter& waiter : std::exchange(x->waiters, {})) {
    x->loop.cancel(waiter.timer);
    x->loop.unpark(waiter.parked);
  }
}

void Event::notify() {
  if (x->waiters.empty()) {
    x->pending = true;
    return;
  }
  for (const Impl::Waiter& waiter : std::exchange(x->waiters, {}))
    x->wake(waiter, true);
}

namespace {
Task<> ignoring_answer(Task<bool> wait) {
  co_await std::move(wait);
}
}  // namespace

Task<> Event::wait() {
  return ignoring_answer(Impl::wait(x, std::nullopt));
}
Task<bool> Event::wait_until(Instant deadline) {
  return Impl::wait(x, deadline);
}

}  // namespace mix::runtime
