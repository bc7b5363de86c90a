// SPDX-License-Identifier: Apache-2.0
#include "src/client/network_map.h"

#include <boost/test/unit_test.hpp>

#include "src/client/test_world.h"
#include "src/topology/path.h"

using namespace mix;
using namespace mix::client;
using test::World;

namespace {

constexpr Instant kNow{1000s};

}  // namespace

BOOST_AUTO_TEST_CASE(before_the_first_topology_nothing_can_be_sent) {
  const NetworkMap map(3, std::nullopt);
  BOOST_TEST(map.obstacle() == "no topology yet");
  BOOST_TEST(map.provider() == nullptr);
  BOOST_TEST(!map.clients().has_value());
}

BOOST_AUTO_TEST_CASE(a_whole_network_is_usable) {
  const World world(3, 2);
  NetworkMap map(3, std::nullopt);
  map.take(world.view(), kNow);
  BOOST_TEST(map.obstacle() == "");
  BOOST_TEST(map.usable().mixes().size() == 6u);
  BOOST_TEST(map.skipped() == 0u);
  for (const auto& mix : map.usable().mixes())
    BOOST_TEST(map.addresses_of(mix).front().to_text() == mix.host);
}

BOOST_AUTO_TEST_CASE(bad_entries_are_skipped_and_the_rest_is_used) {
  const World world(3, 2);
  auto view = world.view();
  std::vector<topology::MixInfo> mixes(view.topology.mixes().begin(), view.topology.mixes().end());
  mixes[0].version = "0.5.0";
  mixes[2].public_key = crypto::PublicKey();  // a point of small order
  view.addresses[mixes[4].host] = {};         // its name did not resolve
  mixes.push_back(mixes[5]);
  mixes.back().layer = 9;
  mixes.back().public_key = world.providers[0].keys.public_key;
  view.topology = topology::Topology(
      mixes, {view.topology.providers().begin(), view.topology.providers().end()});
  NetworkMap map(3, std::nullopt);
  map.take(view, kNow);
  BOOST_TEST(map.obstacle() == "");
  BOOST_TEST(map.usable().mixes().size() == 3u);
  BOOST_TEST(map.skipped() == 3u);
  for (unsigned layer = 1; layer <= 3; ++layer)
    BOOST_TEST(map.usable().layer(layer).size() == 1u);
}

BOOST_AUTO_TEST_CASE(an_empty_layer_is_named) {
  World world(3, 1);
  world.mixes.pop_back();
  NetworkMap map(3, std::nullopt);
  map.take(world.view(), kNow);
  BOOST_TEST(map.obstacle() == topology::to_text(topology::LayerEmpty{3}));
}

BOOST_AUTO_TEST_CASE(clients_that_see_the_same_choose_the_same_provider) {
  World world(3, 1, 4);
  NetworkMap first(3, std::nullopt);
  first.take(world.view(), kNow);
  std::ranges::reverse(world.providers);
  NetworkMap second(3, std::nullopt);
  second.take(world.view(), kNow);
  BOOST_TEST((first.provider()->public_key == second.provider()->public_key));
  for (const auto& provider : world.providers)
    BOOST_TEST((first.provider()->public_key <= provider.keys.public_key));
}

BOOST_AUTO_TEST_CASE(a_newcomer_does_not_lure_clients_away_from_their_provider) {
  const World all(3, 1, 4);
  World one = all;
  std::ranges::sort(one.providers, {}, [](const auto& p) { return p.keys.public_key; });
  one.providers.erase(one.providers.begin(), one.providers.end() - 1);  // the largest key
  NetworkMap map(3, std::nullopt);
  map.take(one.view(), kNow);
  map.take(all.view(), kNow + 5s);
  BOOST_TEST(!map.reconsider(kNow + 1h));
  BOOST_TEST((map.provider()->public_key == one.providers[0].keys.public_key));
}

BOOST_AUTO_TEST_CASE(a_provider_that_left_is_kept_until_another_is_there_and_patience_ends) {
  World world(3, 1, 2);
  NetworkMap map(3, std::nullopt);
  map.take(world.view(), kNow);
  const auto home = map.provider()->public_key;

  World without = world;
  std::erase_if(without.providers, [&](const auto& p) { return p.keys.public_key == home; });
  World nobody = world;
  nobody.providers.clear();
  map.take(nobody.view(), kNow + 10s);
  BOOST_TEST(map.obstacle() == "");
  BOOST_TEST(!map.reconsider(kNow + 10s + 2 * kProviderPatience));

  map.take(world.view(), kNow + 200s);  // it came back: patience begins anew
  map.take(without.view(), kNow + 300s);
  BOOST_TEST(!map.reconsider(kNow + 300s + kProviderPatience - 1ns));
  BOOST_TEST((map.provider()->public_key == home));
  BOOST_TEST(map.reconsider(kNow + 300s + kProviderPatience));
  BOOST_TEST((map.provider()->public_key == without.providers[0].keys.public_key));
  BOOST_TEST(!map.reconsider(kNow + 1h));
}

BOOST_AUTO_TEST_CASE(a_provider_that_moved_is_followed) {
  World world(3, 1);
  NetworkMap map(3, std::nullopt);
  map.take(world.view(), kNow);
  world.providers[0].host = "127.0.0.1:7777";
  map.take(world.view(), kNow);
  BOOST_TEST(map.provider()->mixnet_listener == "127.0.0.1:7777");
}

BOOST_AUTO_TEST_CASE(the_provider_asked_for_is_the_only_one_used) {
  World world(3, 1, 3);
  std::ranges::sort(world.providers, {}, [](const auto& p) { return p.keys.public_key; });
  const auto wanted = world.providers[2].keys.public_key;
  NetworkMap map(3, wanted);
  map.take(world.view(), kNow);
  BOOST_TEST((map.provider()->public_key == wanted));
  world.providers.pop_back();
  map.take(world.view(), kNow + 1s);
  BOOST_TEST(!map.reconsider(kNow + 1h));
  NetworkMap late(3, wanted);
  late.take(world.view(), kNow);
  BOOST_TEST(late.obstacle() == "provider " + wanted.to_base58() + " is not in the topology");
}

BOOST_AUTO_TEST_CASE(everybody_registered_anywhere_is_a_client) {
  World world(3, 1, 2);
  world.registered = {world.mixes[0].keys.public_key, world.mixes[1].keys.public_key};
  NetworkMap map(3, std::nullopt);
  map.take(world.view(), kNow);
  BOOST_TEST(map.clients()->size() == 4u);
}
