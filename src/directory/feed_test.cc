// SPDX-License-Identifier: Apache-2.0
#include "src/directory/feed.h"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>
#include <string>

#include "src/topology/sample_infos.h"

using namespace mix;
using namespace mix::directory;
using topology::sample_key;

namespace {

constexpr WallTime kNow{1'580'000'000s};

topology::MixMetrics metrics_of(unsigned key, std::size_t peers) {
  topology::MixMetrics out{sample_key(key), 1, {}, 0};
  for (std::size_t peer = 0; peer < peers; ++peer)
    out.sent["127.0.0.1:" + std::to_string(10'000 + peer)] = peer;
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(feed_texts)

BOOST_AUTO_TEST_CASE(hello_says_since_when_and_what_will_be_told) {
  const std::string text = feed::hello(kNow, kNow - 1s, true);
  BOOST_TEST(text.starts_with(R"({"kind":"hello","feed":1,"version":"0.4.)"));
  BOOST_TEST(
      text.ends_with(R"("now":1580000000000000000,"since":1579999999000000000,"loops":true})"));
}

BOOST_AUTO_TEST_CASE(accounts_are_counted_not_listed) {
  topology::ProviderInfo provider = topology::sample_provider(2);
  provider.registered_clients.assign(wire::kMaxAccounts, sample_key(9));
  const std::string text = feed::nodes({{}, {provider}, {topology::sample_coco(3)}});
  BOOST_TEST(text == "{\"kind\":\"nodes\",\"mixes\":[],\"providers\":[{\"pubKey\":\"" +
                         sample_key(2).to_base58() +
                         "\",\"mixnetListener\":\"127.0.0.1:30002\",\"clientListener\":"
                         "\"127.0.0.1:20002\",\"accounts\":10000,\"version\":\"0.4.0-mixlab.1\","
                         "\"location\":\"\",\"lastSeen\":0}],\"coconodes\":[{\"pubKey\":\"" +
                         sample_key(3).to_base58() +
                         "\",\"host\":\"127.0.0.1:40003\",\"type\":\"validator\",\"version\":"
                         "\"0.4.0\",\"location\":\"\",\"lastSeen\":0}]}");
}

BOOST_AUTO_TEST_CASE(everybody_with_the_longest_names_stays_within_the_bound) {
  // One entry of each kind, as long as fields.h allows, times how many there may be.
  const std::string host(wire::kMaxHostLength, 'h'), version(wire::kMaxVersionLength, '9'),
      location(wire::kMaxLocationLength, 'x');
  ByteArray<32> longest;
  longest.fill(0xff);
  const crypto::PublicKey key(longest);
  const topology::MixInfo mix{host, key, version, 4, location, unix_ns(kNow)};
  const topology::ProviderInfo provider{host, host, key, version, {}, location, unix_ns(kNow)};
  const topology::CocoInfo coco{host, key, version, std::string(32, 't'), location, unix_ns(kNow)};
  const std::size_t empty = feed::nodes({}).size();
  std::size_t all = empty;
  all += wire::kMaxMixnodes * (feed::nodes({{mix}, {}}).size() - empty + 1);
  all += wire::kMaxProviders * (feed::nodes({{}, {provider}}).size() - empty + 1);
  all += wire::kMaxCoconodes * (feed::nodes({{}, {}, {coco}}).size() - empty + 1);
  BOOST_TEST(all <= feed::kMaxNodesBytes);
  BOOST_TEST(feed::kMaxNodesBytes <= wire::kMaxWatcherQueueBytes);
}

BOOST_AUTO_TEST_CASE(of_too_many_reports_the_latest_are_told_and_that_it_is_not_all) {
  std::vector<topology::MixMetrics> many;
  for (unsigned key = 0; key < 50; ++key)
    many.push_back(metrics_of(key, 100));
  const std::size_t one = topology::to_json(many[0]).size();
  const auto told = [&](std::size_t most) {
    const std::string text = feed::reports(many, {}, most);
    BOOST_TEST(text.size() <= most + 100);
    const auto all = boost::json::parse(text).as_object();
    BOOST_TEST(all.at("cut").as_bool() == (all.at("mixes").as_array().size() < many.size()));
    return all.at("mixes").as_array();
  };
  BOOST_TEST(told(wire::kMaxToldAtOnceBytes).size() == 50u);
  const auto few = told(3 * (one + 10));
  BOOST_REQUIRE(few.size() == 3u);
  BOOST_TEST(std::string(few[2].as_object().at("pubKey").as_string()) ==
             sample_key(49).to_base58());
  BOOST_TEST(told(10).empty());
}

BOOST_AUTO_TEST_CASE(clients_reports_go_before_those_of_mixes) {
  std::vector<topology::MixMetrics> mixes(9, metrics_of(1, 10));
  std::vector<topology::ClientMetrics> clients(3,
                                               topology::ClientMetrics{sample_key(4), 1, 1, 0, 0});
  const std::size_t room = 3 * (topology::to_json(clients[0]).size() + 1);
  const auto all = boost::json::parse(feed::reports(mixes, clients, room)).as_object();
  BOOST_TEST(all.at("clients").as_array().size() == 3u);
  BOOST_TEST(all.at("mixes").as_array().empty());
}

BOOST_AUTO_TEST_CASE(a_reason_is_short_and_printable_whatever_a_stranger_sent) {
  const std::string evil = "<script>\x1b[31m\xff\xc3\n\"" + std::string(10'000, 'x');
  const std::string text = feed::refused("/api/presence/mixnodes", 400, evil, kNow);
  BOOST_TEST(text.size() < 400u);
  BOOST_TEST(text.starts_with(
      R"({"kind":"refused","path":"/api/presence/mixnodes","status":400,"why":"<script>?[31m???\"xx)"));
  for (const char c : text)
    BOOST_TEST((c >= ' ' && c <= '~'));
}

BOOST_AUTO_TEST_CASE(what_was_not_told_one_by_one_is_told_as_a_number) {
  BOOST_TEST(feed::more("refused", 7, kNow) ==
             R"({"kind":"more","of":"refused","count":7,"now":1580000000000000000})");
  BOOST_TEST(feed::missed(7, kNow) == R"({"kind":"missed","count":7,"now":1580000000000000000})");
}

BOOST_AUTO_TEST_CASE(a_report_is_told_as_it_is_answered_elsewhere) {
  const auto metrics = metrics_of(1, 2);
  BOOST_TEST(feed::report(metrics) ==
             "{\"kind\":\"report\",\"report\":" + topology::to_json(metrics) + "}");
  BOOST_TEST(feed::gone("mix", sample_key(1), kNow) ==
             "{\"kind\":\"gone\",\"role\":\"mix\",\"pubKey\":\"" + sample_key(1).to_base58() +
                 "\",\"now\":1580000000000000000}");
}

BOOST_AUTO_TEST_SUITE_END()
