// SPDX-License-Identifier: Apache-2.0
// What strangers can make a directory hold, and have made over and over.
#include <boost/test/unit_test.hpp>
#include <string>

#include "src/directory/directory_fixture.h"

using namespace mix;
using namespace mix::directory;
using topology::sample_key;
using topology::sample_mix;
using topology::sample_provider;

namespace {

constexpr const char* kHere = "127.0.0.1:4000";

std::string of_source(unsigned number) {
  return "198.51.100." + std::to_string(number) + ":4000";
}
topology::ProviderInfo with_accounts(unsigned number, std::size_t accounts) {
  topology::ProviderInfo provider = sample_provider(number);
  provider.registered_clients.assign(accounts, sample_key(number));
  return provider;
}

struct Bounded : Fixture {
  /// Three full providers, each of a source of its own.
  void nearly_fill() {
    for (unsigned n = 1; n <= 3; ++n)
      BOOST_TEST(provider(with_accounts(n, wire::kMaxAccounts), of_source(n).c_str()).status ==
                 201u);
  }
  std::size_t listed(unsigned number) const {
    const auto* found = directory.roster().topology().find_provider(sample_key(number));
    return found ? found->registered_clients.size() : 0;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(bounds, Bounded)

BOOST_AUTO_TEST_CASE(a_full_directory_is_503) {
  for (unsigned i = 0; i < wire::kMaxProviders; ++i)
    BOOST_TEST(provider(sample_provider(i), of_source(i % 4).c_str()).status == 201u);
  BOOST_TEST(provider(sample_provider(99), of_source(5).c_str()).status == 503u);
}

BOOST_AUTO_TEST_CASE(one_source_fills_a_quarter_and_this_machine_all) {
  for (unsigned i = 0; i < wire::kMaxProviders / 4; ++i)
    BOOST_TEST(provider(sample_provider(i)).status == 201u);
  const auto refused = provider(sample_provider(99));
  BOOST_TEST(refused.status == 503u);
  BOOST_TEST(refused.body == R"({"error":"full: 8 entries of this kind from 192.0.2.1"})");
  BOOST_TEST(provider(sample_provider(99), of_source(1).c_str()).status == 201u);
  for (unsigned i = 0; i < wire::kMaxProviders - wire::kMaxProviders / 4 - 1; ++i)
    BOOST_TEST(provider(sample_provider(100 + i), kHere).status == 201u);
}

BOOST_AUTO_TEST_CASE(accounts_of_all_providers_are_counted_together) {
  nearly_fill();
  BOOST_TEST(provider(with_accounts(5, 1), of_source(5).c_str()).status == 201u);
  const auto refused = provider(with_accounts(4, wire::kMaxAccounts), of_source(4).c_str());
  BOOST_TEST(refused.status == 503u);
  BOOST_TEST(refused.body == R"({"error":"full: 40000 accounts of all providers"})");
  BOOST_TEST(provider(with_accounts(4, wire::kMaxAccounts - 1), of_source(4).c_str()).status ==
             201u);
}

BOOST_AUTO_TEST_CASE(who_may_not_grow_stays_in_as_he_was_and_may_shrink) {
  nearly_fill();
  const std::string owner = of_source(5);
  BOOST_TEST(provider(with_accounts(5, 2), owner.c_str()).status == 201u);
  BOOST_TEST(provider(with_accounts(4, wire::kMaxAccounts - 2), of_source(4).c_str()).status ==
             201u);
  for (int n = 0; n < 3; ++n) {
    clock.advance(6s);
    nearly_fill();
    provider(with_accounts(4, wire::kMaxAccounts - 2), of_source(4).c_str());
    BOOST_TEST(provider(with_accounts(5, 3), owner.c_str()).status == 503u);
    BOOST_TEST(listed(5) == 2u);
    // Somebody else's presence with other accounts neither changes it nor keeps it in.
    BOOST_TEST(provider(with_accounts(5, 3), of_source(6).c_str()).status == 409u);
  }
  BOOST_TEST(said("503 from 198.51.100.5: full"));
  BOOST_TEST(provider(with_accounts(5, 1), owner.c_str()).status == 201u);
  BOOST_TEST(listed(5) == 1u);
  clock.advance(10s);
  BOOST_TEST(listed(5) == 1u);
  directory.expire();
  BOOST_TEST(listed(5) == 0u);
  // What left is free again.
  BOOST_TEST(provider(with_accounts(4, wire::kMaxAccounts), of_source(4).c_str()).status == 201u);
}

BOOST_AUTO_TEST_CASE(one_source_has_a_quarter_of_the_accounts) {
  BOOST_TEST(provider(with_accounts(1, wire::kMaxAccounts)).status == 201u);
  BOOST_TEST(provider(with_accounts(2, 1)).status == 503u);
  BOOST_TEST(provider(with_accounts(2, 0)).status == 201u);
  // A restart with another key takes the place of the old one, accounts and all.
  topology::ProviderInfo again = with_accounts(3, wire::kMaxAccounts);
  again.mixnet_listener = sample_provider(1).mixnet_listener;
  again.client_listener = sample_provider(1).client_listener;
  BOOST_TEST(provider(again).status == 201u);
  BOOST_TEST(listed(1) == 0u);
}

BOOST_AUTO_TEST_CASE(a_topology_with_everybody_in_it_fits) {
  topology::MixInfo mix = sample_mix(0, 1);
  mix.version = "0.4.0-" + std::string(wire::kMaxVersionLength - 6, 'v');
  mix.location = std::string(wire::kMaxLocationLength, 'l');
  const std::string longest(wire::kMaxHostLength - 9, 'h');
  ByteArray<32> bytes;
  bytes.fill(0xff);
  for (std::size_t n = 0; n < wire::kMaxMixnodes; ++n) {
    bytes[30] = static_cast<std::uint8_t>(n >> 8);
    bytes[31] = static_cast<std::uint8_t>(n);
    mix.public_key = crypto::PublicKey(bytes);
    mix.host = longest + std::to_string(1000 + n) + ":9999";
    BOOST_REQUIRE(this->mix(mix, kHere).status == 201u);
  }
  bytes[0] = 0xfe;
  for (unsigned n = 1; n <= wire::kMaxListedAccounts / wire::kMaxAccounts; ++n) {
    topology::ProviderInfo provider = sample_provider(n);
    provider.registered_clients.assign(wire::kMaxAccounts, crypto::PublicKey(bytes));
    BOOST_REQUIRE(this->provider(provider, kHere).status == 201u);
  }
  clock.advance(wire::kLargeTopologyAge);
  const std::size_t size = topology().content().size();
  BOOST_TEST(size <= wire::kMaxTopologyBytes);
  BOOST_TEST_MESSAGE("the largest topology has " << size << " bytes");
}

BOOST_AUTO_TEST_CASE(a_large_topology_is_made_once_a_second_whatever_changes) {
  provider(with_accounts(1, 5000));
  const auto first = topology();
  BOOST_REQUIRE(first.content().size() > wire::kLargeTopologyBytes);
  clock.advance(wire::kLargeTopologyAge - 1ns);
  mix(sample_mix(1, 1));
  const auto same = topology();
  BOOST_TEST(same.shared_body.get() == first.shared_body.get());
  BOOST_TEST(etag_of(same) == etag_of(first));
  clock.advance(1ns);
  const auto later = topology();
  BOOST_TEST(later.content().find("localhost:1001") != std::string::npos);
  BOOST_TEST(etag_of(later) != etag_of(first));
}

BOOST_AUTO_TEST_CASE(a_window_takes_so_many_reports_and_no_more) {
  for (std::size_t i = 0; i < wire::kMaxMetricsRows / 4; ++i)
    mix_metrics(1);
  BOOST_TEST(mix_metrics(1).status == 503u);
  BOOST_TEST(mix_metrics(1, of_source(1).c_str()).status == 201u);
  for (std::size_t i = 1; i < wire::kMaxMetricsRows - wire::kMaxMetricsRows / 4; ++i)
    mix_metrics(1, kHere);
  BOOST_TEST(mix_metrics(1, kHere).status == 503u);
  clock.advance(3s);
  BOOST_TEST(mix_metrics(1).status == 201u);
}

BOOST_AUTO_TEST_SUITE_END()
