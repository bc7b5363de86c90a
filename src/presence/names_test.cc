// SPDX-License-Identifier: Apache-2.0
// With a resolver of the test's own, which answers when the case says so.
#include "src/presence/names.h"

#include <boost/test/unit_test.hpp>

#include "src/runtime/event.h"
#include "src/runtime/run_task.h"
#include "src/wire/limits.h"

using namespace mix;
using namespace mix::presence;
using runtime::Task;

namespace {

struct Fixture {
  runtime::Loop loop;
  runtime::Event changed{loop};
  std::vector<std::string> asked;
  std::map<std::string, std::uint8_t> answers;  // last octet of the address; 0 for "no such name"

  Task<Names::Answer> resolve(std::string host, std::uint16_t port) {
    asked.push_back(host);
    while (!answers.contains(host))
      co_await changed.wait();
    changed.notify();  // for whoever waits for the same
    if (answers[host] == 0) co_return std::unexpected("no such name");
    co_return Addresses{runtime::Address::ipv4({10, 0, 0, answers[host]}, port)};
  }
  Names make(Duration patience) {
    return {loop,
            [this](runtime::Loop&, std::string host, std::uint16_t port) {
              return resolve(std::move(host), port);
            },
            patience};
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(names, Fixture)

BOOST_AUTO_TEST_CASE(numbers_and_names_are_found_and_what_is_no_host_has_no_address) {
  answers = {{"here", 1}, {"nowhere", 0}};
  Names names = make(1h);
  const std::vector<std::string> first{"1.2.3.4:5", "here:6", "here:7", "nowhere:8", "no port"};
  const std::vector<std::string> second{"1.2.3.4:5", "here:6"};
  const auto task = [&]() -> Task<> {
    auto found = co_await names.find(first);
    BOOST_TEST(found.addresses.at("1.2.3.4:5").at(0).to_text() == "1.2.3.4:5");
    BOOST_TEST(found.addresses.at("here:6").at(0).to_text() == "10.0.0.1:6");
    BOOST_TEST(found.addresses.at("here:7").at(0).to_text() == "10.0.0.1:7");
    BOOST_TEST(found.addresses.at("nowhere:8").empty());
    BOOST_TEST(found.addresses.at("no port").empty());
    BOOST_TEST(!found.complete);
    found = co_await names.find(second);
    BOOST_TEST(found.complete);
  };
  run_task(loop, task());
}

BOOST_AUTO_TEST_CASE(a_name_that_is_never_answered_keeps_nobody_from_the_rest) {
  answers = {{"here", 1}};
  Names names = make(1ms);
  const std::vector<std::string> first{"slow:1", "here:2", "1.2.3.4:5"}, second{"slow:1", "here:2"};
  const auto task = [&]() -> Task<> {
    auto found = co_await names.find(first);
    BOOST_TEST(found.addresses.at("slow:1").empty());
    BOOST_TEST(found.addresses.at("here:2").size() == 1u);
    BOOST_TEST(found.addresses.at("1.2.3.4:5").size() == 1u);
    BOOST_TEST(!found.complete);
    // It is not asked a second time while the first question stands, and its answer counts later.
    found = co_await names.find(second);
    BOOST_TEST(std::ranges::count(asked, "slow") == 1);
    answers["slow"] = 9;
    changed.notify();
    do {
      co_await loop.yield();
      found = co_await names.find(second);
    } while (!found.complete);
    BOOST_TEST(found.addresses.at("slow:1").at(0).to_text() == "10.0.0.9:1");
  };
  run_task(loop, task());
}

BOOST_AUTO_TEST_CASE(a_name_that_became_slow_keeps_the_addresses_of_its_last_answer) {
  answers = {{"here", 1}};
  Names names = make(1ms);
  const std::vector<std::string> hosts{"here:2"};
  const auto task = [&]() -> Task<> {
    co_await names.find(hosts);
    answers.clear();
    const auto found = co_await names.find(hosts);
    BOOST_TEST(found.addresses.at("here:2").at(0).to_text() == "10.0.0.1:2");
    BOOST_TEST(!found.complete);
  };
  run_task(loop, task());
}

BOOST_AUTO_TEST_CASE(questions_at_once_are_bounded_and_everybody_has_a_turn) {
  Names names = make(1ms);
  std::vector<std::string> hosts;
  for (int i = 0; i < 50; ++i)
    hosts.push_back("slow-" + std::to_string(i) + ":1");
  const auto task = [&]() -> Task<> {
    co_await names.find(hosts);
    BOOST_TEST(asked.size() == wire::kMaxNamesAsked);
    co_await names.find(hosts);
    co_await names.find(hosts);
    BOOST_TEST(asked.size() == wire::kMaxNamesAsked + wire::kMaxNamesOverdue);
    for (int i = 0; i < 50; ++i)
      answers["slow-" + std::to_string(i)] = 7;
    changed.notify();
    Names::Found found;
    do {
      co_await loop.yield();
      found = co_await names.find(hosts);
    } while (!found.complete);
    BOOST_TEST(asked.size() >= 50u);
  };
  run_task(loop, task());
}

BOOST_AUTO_TEST_SUITE_END()
