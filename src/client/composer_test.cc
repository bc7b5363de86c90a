// SPDX-License-Identifier: Apache-2.0
#include "src/client/composer.h"

#include <rapidcheck/boost_test.h>
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <map>

#include "src/client/test_world.h"
#include "src/topology/path.h"
#include "src/traffic/emission.h"

using namespace mix;
using namespace mix::client;
using test::TestNode;
using test::World;

namespace {

constexpr Instant kNow{1000s};

crypto::KeyPair self() {
  auto chance = test::generator(9, "self");
  return crypto::KeyPair::generate(chance);
}
NetworkMap map_of(const World& world, unsigned layers = 3) {
  NetworkMap map(layers, std::nullopt);
  map.take(world.view(), kNow);
  return map;
}

/// A client's pure half, with chance of its own.
struct Rig {
  explicit Rig(std::uint8_t seed) : root(test::generator(seed, "root")) {}
  crypto::Generator root;
  Chance chance{root};
  Composer composer{self(), 100ms, chance};

  std::vector<std::uint64_t> drawn() const {
    return {chance.loop_gaps.drawn(), chance.real_gaps.drawn(), chance.routes.drawn(),
            chance.delays.drawn(),    chance.packets.drawn(),   chance.payloads.drawn()};
  }
};

/// What a packet met on its way, by peeling it with everybody's secrets.
struct Journey {
  std::vector<unsigned> layers;
  std::vector<Duration> delays;
  sphinx::Final end;
};
const TestNode& at_address(const World& world, const sphinx::AddressBytes& address) {
  const auto text = sphinx::NodeAddress::decode(address)->to_text();
  for (const auto* nodes : {&world.mixes, &world.providers})
    for (const auto& node : *nodes)
      if (node.host == text) return node;
  throw std::runtime_error("nobody listens at " + text);
}
Journey follow(const World& world, const Composed& composed) {
  Journey journey;
  const TestNode* node = &*std::ranges::find(world.mixes, composed.first->host, &TestNode::host);
  sphinx::Packet packet = composed.packet;
  for (;;) {
    const auto peeled = sphinx::Peeler(node->keys.secret).peel(packet);
    BOOST_REQUIRE(peeled.has_value());
    journey.layers.push_back(node->layer);
    if (const auto* end = std::get_if<sphinx::Final>(&*peeled)) {
      journey.end = *end;
      return journey;
    }
    const auto& forward = std::get<sphinx::Forward>(*peeled);
    journey.delays.push_back(forward.delay);
    packet = forward.packet;
    node = &at_address(world, forward.next_address);
  }
}

const Message kMessage{
    *crypto::PublicKey::from_base58("Hem9swPoeReFsBVgRoihtauqaGRm5Vz7fMannhL7wpoL"), {'h', 'i'}};

}  // namespace

BOOST_AUTO_TEST_CASE(a_loop_goes_through_every_layer_in_order_and_home) {
  const World world(3, 2);
  const NetworkMap map = map_of(world);
  Rig rig(1);
  const auto loop = rig.composer.loop(map);
  BOOST_REQUIRE(loop.has_value());
  const Journey journey = follow(world, *loop);
  BOOST_TEST(journey.layers == (std::vector<unsigned>{1, 2, 3, 0}));
  BOOST_TEST((journey.end.destination.address == self().public_key.bytes()));
  BOOST_TEST((journey.end.destination.surb_id == sphinx::SurbId{}));
  const auto seen = OwnMark(self().secret).recognise(journey.end.message());
  BOOST_REQUIRE(seen.has_value());
  BOOST_TEST((seen->kind == Kind::loop));
  BOOST_TEST((seen->mark == loop->mark));
}

BOOST_AUTO_TEST_CASE(a_real_tick_carries_the_message_or_a_filler_to_oneself) {
  const World world(3, 2);
  const NetworkMap map = map_of(world);
  Rig rig(1);
  const auto real = rig.composer.real(map, &kMessage);
  const auto cover = rig.composer.real(map, nullptr);
  BOOST_REQUIRE((real && cover));
  const auto real_end = follow(world, *real).end;
  BOOST_TEST((real_end.destination.address == kMessage.recipient.bytes()));
  BOOST_TEST(equal(real_end.message(), kMessage.text));
  BOOST_TEST((real->kind == Kind::real));
  const auto cover_end = follow(world, *cover).end;
  BOOST_TEST((cover_end.destination.address == self().public_key.bytes()));
  BOOST_TEST((OwnMark(self().secret).recognise(cover_end.message())->kind == Kind::cover));
}

RC_BOOST_PROP(routes_have_exactly_the_layers_asked_for, (std::uint8_t seed)) {
  const auto layers = *rc::gen::inRange(1u, 5u);
  const World world(4, 2);  // the directory may show more layers than a route uses
  const NetworkMap map = map_of(world, layers);
  Rig rig(seed);
  const auto loop = rig.composer.loop(map);
  RC_ASSERT(loop.has_value());
  std::vector<unsigned> expected;
  for (unsigned layer = 1; layer <= layers; ++layer)
    expected.push_back(layer);
  expected.push_back(0);
  RC_ASSERT(follow(world, *loop).layers == expected);
}

BOOST_AUTO_TEST_CASE(every_kind_draws_the_same_from_every_generator) {
  const World world(3, 3);
  const NetworkMap map = map_of(world);
  const Message longest{kMessage.recipient, Bytes(975, 1)};
  const Message empty{kMessage.recipient, {}};
  std::vector<std::vector<std::uint64_t>> drawn;
  for (int kind = 0; kind < 6; ++kind) {
    Rig rig(7);
    const NetworkMap nothing(3, std::nullopt);
    if (kind == 0) (void)rig.composer.loop(map);
    if (kind == 1) (void)rig.composer.real(map, nullptr);
    if (kind == 2) (void)rig.composer.real(map, &kMessage);
    if (kind == 3) (void)rig.composer.real(map, &longest);
    if (kind == 4) (void)rig.composer.real(map, &empty);
    if (kind == 5) (void)rig.composer.real(nothing, &kMessage);  // nothing can be sent
    drawn.push_back(rig.drawn());
  }
  BOOST_TEST(drawn[0] == (std::vector<std::uint64_t>{0, 0, 24, 24, 312, 983}));
  for (const auto& other : drawn)
    BOOST_TEST(other == drawn[0]);
}

BOOST_AUTO_TEST_CASE(delays_follow_one_law_for_every_kind_and_layer) {
  const World world(3, 1);
  const NetworkMap map = map_of(world);
  Rig rig(3);
  constexpr std::size_t kPackets = 1200;
  std::map<std::pair<Kind, std::size_t>, std::vector<double>> delays;
  for (std::size_t i = 0; i < kPackets; ++i) {
    for (const auto& composed : {*rig.composer.loop(map), *rig.composer.real(map, nullptr),
                                 *rig.composer.real(map, &kMessage)}) {
      const auto journey = follow(world, composed);
      for (std::size_t hop = 0; hop < 3; ++hop)
        delays[{composed.kind, hop}].push_back(static_cast<double>(journey.delays[hop].count()));
    }
  }
  BOOST_TEST(delays.size() == 9u);
  for (auto& [which, values] : delays) {  // Kolmogorov-Smirnov, alpha 10^-3
    std::ranges::sort(values);
    double worst = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double law = 1 - std::exp(-values[i] / 1e8);
      worst = std::max({worst, law - double(i) / kPackets, double(i + 1) / kPackets - law});
    }
    BOOST_TEST(worst < 1.95 / std::sqrt(double(kPackets)));
  }
}

BOOST_AUTO_TEST_CASE(each_mix_of_a_route_is_asked_for_a_delay_of_its_own) {
  const World world(3, 1);
  const NetworkMap map = map_of(world);
  Rig rig(5);
  std::vector<Duration> all;
  for (int i = 0; i < 20; ++i)
    for (const Duration delay : follow(world, *rig.composer.loop(map)).delays)
      all.push_back(delay);
  std::ranges::sort(all);
  BOOST_TEST(all.size() == 60u);
  BOOST_TEST((std::ranges::adjacent_find(all) == all.end()));
}

BOOST_AUTO_TEST_CASE(routes_choose_every_mix_equally_often) {
  const World world(3, 5);
  const NetworkMap map = map_of(world);
  Rig rig(4);
  std::map<std::string, int> first;
  constexpr int kPackets = 2000;
  for (int i = 0; i < kPackets; ++i)
    ++first[rig.composer.loop(map)->first->host];
  BOOST_TEST(first.size() == 5u);
  double chi_squared = 0;
  for (const auto& [host, count] : first)
    chi_squared += (count - 400.0) * (count - 400.0) / 400.0;
  BOOST_TEST(chi_squared < 18.5);  // 4 degrees of freedom, alpha 10^-3
}

BOOST_AUTO_TEST_CASE(while_a_layer_is_empty_nothing_is_composed) {
  World world(3, 1);
  world.mixes.erase(world.mixes.begin() + 1);
  Rig rig(1);
  const auto loop = rig.composer.loop(map_of(world));
  BOOST_REQUIRE(!loop.has_value());
  BOOST_TEST(loop.error() == topology::to_text(topology::LayerEmpty{2}));
  const auto nobody = rig.composer.loop(map_of(World(3, 1, 0)));
  BOOST_REQUIRE(!nobody.has_value());
  BOOST_TEST(nobody.error() == "no provider in the topology");
}

namespace {

/// Everything whoever watches the link can see of one packet.
struct Seen {
  Instant time;
  std::size_t size;
  std::string first_hop;
  bool operator==(const Seen&) const = default;
};

/// Ten minutes of a client whose user writes so many messages before each tick.
std::vector<Seen> watch(const NetworkMap& map, const std::function<int(std::size_t)>& writes,
                        std::size_t& real_packets) {
  Rig rig(42);
  traffic::Emission emission({500ms, 500ms}, rig.chance.loop_gaps, rig.chance.real_gaps, kNow);
  Outbox outbox;
  std::vector<Seen> seen;
  while (emission.next() < kNow + 10min) {
    for (int n = writes(seen.size()); n > 0; --n)
      (void)outbox.put(kMessage);
    const auto tick = *emission.take(emission.next());
    const auto composed = tick.stream == traffic::Stream::loop
                              ? rig.composer.loop(map)
                              : rig.composer.real(map, outbox.front());
    if (composed->kind == Kind::real) {
      (void)outbox.take();
      outbox.sent();
      ++real_packets;
    }
    seen.push_back({tick.due, composed->packet.size(), composed->first->host});
  }
  return seen;
}

}  // namespace

BOOST_AUTO_TEST_CASE(times_sizes_and_first_hops_are_the_same_whatever_the_user_does) {
  const World world(3, 4);
  const NetworkMap map = map_of(world);
  std::size_t idle_sent = 0;
  std::size_t steady_sent = 0;
  std::size_t burst_sent = 0;
  const auto idle = watch(map, [](std::size_t) { return 0; }, idle_sent);
  const auto steady = watch(map, [](std::size_t n) { return n % 3 == 0 ? 1 : 0; }, steady_sent);
  const auto burst = watch(map, [](std::size_t n) { return n == 50 ? 1100 : 0; }, burst_sent);
  BOOST_TEST(idle_sent == 0u);
  BOOST_TEST(steady_sent > 500u);
  BOOST_TEST(burst_sent == 1000u);
  BOOST_TEST(idle.size() > 2000u);
  BOOST_TEST((steady == idle));
  BOOST_TEST((burst == idle));
}
