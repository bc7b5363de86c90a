// SPDX-License-Identifier: Apache-2.0
#include "src/runtime/loop.h"

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "src/runtime/alarm.h"
#include "src/runtime/event.h"

using namespace mix;
using namespace mix::runtime;

namespace {

/// Says when its frame goes.
struct Witness {
  std::vector<std::string>& log;
  std::string name;
  Witness(std::vector<std::string>& to, std::string as) : log(to), name(std::move(as)) {}
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;
  ~Witness() { log.push_back(name); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(loop)

BOOST_AUTO_TEST_CASE(timers_run_by_deadline_then_by_order_of_setting) {
  Loop loop;
  std::string order;
  const Instant soon = loop.now() + 1ms;
  loop.call_at(soon + 1ms, [&] { order += 'd'; });
  loop.call_at(soon, [&] { order += 'a'; });
  loop.call_at(soon, [&] { order += 'b'; });
  const TimerId cancelled = loop.call_at(soon, [&] { order += 'x'; });
  loop.call_at(soon, [&] { order += 'c'; });
  loop.call_at(soon + 2ms, [&] { loop.stop(); });
  loop.cancel(cancelled);
  loop.cancel(cancelled);
  loop.run();
  BOOST_TEST(order == "abcd");
}

BOOST_AUTO_TEST_CASE(a_timer_is_never_early_and_may_set_an_earlier_one) {
  Loop loop;
  Instant rang{};
  const Instant late = loop.now() + 1h;
  loop.call_at(late, [&] { BOOST_TEST(false, "an hour has not passed"); });
  const Instant soon = loop.now() + 3ms;
  loop.call_at(soon, [&] {
    rang = loop.now();
    loop.stop();
  });
  loop.run();
  BOOST_TEST((rang >= soon));
}

BOOST_AUTO_TEST_CASE(an_alarm_rings_once_per_arming_and_not_when_disarmed) {
  Loop loop;
  int rung = 0;
  Alarm quiet(loop, [&] { BOOST_TEST(false, "was disarmed"); });
  quiet.arm(loop.now());
  quiet.disarm();
  std::unique_ptr<Alarm> alarm;
  alarm = std::make_unique<Alarm>(loop, [&] {
    BOOST_TEST(!alarm->deadline().has_value());
    if (++rung < 3)
      alarm->arm(loop.now() + 100us);
    else
      loop.call_at(loop.now() + 2ms, [&] { loop.stop(); });
  });
  alarm->arm(Instant());  // long past: rings, but later
  BOOST_TEST(rung == 0);
  loop.run();
  BOOST_TEST(rung == 3);
}

BOOST_AUTO_TEST_CASE(an_alarm_set_to_later_between_expiry_and_turn_does_not_ring_early) {
  Loop loop;
  Instant deadline = loop.now() + 1ms, rang{};
  Alarm alarm(loop, [&] {
    rang = loop.now();
    loop.stop();
  });
  alarm.arm(deadline);
  // Both timerfds expire in one turn; the chore runs first or second, and moves the alarm.
  loop.call_at(deadline, [&] {
    deadline += 3ms;
    alarm.arm(deadline);
  });
  loop.run();
  BOOST_TEST((rang >= deadline - 3ms));
  BOOST_TEST((rang >= deadline || !alarm.deadline()));
}

BOOST_AUTO_TEST_CASE(an_event_remembers_one_notification_and_wakes_in_order) {
  Loop loop;
  Event event(loop);
  std::string order;
  const auto waiter = [&](char name) -> Task<> {
    co_await event.wait();
    order += name;
  };
  event.notify();
  event.notify();
  loop.spawn(waiter('a'));  // takes the notification that was left
  loop.spawn(waiter('b'));
  loop.spawn(waiter('c'));
  loop.post([&] {
    order += '-';
    event.notify();
    order += '|';  // nobody runs inside notify
  });
  loop.call_at(loop.now() + 1ms, [&] { loop.stop(); });
  loop.run();
  BOOST_TEST(order == "a-|bc");
}

BOOST_AUTO_TEST_CASE(waiting_for_an_event_ends_at_the_deadline) {
  Loop loop;
  Event event(loop);
  std::vector<bool> answers;
  const auto task = [&]() -> Task<> {
    answers.push_back(co_await event.wait_until(loop.now() + 1ms));
    loop.call_at(loop.now(), [&] { event.notify(); });
    answers.push_back(co_await event.wait_until(loop.now() + 1h));
    loop.stop();
  };
  loop.spawn(task());
  loop.run();
  BOOST_TEST(answers == (std::vector<bool>{false, true}));
}

BOOST_AUTO_TEST_CASE(when_run_returns_every_task_is_gone) {
  std::vector<std::string> gone;
  Loop loop;
  Event event(loop);
  const auto sleeper = [&]() -> Task<> {
    const Witness witness(gone, "sleeper");
    co_await loop.sleep_for(1h);
  };
  const auto waiter = [&]() -> Task<> {
    const Witness witness(gone, "waiter");
    co_await event.wait();
  };
  const auto yielder = [&]() -> Task<> {
    const Witness witness(gone, "yielder");
    for (;;)
      co_await loop.yield();
  };
  loop.spawn(sleeper());
  loop.spawn(waiter());
  loop.spawn(yielder());
  loop.call_at(loop.now() + 1ms, [&] { loop.stop(); });
  loop.run();
  BOOST_TEST(gone.size() == 3u);
}

BOOST_AUTO_TEST_CASE(a_loop_that_never_ran_destroys_its_tasks_too) {
  std::vector<std::string> gone;
  {
    Loop loop;
    loop.call_at(loop.now() + 1h,
                 [witness = std::make_unique<Witness>(gone, "timer")] { BOOST_TEST(!witness); });
    loop.post([witness = std::make_unique<Witness>(gone, "job")] { BOOST_TEST(!witness); });
  }
  BOOST_TEST(gone == (std::vector<std::string>{"timer", "job"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(other_threads_post_jobs_in_their_order) {
  Loop loop;
  std::string order;
  std::thread other([&] {
    for (char c = 'a'; c <= 'e'; ++c)
      loop.post([&order, c] { order += c; });
    loop.post([&] { loop.stop(); });
  });
  loop.run();
  other.join();
  BOOST_TEST(order == "abcde");
}

BOOST_AUTO_TEST_CASE(a_signal_stops_the_loop_and_is_named) {
  Loop loop;
  loop.post([] { std::raise(SIGTERM); });
  BOOST_TEST(loop.run() == SIGTERM);
}

BOOST_AUTO_TEST_CASE(a_signal_may_be_handled_before_the_end) {
  Loop loop;
  int seen = 0;
  loop.on_signal([&](int number) {
    seen = number;
    loop.call_at(loop.now() + 1ms, [&] { loop.stop(); });
  });
  loop.post([] { std::raise(SIGINT); });
  BOOST_TEST(loop.run() == SIGINT);
  BOOST_TEST(seen == SIGINT);
}

BOOST_AUTO_TEST_SUITE_END()
