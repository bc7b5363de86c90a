// SPDX-License-Identifier: Apache-2.0
#include "src/topology/topology.h"

#include <rapidcheck/boost_test.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>

#include "src/topology/path.h"
#include "src/topology/sample_infos.h"
#include "src/topology/version.h"

using namespace mix;
using namespace mix::topology;

namespace {

/// Counts what is drawn; its bytes are a simple sequence that reaches every value of the top byte.
class CountingEntropy final : public ports::Entropy {
 public:
  void fill(BytesSpan out) override {
    for (std::uint8_t& byte : out) {
      x_state = x_state * 6364136223846793005ULL + 1442695040888963407ULL;
      byte = static_cast<std::uint8_t>(x_state >> 56);
    }
    drawn += out.size();
  }
  std::size_t drawn = 0;

 private:
  std::uint64_t x_state = 1;
};

Topology square(unsigned layers, unsigned width) {
  std::vector<MixInfo> mixes;
  for (unsigned layer = 1; layer <= layers; ++layer)
    for (unsigned i = 0; i < width; ++i)
      mixes.push_back(sample_mix(layer * 100 + i, layer));
  return {std::move(mixes), {sample_provider(1)}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(versions)

BOOST_AUTO_TEST_CASE(versions_are_read_strictly) {
  const auto version = parse_version("0.4.0-rc.2+build.7");
  BOOST_REQUIRE(version.has_value());
  BOOST_TEST(version->minor == 4u);
  BOOST_TEST(version->pre_release == "rc.2");
  BOOST_TEST(version->build == "build.7");
  for (const char* right :
       {"0.4.0", "10.20.30", "1.0.0-alpha", "1.0.0-0a", "1.0.0+001", "0.4.0-a-b", "4294967295.0.0"})
    BOOST_TEST(parse_version(right).has_value(), right);
  for (const char* wrong :
       {"", "0.4", "0.4.0.0", "v0.4.0", "0.04.0", "0.4.0-", "0.4.0-01", "0.4.0-a..b", "0.4.0-a.",
        "0.4.0+", "0.4.0 ", "0.4.x", "4294967296.0.0", "0..0", "-1.0.0", "0.4.0-ü",
        "0.4.0-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"})
    BOOST_TEST(!parse_version(wrong).has_value(), wrong);
}

BOOST_AUTO_TEST_CASE(our_version_is_what_originals_accept_and_we_recognise) {
  BOOST_TEST(is_compatible(kOurVersion));
  BOOST_TEST(is_mixlab(kOurVersion));
  BOOST_TEST(is_compatible("0.4.0-rc.2"));
  BOOST_TEST(is_compatible("0.4.17"));
  BOOST_TEST(!is_compatible("0.5.0"));
  BOOST_TEST(!is_compatible("1.4.0"));
  BOOST_TEST(!is_compatible("0.4"));
  BOOST_TEST(!is_mixlab("0.4.0-rc.2"));
  BOOST_TEST(!is_mixlab("0.4.0-mixlabrador"));
  BOOST_TEST(!is_mixlab("0.4.0+mixlab"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(values)

BOOST_AUTO_TEST_CASE(layers_are_found_and_gaps_named) {
  const Topology topology({sample_mix(3, 3), sample_mix(1, 1), sample_mix(2, 1)}, {});
  BOOST_TEST(topology.layer(1).size() == 2u);
  BOOST_TEST(topology.layer(2).empty());
  BOOST_TEST(topology.layer(3).size() == 1u);
  BOOST_TEST(topology.layer(99).empty());
  BOOST_TEST(topology.highest_layer() == 3u);
  BOOST_TEST(topology.first_empty_layer(3).value() == 2u);
  BOOST_TEST(!topology.first_empty_layer(1).has_value());
  BOOST_TEST(Topology().highest_layer() == 0u);
  BOOST_TEST(Topology().first_empty_layer(3).value() == 1u);
}

BOOST_AUTO_TEST_CASE(a_key_is_in_once) {
  MixInfo twin = sample_mix(1, 2);
  twin.host = "elsewhere:1";
  const Topology topology({sample_mix(1, 1), twin}, {sample_provider(1)});
  BOOST_TEST(topology.mixes().size() == 1u);
  BOOST_TEST(topology.find_mix(sample_key(1))->host == sample_mix(1, 1).host);
  BOOST_TEST(topology.find_provider(sample_key(1)) != nullptr);
  BOOST_TEST(topology.find_mix(sample_key(2)) == nullptr);
}

BOOST_AUTO_TEST_CASE(other_versions_are_left_out_when_asked) {
  MixInfo old = sample_mix(2, 1);
  old.version = "0.3.9";
  ProviderInfo future = sample_provider(3);
  future.version = "0.5.0";
  const Topology topology = Topology({sample_mix(1, 1), old}, {sample_provider(1), future});
  BOOST_TEST(topology.compatible().mixes().size() == 1u);
  BOOST_TEST(topology.compatible().providers().size() == 1u);
}

RC_BOOST_PROP(the_order_of_arrival_does_not_matter, (std::vector<std::uint8_t> numbers)) {
  std::ranges::sort(numbers);
  numbers.erase(std::ranges::unique(numbers).begin(), numbers.end());
  std::vector<MixInfo> mixes;
  for (const std::uint8_t number : numbers)
    mixes.push_back(sample_mix(number, 1 + number % 4));
  const Topology forward(mixes, {});
  std::ranges::reverse(mixes);
  RC_ASSERT(forward == Topology(mixes, {}));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(routes)

RC_BOOST_PROP(a_route_has_one_mix_of_each_layer_in_order, ()) {
  const unsigned layers = *rc::gen::inRange(1u, 5u);
  const Topology topology = square(layers, *rc::gen::inRange(1u, 6u));
  CountingEntropy entropy;
  const auto route = choose_route(topology, layers, topology.providers().front(), entropy);
  RC_ASSERT(route.has_value());
  RC_ASSERT(route->mixes.size() == layers);
  for (unsigned i = 0; i < layers; ++i)
    RC_ASSERT(route->mixes[i]->layer == i + 1);
  RC_ASSERT(route->provider == &topology.providers().front());
}

BOOST_AUTO_TEST_CASE(every_mix_is_chosen_about_equally_often) {
  const Topology topology = square(3, 4);
  CountingEntropy entropy;
  std::map<const MixInfo*, int> counts;
  constexpr int kRoutes = 12'000;
  for (int i = 0; i < kRoutes; ++i) {
    const auto route = choose_route(topology, 3, topology.providers().front(), entropy);
    for (const MixInfo* mix : route->mixes)
      ++counts[mix];
  }
  BOOST_TEST(counts.size() == 12u);
  // Expected 3000 each, standard deviation 47: five of them.
  for (const auto& [mix, count] : counts)
    BOOST_TEST(std::abs(count - kRoutes / 4) < 5 * 48, mix->host << ": " << count);
}

BOOST_AUTO_TEST_CASE(an_empty_layer_is_an_answer_and_costs_the_same_draws) {
  const Topology topology({sample_mix(1, 1), sample_mix(3, 3)}, {sample_provider(1)});
  CountingEntropy entropy;
  const auto route = choose_route(topology, 3, topology.providers().front(), entropy);
  BOOST_REQUIRE(!route.has_value());
  BOOST_TEST(route.error().layer == 2u);
  BOOST_TEST(to_text(route.error()) == "no mix in layer 2");
  BOOST_TEST(entropy.drawn == 24u);
  const Topology whole = square(3, 2);
  entropy.drawn = 0;
  BOOST_TEST(choose_route(whole, 3, whole.providers().front(), entropy).has_value());
  BOOST_TEST(entropy.drawn == 24u);
}

BOOST_AUTO_TEST_CASE(more_layers_than_asked_for_are_not_used_and_fewer_never_do) {
  const Topology topology = square(4, 2);
  CountingEntropy entropy;
  BOOST_TEST(choose_route(topology, 2, topology.providers().front(), entropy)->mixes.size() == 2u);
  BOOST_TEST(!choose_route(square(2, 2), 3, topology.providers().front(), entropy).has_value());
}

BOOST_AUTO_TEST_CASE(the_highest_draw_stays_in_range) {
  class Highest final : public ports::Entropy {
    void fill(BytesSpan out) override { std::ranges::fill(out, 0xff); }
  } highest;
  for (std::size_t n : {1u, 2u, 3u, 1000u})
    BOOST_TEST(choose_index(n, highest) == n - 1);
}

BOOST_AUTO_TEST_SUITE_END()
