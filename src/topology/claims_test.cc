// SPDX-License-Identifier: Apache-2.0
// Who may have a key or an address: what a stranger cannot take, and what an owner takes back.
#include <boost/test/unit_test.hpp>

#include "src/topology/roster.h"
#include "src/topology/sample_infos.h"

using namespace mix;
using namespace mix::topology;

namespace {

constexpr const char* kOwner = "192.0.2.1";
constexpr const char* kStranger = "198.51.100.7";

struct Claims {
  Roster roster;

  /// The mix `key` at `host` from `source`, that much later.
  std::expected<Accepted, Refusal> say(unsigned key, std::string host, const char* source,
                                       Duration when = 0s, unsigned layer = 1) {
    MixInfo mix = sample_mix(key, layer);
    mix.host = std::move(host);
    return roster.announce(mix, source, Instant() + 100s + when, WallTime() + when);
  }
  /// Where this key is, or nothing.
  std::string host_of(unsigned key) const {
    const MixInfo* mix = roster.find_mix(sample_key(key));
    return mix ? mix->host : std::string();
  }
  static bool is_conflict(const std::expected<Accepted, Refusal>& answer) {
    return !answer && answer.error().kind == Refusal::Kind::conflict;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(claims, Claims)

BOOST_AUTO_TEST_CASE(who_speaks_from_an_address_takes_it_back_at_once) {
  BOOST_TEST(say(2, "192.0.2.1:1789", kStranger).has_value());
  const auto back = say(1, "192.0.2.1:1789", kOwner, 1s);
  BOOST_REQUIRE(back.has_value());
  BOOST_TEST((back->taken == std::vector{sample_key(2)}));
  BOOST_TEST(host_of(2) == "");
  BOOST_TEST(is_conflict(say(2, "192.0.2.1:1789", kStranger, 2s)));
  BOOST_TEST(host_of(1) == "192.0.2.1:1789");
}

BOOST_AUTO_TEST_CASE(who_speaks_from_it_has_also_what_he_is_said_to_be_there) {
  // A stranger announced the owner himself, to be the one who may change him.
  BOOST_TEST(say(1, "192.0.2.1:1789", kStranger).has_value());
  BOOST_TEST(say(1, "192.0.2.1:1789", kOwner, 1s, 2).has_value());
  BOOST_TEST(is_conflict(say(1, "192.0.2.1:1789", kStranger, 2s, 3)));
  BOOST_TEST(roster.find_mix(sample_key(1))->layer == 2u);
  // A presence that changes nothing makes him the owner, too.
  BOOST_TEST(say(3, "192.0.2.1:1790", kStranger, 3s).has_value());
  BOOST_TEST(!say(3, "192.0.2.1:1790", kOwner, 4s).value().changed);
  BOOST_TEST(is_conflict(say(3, "192.0.2.1:1790", kStranger, 5s, 2)));
}

BOOST_AUTO_TEST_CASE(to_speak_from_somewhere_is_no_right_to_a_key) {
  BOOST_TEST(say(1, "mix.example:1789", kOwner).has_value());
  BOOST_TEST(is_conflict(say(1, "198.51.100.7:1789", kStranger, 1s)));
  BOOST_TEST(host_of(1) == "mix.example:1789");
}

BOOST_AUTO_TEST_CASE(an_owner_who_was_silent_takes_back_what_was_his) {
  BOOST_TEST(say(1, "mix.example:1789", kOwner).has_value());
  BOOST_TEST(say(1, "198.51.100.7:1789", kStranger, 10s).has_value());
  BOOST_TEST(say(2, "mix.example:1789", kStranger, 10s).has_value());
  BOOST_TEST(say(2, "mix.example:1789", kStranger, 19s).has_value());
  const auto back = say(1, "mix.example:1789", kOwner, 19s);
  BOOST_REQUIRE(back.has_value());
  BOOST_TEST((back->taken == std::vector{sample_key(2)}));
  BOOST_TEST(host_of(1) == "mix.example:1789");
  BOOST_TEST(roster.topology().mixes().size() == 1u);
  BOOST_TEST(is_conflict(say(1, "198.51.100.7:1789", kStranger, 20s)));
  BOOST_TEST(is_conflict(say(2, "mix.example:1789", kStranger, 20s)));
}

BOOST_AUTO_TEST_CASE(he_may_do_so_for_an_hour_however_often_the_other_was_silent) {
  Duration now = 10s;
  BOOST_TEST(say(1, "mix.example:1789", kOwner).has_value());
  for (; now < 1h - 20s; now += 10s)  // a new entry each time
    BOOST_TEST(say(1, "198.51.100.7:1789", kStranger, now).value().is_new);
  BOOST_TEST(say(1, "198.51.100.7:1789", kStranger, 1h - 5s).has_value());
  BOOST_TEST(say(1, "mix.example:1789", kOwner, 1h - 1ns).has_value());
}

BOOST_AUTO_TEST_CASE(after_an_hour_who_came_since_stays) {
  BOOST_TEST(say(1, "mix.example:1789", kOwner).has_value());
  for (Duration now = 10s; now <= 1h; now += 5s)
    BOOST_TEST(say(1, "198.51.100.7:1789", kStranger, now).has_value());
  BOOST_TEST(is_conflict(say(1, "mix.example:1789", kOwner, 1h)));
}

BOOST_AUTO_TEST_CASE(who_moves_elsewhere_waits_for_nobodys_memory) {
  BOOST_TEST(say(1, "192.0.2.1:1789", kOwner).has_value());
  BOOST_TEST(say(1, "198.51.100.7:1789", kStranger, 10s).has_value());
  BOOST_TEST(host_of(1) == "198.51.100.7:1789");
}

BOOST_AUTO_TEST_CASE(to_have_had_an_address_does_not_beat_who_speaks_from_it) {
  BOOST_TEST(say(2, "192.0.2.1:1789", kStranger).has_value());
  BOOST_TEST(say(1, "192.0.2.1:1789", kOwner, 10s).has_value());
  BOOST_TEST(is_conflict(say(2, "192.0.2.1:1789", kStranger, 11s)));
  // Nor with the key that he has now.
  BOOST_TEST(say(3, "192.0.2.1:1790", kStranger, 11s).has_value());
  BOOST_TEST(say(3, "192.0.2.1:1790", kOwner, 21s).has_value());
  BOOST_TEST(is_conflict(say(3, "192.0.2.1:1790", kStranger, 22s, 2)));
}

BOOST_AUTO_TEST_CASE(others_keep_an_entry_in_for_a_minute_and_not_for_ever) {
  Duration now = 0s;
  BOOST_TEST(say(1, "mix.example:1789", kOwner).has_value());
  for (; now < 1min; now += 5s)
    BOOST_TEST(say(1, "mix.example:1789", kStranger, now).has_value());
  BOOST_TEST(is_conflict(say(1, "mix.example:1789", kStranger, now)));
  // A word from the owner, and he may again.
  BOOST_TEST(say(1, "mix.example:1789", kOwner, now).has_value());
  for (const Duration end = now + 1min; now < end; now += 5s)
    BOOST_TEST(!say(1, "mix.example:1789", kStranger, now).value().is_new);
}

BOOST_AUTO_TEST_CASE(an_address_is_one_however_it_is_spelt) {
  BOOST_TEST(say(1, "[2001:db8::1]:1789", kOwner).has_value());
  BOOST_TEST(say(2, "mix.example:1789", kOwner).has_value());
  BOOST_TEST(say(3, "192.0.2.1:1789", kOwner).has_value());
  for (const char* host : {"2001:db8:0::1:1789", "[2001:0DB8::0001]:1789", "Mix.Example:1789",
                           "[::ffff:192.0.2.1]:1789"})
    BOOST_TEST(is_conflict(say(9, host, kStranger)), host);
  BOOST_TEST(say(9, "[2001:db8::1]:1790", kStranger).has_value());
}

BOOST_AUTO_TEST_CASE(no_mix_is_at_a_living_providers_address_nor_the_other_way_round) {
  ProviderInfo provider = sample_provider(1);
  provider.mixnet_listener = "192.0.2.1:1";
  provider.client_listener = "192.0.2.1:2";
  const auto provide = [&](const char* source) {
    return roster.announce(provider, source, Instant() + 100s, WallTime());
  };
  BOOST_TEST(provide(kOwner).has_value());
  BOOST_TEST(is_conflict(say(2, "192.0.2.1:1", kStranger)));
  BOOST_TEST(is_conflict(say(2, "192.0.2.1:2", kStranger)));
  BOOST_TEST(say(2, "192.0.2.1:3", kOwner).has_value());
  provider.public_key = sample_key(3);
  provider.mixnet_listener = "192.0.2.1:3";
  provider.client_listener = "198.51.100.7:2";
  BOOST_TEST(is_conflict(provide(kStranger)));
  BOOST_TEST(provide(kOwner).has_value());  // his own business
  // Who has only one of its addresses may say so, and is not its owner for that.
  BOOST_TEST(!provide(kStranger).value().changed);
  provider.location = "elsewhere";
  BOOST_TEST(is_conflict(provide(kStranger)));
}

BOOST_AUTO_TEST_SUITE_END()
