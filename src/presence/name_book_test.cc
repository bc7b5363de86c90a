// SPDX-License-Identifier: Apache-2.0
#include "src/presence/name_book.h"

#include <boost/test/unit_test.hpp>

#include "src/wire/limits.h"

using namespace mix;
using namespace mix::presence;

namespace {

using Names = std::vector<std::string>;

struct Fixture {
  NameBook book{2s};
  Instant now{1h};

  /// Everybody who may be asked now.
  Names ask() {
    Names out;
    while (auto name = book.next(now))
      out.push_back(*name);
    return out;
  }
  void fails(const Names& names) {
    for (const std::string& name : names)
      book.answered(name, {}, now);
  }
  void resolves(const std::string& name, std::size_t count = 1) {
    book.answered(name, Addresses(count, runtime::Address::ipv4({10, 0, 0, 1}, 1)), now);
  }
  static Names many(const std::string& before, std::size_t count, const std::string& after) {
    Names out;
    for (std::size_t i = 0; i < count; ++i)
      out.push_back(before + std::to_string(i) + after);
    return out;
  }
  static Names and_also(Names names, const std::string& name) {
    names.push_back(name);
    return names;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(name_book, Fixture)

BOOST_AUTO_TEST_CASE(hundreds_of_names_of_one_domain_are_in_the_way_of_no_other) {
  book.list(and_also(many("a", 500, ".evil.example:1"), "z.good.example:1"), now);
  const Names asked = ask();
  BOOST_TEST(asked.size() == wire::kMaxNamesAsked / 2 + 1);
  BOOST_TEST(std::ranges::count(asked, "z.good.example:1") == 1);
  resolves("z.good.example:1");
  BOOST_TEST(ask().empty());
  now += 2s;  // they are overdue, and still the domain's
  BOOST_TEST(ask().empty());
}

BOOST_AUTO_TEST_CASE(names_that_failed_come_after_those_that_did_not) {
  Names listed = many("a.bad", 8, ":1");
  book.list(listed, now);
  const Names first = ask();
  BOOST_TEST(first.size() == 8u);
  fails(first);
  now += 1min;
  listed.push_back("z.good:1");
  book.list(listed, now);
  const Names then = ask();
  BOOST_REQUIRE(!then.empty());
  BOOST_TEST(then.front() == "z.good:1");
  BOOST_TEST(then.size() == 1 + wire::kMaxNamesAsked / 2);
}

BOOST_AUTO_TEST_CASE(a_name_that_fails_waits_twice_as_long_each_time_and_a_minute_at_most) {
  std::vector<Duration> pauses;
  for (int i = 0; i < 9; ++i) {
    book.list({"bad:1"}, now);
    const Instant failed = now;
    while (ask().empty()) {
      now += 500ms;
      book.list({"bad:1"}, now);
    }
    if (i > 0) pauses.push_back(now - failed);
    fails({"bad:1"});
  }
  BOOST_TEST((pauses == std::vector<Duration>{1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}));
}

BOOST_AUTO_TEST_CASE(a_name_that_left_and_came_back_is_no_new_one) {
  book.list({"bad:1"}, now);
  fails(ask());
  now += 1s;
  book.list({"bad:1"}, now);
  fails(ask());
  book.list({}, now);
  now += 1s;
  book.list({"bad:1"}, now);
  BOOST_TEST(ask().empty());
  now += 1s;
  BOOST_TEST(ask().size() == 1u);
  fails({"bad:1"});
  book.list({}, now);
  BOOST_TEST(book.size() == 1u);
  now += wire::kNameMemory + 1s;
  book.list({}, now);
  BOOST_TEST(book.size() == 0u);
}

BOOST_AUTO_TEST_CASE(names_that_left_are_remembered_up_to_a_number) {
  for (int round = 0; round < 3; ++round) {
    const Names names = many(std::to_string(round) + "-", 3000, ":1");
    book.list(names, now);
    for (std::size_t done = 0; done < names.size();) {
      const Names asked = ask();
      done += asked.size();
      fails(asked);
    }
    now += 1s;
  }
  book.list({}, now);
  BOOST_TEST(book.size() == wire::kMaxNamesRemembered);
}

BOOST_AUTO_TEST_CASE(questions_that_take_long_make_room_up_to_a_number) {
  book.list(many("a.slow", 50, ":1"), now);
  BOOST_TEST(ask().size() == wire::kMaxNamesAsked);
  now += 1s;
  BOOST_TEST(ask().empty());
  now += 1s;
  BOOST_TEST(ask().size() == wire::kMaxNamesOverdue);
  now += 1min;
  BOOST_TEST(ask().empty());
  fails({"a.slow0:1"});
  BOOST_TEST(ask().size() == 1u);
}

BOOST_AUTO_TEST_CASE(nobody_waits_for_a_name_that_is_overdue_or_failed_twice) {
  book.list({"here:1", "slow:1", "bad:1"}, now);
  BOOST_TEST(ask().size() == 3u);
  BOOST_TEST(!book.settled(now));
  fails({"bad:1"});
  resolves("here:1");
  BOOST_TEST(!book.settled(now));
  now += 2s;
  BOOST_TEST(book.settled(now));
  book.list({"here:1", "slow:1", "bad:1"}, now);
  BOOST_TEST(!book.settled(now));
  BOOST_TEST(ask().size() == 2u);
  resolves("here:1");
  BOOST_TEST(!book.settled(now));  // once may be chance
  fails({"bad:1"});
  now += 10s;
  book.list({"slow:1", "bad:1"}, now);
  BOOST_TEST(book.settled(now));
}

BOOST_AUTO_TEST_CASE(a_name_has_eight_addresses_at_most) {
  book.list({"many:1"}, now);
  ask();
  resolves("many:1", 100);
  BOOST_TEST(book.addresses_of("many:1").size() == wire::kMaxAddressesPerName);
  BOOST_TEST(book.complete());
  BOOST_TEST(book.addresses_of("other:1").empty());
}

BOOST_AUTO_TEST_CASE(more_names_than_a_topology_may_have_are_not_asked_for) {
  book.list(many("a", wire::kMaxNamesListed + 1, ".one.example:1"), now);
  BOOST_TEST(book.size() == wire::kMaxNamesListed);
}

BOOST_AUTO_TEST_CASE(those_not_asked_for_longest_go_first) {
  const Names names = many("a", 6, ".one.example:1");
  book.list(names, now);
  Names all;
  for (int i = 0; i < 2; ++i) {
    const Names asked = ask();
    all.insert(all.end(), asked.begin(), asked.end());
    for (const std::string& name : asked)
      resolves(name);
    now += 1s;
  }
  BOOST_TEST(all == names, boost::test_tools::per_element());
  book.list(names, now);
  BOOST_TEST(ask() == (Names{"a0.one.example:1", "a1.one.example:1", "a2.one.example:1",
                             "a3.one.example:1"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(whoever_owns_the_last_two_labels_owns_the_name) {
  BOOST_TEST(domain_of("a.b.Example.ORG") == "example.org");
  BOOST_TEST(domain_of("example.org.") == "example.org");
  BOOST_TEST(domain_of("org") == "org");
  BOOST_TEST(domain_of(".") == "");
  BOOST_TEST(domain_of("..") == "");
}

BOOST_AUTO_TEST_SUITE_END()
