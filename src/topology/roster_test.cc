// SPDX-License-Identifier: Apache-2.0
#include "src/topology/roster.h"

#include <rapidcheck/boost_test.h>

#include <boost/test/unit_test.hpp>
#include <map>

#include "src/topology/sample_infos.h"

using namespace mix;
using namespace mix::topology;

namespace {

constexpr const char* kHere = "192.0.2.1";
constexpr const char* kThere = "192.0.2.2";

Instant at(Duration d) {
  return Instant() + 100s + d;
}
WallTime wall(Duration d) {
  return WallTime() + 1000s + d;
}

struct Fixture {
  Roster roster;
  template <class Info>
  std::expected<Accepted, Refusal> say(const Info& info, const char* source = kHere,
                                       Duration when = 0s) {
    return roster.announce(info, source, at(when), wall(when));
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(roster, Fixture)

BOOST_AUTO_TEST_CASE(an_entry_lives_ten_seconds_after_its_last_presence) {
  BOOST_TEST(say(sample_mix(1, 1)).value().is_new);
  BOOST_TEST(!say(sample_mix(1, 1), kHere, 6s).value().is_new);
  BOOST_TEST(roster.topology().mixes()[0].last_seen_ns == unix_ns(wall(6s)));
  BOOST_TEST(roster.expire(at(16s - 1ns)).size() == 0u);
  BOOST_TEST((roster.next_expiry() == at(16s)));
  const Expired gone = roster.expire(at(16s));
  BOOST_TEST((gone.mixes == std::vector{sample_key(1)}));
  BOOST_TEST(gone.size() == 1u);
  BOOST_TEST(roster.topology().empty());
  BOOST_TEST(!roster.next_expiry().has_value());
}

BOOST_AUTO_TEST_CASE(a_presence_also_sweeps) {
  say(sample_mix(1, 1));
  say(sample_provider(2), kHere, 10s);
  BOOST_TEST(roster.topology().mixes().empty());
}

BOOST_AUTO_TEST_CASE(layers_are_counted_as_entries_come_move_and_go) {
  using Layers = std::map<unsigned, std::size_t>;
  say(sample_mix(1, 1));
  say(sample_mix(2, 1));
  say(sample_mix(3, 3));
  say(sample_provider(1));
  BOOST_TEST((roster.layers() == Layers{{1, 2}, {3, 1}}));
  say(sample_mix(1, 2), kHere, 5s);
  BOOST_TEST((roster.layers() == Layers{{1, 1}, {2, 1}, {3, 1}}));
  say(sample_mix(1, 2), kHere, 6s);
  BOOST_TEST((roster.layers() == Layers{{1, 1}, {2, 1}, {3, 1}}));
  roster.expire(at(12s));
  BOOST_TEST((roster.layers() == Layers{{2, 1}}));
}

BOOST_AUTO_TEST_CASE(another_source_cannot_move_a_living_entry) {
  say(sample_mix(1, 1));
  MixInfo moved = sample_mix(1, 2);
  BOOST_TEST((say(moved, kThere).error().kind == Refusal::Kind::conflict));
  moved = sample_mix(1, 1);
  moved.host = "elsewhere:1";
  BOOST_TEST((say(moved, kThere).error().kind == Refusal::Kind::conflict));
  BOOST_TEST(roster.topology().mixes()[0].host == sample_mix(1, 1).host);
  ProviderInfo provider = sample_provider(2);
  say(provider);
  provider.client_listener = "10.0.0.1:1";
  BOOST_TEST((say(provider, kThere).error().kind == Refusal::Kind::conflict));
}

BOOST_AUTO_TEST_CASE(another_source_may_refresh_but_never_becomes_the_owner) {
  say(sample_mix(1, 1));
  BOOST_TEST(say(sample_mix(1, 1), kThere, 5s).has_value());
  BOOST_TEST((say(sample_mix(1, 2), kThere, 6s).error().kind == Refusal::Kind::conflict));
  BOOST_TEST(say(sample_mix(1, 2), kHere, 6s).has_value());
}

BOOST_AUTO_TEST_CASE(the_same_source_may_move_its_entry) {
  say(sample_mix(1, 1));
  MixInfo moved = sample_mix(1, 3);
  moved.host = "elsewhere:1";
  BOOST_TEST(say(moved).has_value());
  BOOST_TEST(roster.topology().mixes().size() == 1u);
  BOOST_TEST(roster.topology().mixes()[0].layer == 3u);
  // The address it left is free.
  MixInfo other = sample_mix(2, 1);
  other.host = sample_mix(1, 1).host;
  BOOST_TEST(say(other, kThere).has_value());
}

BOOST_AUTO_TEST_CASE(its_text_is_that_of_its_topology) {
  ProviderInfo provider = sample_provider(1);
  provider.registered_clients = {sample_key(7), sample_key(8)};
  say(provider);
  say(sample_coco(2));
  for (unsigned n = 0; n < 6; ++n)
    say(sample_mix(n, 3 - n % 3), kHere, 1s);
  say(sample_mix(1, 1), kHere, 2s);
  provider.location = "Bern";
  say(provider, kHere, 3s);
  for (const LastSeen last_seen : {LastSeen::shown, LastSeen::left_out})
    BOOST_TEST(roster.text(last_seen) == to_json(roster.topology(), last_seen));
}

BOOST_AUTO_TEST_CASE(after_it_expired_anybody_may_have_the_key_and_the_address) {
  say(sample_mix(1, 1));
  BOOST_TEST(say(sample_mix(1, 2), kThere, 10s).has_value());
  BOOST_TEST(roster.topology().mixes()[0].layer == 2u);
}

BOOST_AUTO_TEST_CASE(a_node_that_restarts_with_a_new_key_leaves_no_dead_one) {
  say(sample_mix(1, 1));
  MixInfo reborn = sample_mix(2, 1);
  reborn.host = sample_mix(1, 1).host;
  const auto accepted = say(reborn, kHere, 1s);
  BOOST_REQUIRE(accepted.has_value());
  BOOST_TEST(accepted->replaced == sample_key(1).to_base58());
  BOOST_TEST(roster.topology().mixes().size() == 1u);
  BOOST_TEST((roster.topology().mixes()[0].public_key == sample_key(2)));
}

BOOST_AUTO_TEST_CASE(a_new_key_at_a_living_address_from_elsewhere_is_refused) {
  say(sample_provider(1));
  ProviderInfo thief = sample_provider(2);
  thief.mixnet_listener = sample_provider(1).mixnet_listener;
  BOOST_TEST((say(thief, kThere).error().kind == Refusal::Kind::conflict));
  BOOST_TEST((roster.topology().providers()[0].public_key == sample_key(1)));
  // One that takes the addresses of two of our own old entries takes the place of both.
  say(sample_provider(3));
  ProviderInfo both = sample_provider(4);
  both.mixnet_listener = sample_provider(1).mixnet_listener;
  both.client_listener = sample_provider(3).client_listener;
  BOOST_TEST(say(both).has_value());
  BOOST_TEST(roster.topology().providers().size() == 1u);
}

BOOST_AUTO_TEST_CASE(all_of_loopback_is_one_source) {
  BOOST_TEST(say(sample_mix(1, 1), "127.0.0.1").has_value());
  BOOST_TEST(say(sample_mix(1, 2), "::1").has_value());
  BOOST_TEST(say(sample_mix(1, 3), "127.8.9.10").has_value());
  BOOST_TEST(!say(sample_mix(1, 1), kThere).has_value());
}

BOOST_AUTO_TEST_CASE(a_full_roster_keeps_who_is_in) {
  Roster small({.mixes = 2, .providers = 1, .cocos = 1, .sources = 1, .expiry = 10s});
  BOOST_TEST(small.announce(sample_mix(1, 1), kHere, at(0s), wall(0s)).has_value());
  BOOST_TEST(small.announce(sample_mix(2, 1), kHere, at(0s), wall(0s)).has_value());
  BOOST_TEST((small.announce(sample_mix(3, 1), kHere, at(0s), wall(0s)).error().kind ==
              Refusal::Kind::full));
  BOOST_TEST(small.announce(sample_mix(1, 2), kHere, at(1s), wall(1s)).has_value());
  MixInfo reborn = sample_mix(4, 1);
  reborn.host = sample_mix(2, 1).host;
  BOOST_TEST(small.announce(reborn, kHere, at(1s), wall(1s)).has_value());
  BOOST_TEST(small.announce(sample_provider(3), kHere, at(1s), wall(1s)).has_value());
  BOOST_TEST(small.topology().mixes().size() == 2u);
}

BOOST_AUTO_TEST_CASE(revisions_count_changes_but_not_times) {
  say(sample_mix(1, 1));
  const auto revision = roster.revision(), touched = roster.touched();
  say(sample_mix(1, 1), kHere, 1s);
  BOOST_TEST(roster.revision() == revision);
  BOOST_TEST(roster.touched() == touched + 1);
  say(sample_mix(1, 2), kHere, 2s);
  BOOST_TEST(roster.revision() == revision + 1);
  roster.expire(at(20s));
  BOOST_TEST(roster.revision() == revision + 2);
}

/// Any sequence of presences: no two living entries share an address, bounds hold, and every living
/// entry was announced within ten seconds.
RC_BOOST_PROP(addresses_are_held_by_one_key, ()) {
  struct Step {
    unsigned key, host, layer;
    bool here;
    int seconds;
  };
  const auto steps = *rc::gen::container<std::vector<Step>>(rc::gen::construct<Step>(
      rc::gen::inRange(0u, 6u), rc::gen::inRange(0u, 6u), rc::gen::inRange(1u, 5u),
      rc::gen::arbitrary<bool>(), rc::gen::inRange(0, 6)));
  Roster small({.mixes = 4, .providers = 1, .cocos = 1, .sources = 1, .expiry = 10s});
  Duration now = 0s;
  for (const Step& step : steps) {
    now += Duration(std::chrono::seconds(step.seconds));
    MixInfo mix = sample_mix(step.key, step.layer);
    mix.host = "h" + std::to_string(step.host) + ":1";
    const auto accepted = small.announce(mix, step.here ? kHere : kThere, at(now), wall(now));
    const Topology topology = small.topology();
    RC_ASSERT(topology.mixes().size() <= 4u);
    RC_ASSERT(small.text(LastSeen::shown) == to_json(topology));
    std::map<std::string, int> held;
    for (const MixInfo& one : topology.mixes()) {
      RC_ASSERT(++held[one.host] == 1);
      RC_ASSERT(one.last_seen_ns > unix_ns(wall(now - 10s)));
    }
    if (accepted) {
      const MixInfo* taken = topology.find_mix(mix.public_key);
      RC_ASSERT(taken && taken->host == mix.host && taken->layer == mix.layer);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
