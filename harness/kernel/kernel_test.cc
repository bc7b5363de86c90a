// SPDX-License-Identifier: Apache-2.0
#include <rapidcheck.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include <boost/test/unit_test.hpp>
#include <set>
#include <string>

#include "harness/kernel/kernel_test.h"
#include "harness/kernel/paths.h"

using namespace lab::kernel;

BOOST_AUTO_TEST_SUITE(kernel)

BOOST_AUTO_TEST_CASE(every_number_has_one_rule_and_a_reason) {
  std::set<int> numbers;
  for (const lab::CallRule& rule : lab::kCallRules) {
    BOOST_TEST(numbers.insert(rule.number).second);
    BOOST_TEST(length(rule.reason) > 10u);
    BOOST_TEST(lab::rule_of(rule.number) == &rule);
  }
  for (int number = 0; number < 335; ++number)
    BOOST_TEST(numbers.contains(number));
  BOOST_TEST(lab::rule_of(4000) == nullptr);
}

BOOST_AUTO_TEST_CASE(every_simulated_call_belongs_to_a_family) {
  // Arguments are nonsense, so each runs in a child: one that falls over them was taken, too.
  for (const lab::CallRule& rule : lab::kCallRules) {
    if (rule.policy != lab::Policy::simulate) continue;
    const pid_t child = ::fork();
    if (child == 0) {
      ::signal(SIGSEGV, SIG_DFL);
      Box box(1, 1);
      begin_call(box.k, box.thread(), rule.number, std::array<long, 6>{}.data());
      const lab_stop& stop = box.k.control->stop;
      ::_exit(stop.kind == LAB_STOP_INTERNAL ? 42 : 0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    BOOST_TEST((WIFSIGNALED(status) || WEXITSTATUS(status) != 42), rule.name);
  }
}

BOOST_AUTO_TEST_CASE(drifting_clocks_invert_exactly) {
  const bool held = rc::check("lab -> local -> lab", [] {
    Box box(1, 1);
    box.k.control->clock_drift_ppm = *rc::gen::inRange<i64>(-500, 501);
    const i64 lab = *rc::gen::inRange<i64>(0, 4'000'000'000'000'000);
    const i64 local = local_from_lab(box.k, lab);
    RC_ASSERT(local_from_lab(box.k, lab + 1) >= local);
    const i64 back = lab_from_local(box.k, local);
    RC_ASSERT(local_from_lab(box.k, back) >= local);
    RC_ASSERT(back == 0 || local_from_lab(box.k, back - 1) < local);
    RC_ASSERT(back <= lab);
  });
  BOOST_TEST(held);
}

BOOST_AUTO_TEST_CASE(descriptors_take_the_lowest_free_number) {
  const bool held = rc::check("against a set", [] {
    Box box(1, 1);
    std::set<long> open = {0, 1, 2};
    const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(-40, 20));
    for (int step : steps) {
      if (step < 0) {
        long lowest = 0;
        while (open.contains(lowest))
          ++lowest;
        RC_ASSERT(box.call(nr::k_eventfd2, 0, 0) == lowest);
        open.insert(lowest);
      } else {
        const long expected = open.erase(step) != 0 ? 0 : -lx::kEbadf;
        RC_ASSERT(box.call(nr::k_close, step) == expected);
      }
    }
  });
  BOOST_TEST(held);
}

BOOST_AUTO_TEST_CASE(paths_stay_inside_the_folder) {
  const bool held = rc::check("any mixture of components", [] {
    Box box(1, 1);
    const auto parts = *rc::gen::container<std::vector<std::string>>(
        rc::gen::element<std::string>("..", ".", "a", "b", "node", "", "etc"));
    std::string path = *rc::gen::element<std::string>("", "/", "/node/");
    for (const std::string& part : parts)
      path += part + "/";
    if (path.empty()) return;
    Path out;
    RC_ASSERT(resolve_path(box.k, lx::kAtFdcwd, path.c_str(), &out) == 0);
    RC_ASSERT(std::string(out.text).find("..") == std::string::npos);
    if (out.place == Place::folder) RC_ASSERT(out.text[0] != '/');
    if (out.place == Place::outside) {
      RC_ASSERT(std::string(out.text + 1).rfind("node/", 0) != 0);
      RC_ASSERT(std::string(out.text) != "/node");
    }
  });
  BOOST_TEST(held);
}

BOOST_AUTO_TEST_CASE(the_entropy_stream_is_chacha20) {
  // RFC 8439, 2.3.2's key, block counter 0 and a zero nonce, computed with another implementation.
  Box box(1, 1);
  u8 first[64], again[64], second[64];
  fill_random(box.k, first, 64);
  fill_random(box.k, second, 64);
  BOOST_TEST(!same(first, second, 64));
  // All-zero key, block 0: RFC 8439 appendix A.1, test vector 1.
  const u8 known[16] = {0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90,
                        0x40, 0x5d, 0x6a, 0xe5, 0x53, 0x86, 0xbd, 0x28};
  BOOST_TEST(same(first, known, 16));
  Box other(2, 2);
  fill_random(other.k, again, 64);
  BOOST_TEST(same(first, again, 64));
  other.k.control->entropy_key[31] = 1;
  fill_random(other.k, again, 64);
  BOOST_TEST(!same(second, again, 64));
  BOOST_TEST(box.k.control->entropy_drawn == 128u);
}

BOOST_AUTO_TEST_CASE(futex_waiters_wake_in_the_order_they_came) {
  Box box(1, 1);
  u32 word = 5;
  for (int i = 0; i < 3; ++i)
    add_thread(box.k);
  const long wait[6] = {reinterpret_cast<long>(&word), 0, 5, 0, 0, 0};
  for (u32 i : {2u, 1u, 3u}) {
    BOOST_TEST(begin_call(box.k, box.k.p->thread[i], nr::k_futex, wait) == kBlocked);
    box.k.p->thread[i].run = Run::blocked;
  }
  BOOST_TEST(box.call(nr::k_futex, &word, 1, 1) == 1);
  BOOST_TEST(ready(box.k, box.k.p->thread[2]));
  BOOST_TEST(!ready(box.k, box.k.p->thread[1]));
  BOOST_TEST(box.call(nr::k_futex, &word, 1, 10) == 2);
  BOOST_TEST(retry_call(box.k, box.k.p->thread[3]) == 0);
  word = 6;
  BOOST_TEST(begin_call(box.k, box.thread(), nr::k_futex, wait) == -lx::kEagain);
}

BOOST_AUTO_TEST_CASE(timers_count_what_passed_while_nobody_looked) {
  Box box(1, 1);
  const long fd = box.call(nr::k_timerfd_create, 1, lx::kNonblock);
  const lx::Itimerspec every{{0, 1000}, {0, 5000}};
  BOOST_TEST(box.call(nr::k_timerfd_settime, fd, 0, &every, 0) == 0);
  BOOST_TEST(next_deadline(box.k) == 5000);
  box.advance(5000);
  u64 n = 0;
  BOOST_TEST(box.call(nr::k_read, fd, &n, 8) == 8);
  BOOST_TEST(n == 1u);
  box.advance(3500);
  BOOST_TEST(box.call(nr::k_read, fd, &n, 8) == 8);
  BOOST_TEST(n == 3u);
  BOOST_TEST(next_deadline(box.k) == 9000);
  BOOST_TEST(box.call(nr::k_close, fd) == 0);
  BOOST_TEST(next_deadline(box.k) == LAB_NEVER);
}

BOOST_AUTO_TEST_SUITE_END()
