// SPDX-License-Identifier: Apache-2.0
#include "src/runtime/body_budget.h"

#include <array>
#include <boost/test/unit_test.hpp>
#include <string>

using namespace mix;
using namespace mix::runtime;

namespace {

constexpr std::size_t kAll = 64 * 1024, kStep = 16;

BodyBudget::Source source(unsigned number) {
  return BodyBudget::source_of(sphinx::NodeAddress::ipv4(
      {10, 0, static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)}, 1));
}
BodyBudget::Source source(const char* text) {
  return BodyBudget::source_of(sphinx::NodeAddress::from_text(text).value());
}
std::size_t takes_all_it_can(BodyBudget& budget, const BodyBudget::Source& who) {
  std::size_t taken = 0;
  while (budget.take(who, kStep))
    taken += kStep;
  return taken;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(body_budget)

BOOST_AUTO_TEST_CASE(one_source_alone_gets_a_fifth) {
  BodyBudget budget(kAll);
  const std::size_t taken = takes_all_it_can(budget, source(1));
  BOOST_TEST(taken <= kAll / 5);
  BOOST_TEST(taken > kAll / 6);
  BOOST_TEST(!budget.take(source(1), kStep));
}

BOOST_AUTO_TEST_CASE(there_is_something_left_for_one_more_beside_many_that_take_what_they_can) {
  BodyBudget budget(kAll);
  std::array<std::size_t, 60> held{};
  const auto round = [&] {
    for (unsigned number = 0; number < held.size(); ++number) {
      budget.give_back(source(number), held[number]);
      held[number] = takes_all_it_can(budget, source(number));
    }
  };
  round();
  const std::size_t first = held[0];
  round();
  BOOST_TEST(held[0] < first / 2);  // whoever came first gives way
  for (int n = 0; n < 40; ++n)
    round();
  BOOST_TEST(budget.take(source(999), kAll / 64 - 4 * kStep));
}

BOOST_AUTO_TEST_CASE(what_was_given_back_is_there_again) {
  BodyBudget budget(kAll);
  const std::size_t first = takes_all_it_can(budget, source(1));
  budget.give_back(source(1), kStep);
  BOOST_TEST(budget.take(source(1), kStep));
  budget.give_back(source(1), first);
  budget.give_back(source(1), 0);
  BOOST_TEST(budget.free() == kAll);
  BOOST_TEST(takes_all_it_can(budget, source(1)) == first);
}

BOOST_AUTO_TEST_CASE(more_than_there_is_and_nothing_at_all) {
  BodyBudget budget(kAll);
  BOOST_TEST(!budget.take(source(1), kAll + 1));
  BOOST_TEST(!budget.take(source(1), SIZE_MAX));
  BOOST_TEST(budget.free() == kAll);
  BodyBudget none(0);
  BOOST_TEST(!none.take(source(1), 1));
}

BOOST_AUTO_TEST_CASE(ports_are_one_source_and_so_is_an_ipv6_network) {
  BOOST_TEST((source("10.0.0.1:1") == source("10.0.0.1:2")));
  BOOST_TEST((source("10.0.0.1:1") != source("10.0.0.2:1")));
  BOOST_TEST((source("[2001:db8:0:1::1]:1") == source("[2001:db8:0:1:ffff::2]:7")));
  BOOST_TEST((source("[2001:db8:0:1::1]:1") != source("[2001:db8:0:2::1]:1")));
}

BOOST_AUTO_TEST_SUITE_END()
