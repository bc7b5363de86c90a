// SPDX-License-Identifier: Apache-2.0
#include "src/peers/places.h"

#include <rapidcheck/boost_test.h>
#include <boost/test/unit_test.hpp>
#include <map>
#include <string>

namespace mix::peers {
namespace {

constexpr Claim kProven{.proven = true};
constexpr Claim kStranger{};

struct Fixture {
  Places places{{.all = 4, .unproven = 2}};
  std::map<std::string, PlacePtr> held;
  std::map<std::string, bool> idle;
  std::string lost;

  bool take(const std::string& name, const Claim& claim) { return keep(name, places.take(claim)); }
  bool take_from_stalled(const std::string& name, const Claim& claim, std::uint64_t moment) {
    return keep(name, places.take_from_stalled(claim, moment));
  }
  bool keep(const std::string& name, PlacePtr place) {
    if (!place) return false;
    place->lose = [this, name] {
      lost += name;
      held.erase(name);
    };
    place->idle = [this, name] { return idle[name]; };
    held[name] = std::move(place);
    return true;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(outgoing_places, Fixture)

BOOST_AUTO_TEST_CASE(there_are_so_many_and_a_few_for_peers_that_never_took_a_packet) {
  BOOST_TEST(take("a", kStranger));
  BOOST_TEST(take("b", kStranger));
  BOOST_TEST(!take("c", kStranger));
  BOOST_TEST(take("d", kProven));
  BOOST_TEST(take("e", kProven));
  BOOST_TEST(!take("f", kProven));
  held.erase("a");
  BOOST_TEST(take("f", kProven));
  BOOST_TEST(!take("c", kStranger));
  BOOST_TEST(lost == "");
}

BOOST_AUTO_TEST_CASE(one_that_carried_a_packet_leaves_its_place_to_another_stranger) {
  int freed = 0;
  places.on_free = [&] { ++freed; };
  take("a", kStranger);
  take("b", kStranger);
  held["a"]->prove();
  held["a"]->prove();
  BOOST_TEST(freed == 1);
  BOOST_TEST(take("c", kStranger));
  BOOST_TEST(places.taken() == 3u);
  BOOST_TEST(places.unproven() == 2u);
}

BOOST_AUTO_TEST_CASE(the_idle_one_that_is_silent_longest_makes_room) {
  for (const char* name : {"a", "b", "c", "d"})
    take(name, kProven);
  idle = {{"a", true}, {"b", true}, {"c", true}};
  held["a"]->progress();
  BOOST_TEST(take("e", kProven));
  BOOST_TEST(take("f", kStranger));
  BOOST_TEST(lost == "bc");
  idle["a"] = false;
  BOOST_TEST(!take("g", kProven));
  BOOST_TEST(places.lost() == 2u);
}

BOOST_AUTO_TEST_CASE(whoever_let_more_attempts_hang_makes_room_at_once) {
  take("a", {.hung = 3});
  take("b", {.hung = 5});
  BOOST_TEST(!take("c", {.hung = 5}));
  BOOST_TEST(take("d", {.hung = 4}));
  BOOST_TEST(take("e", kStranger));
  BOOST_TEST(lost == "bd");
  BOOST_TEST(take("f", kStranger));
  BOOST_TEST(!take("g", kStranger));
}

BOOST_AUTO_TEST_CASE(who_has_waited_takes_the_place_of_the_first_that_did_not_move) {
  take("a", kStranger);
  take("b", kStranger);
  const std::uint64_t since = places.moment();
  held["a"]->progress();
  BOOST_TEST(take_from_stalled("c", kStranger, since));
  BOOST_TEST(lost == "b");
  BOOST_TEST(!take_from_stalled("d", kStranger, since));  // the others are newer
  BOOST_TEST(!take_from_stalled("d", {.hung = 1}, places.moment()));
  BOOST_TEST(take_from_stalled("d", kStranger, places.moment()));
  BOOST_TEST(lost == "ba");
}

BOOST_AUTO_TEST_CASE(a_stranger_never_takes_the_place_of_a_peer_that_took_packets) {
  for (const char* name : {"a", "b", "c", "d"})
    take(name, kProven);
  BOOST_TEST(!take_from_stalled("e", kStranger, places.moment()));
  BOOST_TEST(take_from_stalled("f", kProven, places.moment()));
  BOOST_TEST(lost == "a");
}

BOOST_AUTO_TEST_CASE(a_place_that_becomes_free_is_told_of_and_one_that_was_lost_is_not) {
  int freed = 0;
  places.on_free = [&] { ++freed; };
  take("a", {.hung = 1});
  take("b", kProven);
  held.erase("b");
  BOOST_TEST(freed == 1);
  take("b", {.hung = 1});
  take("c", kStranger);
  BOOST_TEST(lost == "a");
  BOOST_TEST(freed == 1);
}

RC_BOOST_PROP(the_bounds_hold_whatever_happens, ()) {
  Fixture f;
  const auto steps = *rc::gen::container<std::vector<std::tuple<std::uint8_t, std::uint8_t>>>(
      rc::gen::arbitrary<std::tuple<std::uint8_t, std::uint8_t>>());
  for (const auto& [what, who] : steps) {
    const std::string name(1, static_cast<char>('a' + who % 8));
    const auto mine = f.held.find(name);
    const Claim claim{.proven = what % 2 == 0, .hung = what % 2 == 0 ? 0 : who % 3u};
    f.idle[name] = who % 5 == 0;
    if (mine == f.held.end() && what < 100)
      f.take(name, claim);
    else if (mine == f.held.end())
      f.take_from_stalled(name, claim, f.places.moment());
    else if (what < 80)
      f.held.erase(mine);
    else if (what < 160)
      mine->second->prove();
    else
      mine->second->progress();
    RC_ASSERT(f.places.taken() <= 4u);
    RC_ASSERT(f.places.unproven() <= 2u);
    RC_ASSERT(f.places.taken() == f.held.size());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mix::peers
