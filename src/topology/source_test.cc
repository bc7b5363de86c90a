// SPDX-License-Identifier: Apache-2.0
// Where a presence comes from, how much one source may have, and who had what before.
#include "src/topology/source.h"

#include <boost/test/unit_test.hpp>

#include "src/topology/past_owners.h"
#include "src/topology/shares.h"

using namespace mix;
using namespace mix::topology;

BOOST_AUTO_TEST_SUITE(sources)

BOOST_AUTO_TEST_CASE(a_source_has_one_spelling) {
  for (const char* here : {"127.0.0.1", "127.8.9.10", "::1", "0::1", "::ffff:127.0.0.1"})
    BOOST_TEST(source_of(here) == kThisMachine, here);
  BOOST_TEST(source_of("192.0.2.1") == "192.0.2.1");
  BOOST_TEST(source_of("::ffff:192.0.2.1") == "192.0.2.1");
  BOOST_TEST(source_of("2001:0db8:0::1") == "2001:db8::1");
}

BOOST_AUTO_TEST_CASE(a_number_is_some_sources_home_and_a_name_nobodys) {
  BOOST_TEST(home_of("192.0.2.1:1789") == source_of("192.0.2.1"));
  BOOST_TEST(home_of("[::ffff:192.0.2.1]:1789") == source_of("192.0.2.1"));
  BOOST_TEST(home_of("[2001:db8::1]:1789") == source_of("2001:db8::1"));
  BOOST_TEST(home_of("2001:db8::1:1789") == source_of("2001:db8::1"));
  for (const char* here : {"localhost:1", "LOCALHOST:1", "127.0.0.1:1", "[::1]:1", "::1:1"})
    BOOST_TEST(home_of(here) == kThisMachine, here);
  for (const char* name : {"mix.example:1", "localhost.example:1", "1.2.3:1", "01.2.3.4:1", ""})
    BOOST_TEST(home_of(name) == "", name);
}

BOOST_AUTO_TEST_CASE(an_address_has_one_spelling) {
  BOOST_TEST(one_spelling("192.0.2.1:1") == "192.0.2.1:1");
  for (const char* same : {"[2001:db8::1]:1", "2001:DB8::1:1", "[2001:db8:0:0::1]:1"})
    BOOST_TEST(one_spelling(same) == "[2001:db8::1]:1", same);
  BOOST_TEST(one_spelling("Mix.Example:1") == "mix.example:1");
  BOOST_TEST(one_spelling("localhost:1") != one_spelling("127.0.0.1:1"));  // two to a resolver
}

BOOST_AUTO_TEST_CASE(one_source_has_its_share_and_this_machine_the_whole) {
  Shares shares(8, 4);
  BOOST_TEST(shares.room_for("192.0.2.1", 2));
  BOOST_TEST(!shares.room_for("192.0.2.1", 3));
  shares.add("192.0.2.1", 2);
  BOOST_TEST(!shares.room_for("192.0.2.1", 1));
  BOOST_TEST(shares.room_for("192.0.2.2", 2));
  BOOST_TEST(shares.room_for(kThisMachine, 6));
  BOOST_TEST(!shares.room_for(kThisMachine, 7));
  shares.remove("192.0.2.1", 1);
  BOOST_TEST(shares.room_for("192.0.2.1", 1));
  shares.add("2001:db8::1", 2);
  BOOST_TEST(!shares.room_for("2001:db8::ffff:1", 1));  // the same network of 2^64
  BOOST_TEST(shares.room_for("2001:db8:0:1::1", 1));
  BOOST_TEST(shares.total() == 3u);
  shares.clear();
  BOOST_TEST(shares.room_for(kThisMachine, 8));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(past_owners)

namespace {

Instant at(Duration d) {
  return Instant() + 100s + d;
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_owner_is_remembered_for_an_hour_after_he_was_heard) {
  PastOwners past({.things = 8, .sources = 1, .memory = 1h});
  past.remember("key", "1.1.1.1", at(0s), at(10s));
  BOOST_TEST(past.is_owner("1.1.1.1", "key", at(1h - 1ns)));
  BOOST_TEST(!past.is_owner("1.1.1.1", "key", at(1h)));
  BOOST_TEST(!past.is_owner("2.2.2.2", "key", at(10s)));
  BOOST_TEST(!past.is_owner("1.1.1.1", "other", at(10s)));
}

BOOST_AUTO_TEST_CASE(who_came_between_does_not_take_his_place) {
  PastOwners past({.things = 8, .sources = 1, .memory = 1h});
  past.remember("key", "1.1.1.1", at(0s), at(10s));
  past.remember("key", "2.2.2.2", at(20s), at(30s));
  BOOST_TEST(past.is_owner("1.1.1.1", "key", at(30s)));
  past.forget("key", "2.2.2.2");
  BOOST_TEST(past.is_owner("1.1.1.1", "key", at(30s)));
  past.remember("key", "1.1.1.1", at(40s), at(50s));  // he was back
  BOOST_TEST(past.is_owner("1.1.1.1", "key", at(1h + 30s)));
  past.remember("key", "2.2.2.2", at(1h + 40s), at(1h + 50s));
  BOOST_TEST(past.is_owner("2.2.2.2", "key", at(1h + 50s)));
  past.forget("key", "2.2.2.2");
  BOOST_TEST(past.size() == 0u);
}

BOOST_AUTO_TEST_CASE(so_many_are_remembered_and_the_one_silent_longest_goes) {
  PastOwners past({.things = 4, .sources = 1, .memory = 1h});
  for (int n = 0; n < 5; ++n)
    past.remember("thing " + std::to_string(n), "loopback", at(10s - n * 1s), at(10s));
  BOOST_TEST(past.size() == 4u);
  BOOST_TEST(past.is_owner("loopback", "thing 0", at(10s)));
  BOOST_TEST(!past.is_owner("loopback", "thing 3", at(10s)));
  BOOST_TEST(past.is_owner("loopback", "thing 4", at(10s)));
}

BOOST_AUTO_TEST_CASE(one_source_makes_nobody_be_forgotten) {
  PastOwners past({.things = 8, .sources = 4, .memory = 1h});
  past.remember("key", "1.1.1.1", at(0s), at(10s));
  for (int n = 0; n < 20; ++n)
    past.remember("thing " + std::to_string(n), "2.2.2.2", at(10s), at(20s));
  BOOST_TEST(past.size() == 3u);
  BOOST_TEST(past.is_owner("1.1.1.1", "key", at(20s)));
}

BOOST_AUTO_TEST_SUITE_END()
