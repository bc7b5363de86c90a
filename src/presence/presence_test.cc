// SPDX-License-Identifier: Apache-2.0
// Announcer and watcher against a server of the test's own, which answers what each case needs.
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "src/presence/announcer.h"
#include "src/presence/watcher.h"
#include "src/runtime/http_server.h"
#include "src/runtime/run_task.h"
#include "src/topology/json.h"
#include "src/topology/sample_infos.h"

using namespace mix;
using namespace mix::presence;
using runtime::HttpReply;
using runtime::HttpRequest;
using runtime::Task;

namespace {

struct Fixture {
  runtime::Loop loop;
  runtime::HttpServer server{loop};
  runtime::Event asked{loop};
  std::vector<HttpRequest> seen;
  std::function<HttpReply()> answer = [] { return HttpReply{201, "text/plain", "", {}}; };

  Fixture() {
    const auto handle = [this](const HttpRequest& request) {
      seen.push_back(request);
      asked.notify();
      return answer();
    };
    server.route("POST", kMixPresencePath, handle);
    server.route("GET", kTopologyPath, handle);
    BOOST_REQUIRE(server.listen(runtime::Address::ipv4({127, 0, 0, 1}, 0)).has_value());
  }
  std::string url() const { return "http://" + server.local().to_text(); }

  /// Until the server was asked `count` times in all.
  Task<> asked_times(std::size_t count) {
    while (seen.size() < count)
      co_await asked.wait();
  }
  static HttpReply with(const topology::Topology& topology, std::string etag = {}) {
    HttpReply reply;
    reply.body = topology::to_json(topology);
    if (!etag.empty()) reply.headers.emplace_back("ETag", etag);
    return reply;
  }
};

topology::Topology one_mix(unsigned number) {
  return {{topology::sample_mix(number, 1)}, {topology::sample_provider(1)}};
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(announcing, Fixture)

BOOST_AUTO_TEST_CASE(a_presence_is_posted_at_once_and_then_on_a_timetable) {
  int made = 0;
  Announcer announcer(loop, {url(), kMixPresencePath, "presence", 1ms},
                      [&] { return "{\"n\":" + std::to_string(++made) + "}"; });
  announcer.start();
  run_task(loop, asked_times(3));
  BOOST_TEST(seen[0].body == "{\"n\":1}");
  BOOST_TEST(seen[2].body == "{\"n\":3}");
  BOOST_TEST(announcer.taken() >= 2u);
}

BOOST_AUTO_TEST_CASE(metrics_wait_for_their_first_interval_and_an_empty_body_is_not_posted) {
  int made = 0;
  Announcer announcer(loop, {url(), kMixPresencePath, "metrics", 2ms, false},
                      [&] { return ++made == 1 ? std::string() : "{}"; });
  const Instant began = loop.now();
  announcer.start();
  run_task(loop, asked_times(1));
  BOOST_TEST((loop.now() - began >= 4ms));
  BOOST_TEST(made == 2);
}

BOOST_AUTO_TEST_CASE(a_directory_that_refuses_or_is_away_stops_nothing) {
  answer = [this] { return HttpReply{seen.size() < 3 ? 409u : 201u, "text/plain", "no", {}}; };
  Announcer announcer(loop, {url(), kMixPresencePath, "presence", 1ms}, [] { return "{}"; });
  announcer.start();
  run_task(loop, asked_times(5));
  BOOST_TEST(announcer.taken() >= 1u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(watching, Fixture)

BOOST_AUTO_TEST_CASE(the_first_view_comes_at_once_with_names_resolved) {
  answer = [] { return with(one_mix(1)); };
  Watcher watcher(loop, {url(), 1h, 1s});
  runtime::Event viewed(loop);
  BOOST_TEST(watcher.view() == nullptr);
  watcher.start([&](const auto&) { viewed.notify(); });
  run_task(loop, viewed.wait());
  BOOST_REQUIRE(watcher.view() != nullptr);
  BOOST_TEST(watcher.view()->number == 1u);
  BOOST_TEST(watcher.view()->topology.mixes().size() == 1u);
  BOOST_TEST(watcher.view()->addresses_of("localhost:1001").at(0).to_text() == "127.0.0.1:1001");
  BOOST_TEST(watcher.view()->addresses_of("127.0.0.1:30001").size() == 1u);
  BOOST_TEST(watcher.view()->addresses_of("nobody:1").empty());
}

BOOST_AUTO_TEST_CASE(what_did_not_change_is_asked_for_by_its_tag_and_is_no_new_view) {
  answer = [this] {
    HttpReply reply = with(one_mix(1), "\"a\"");
    if (seen.back().if_none_match == "\"a\"") reply.status = 304;
    return reply;
  };
  Watcher watcher(loop, {url(), 1ms, 1ms});
  int views = 0;
  watcher.start([&](const auto&) { ++views; });
  run_task(loop, asked_times(4));
  BOOST_TEST(seen[0].if_none_match.empty());
  BOOST_TEST(seen[1].if_none_match == "\"a\"");
  BOOST_TEST(seen[3].if_none_match == "\"a\"");
  BOOST_TEST(views == 1);
  BOOST_TEST(watcher.heard().has_value());
}

BOOST_AUTO_TEST_CASE(an_original_directory_without_tags_makes_no_new_view_by_time_alone) {
  std::int64_t now = 0;
  answer = [&now] {
    topology::MixInfo mix = topology::sample_mix(1, 1);
    mix.last_seen_ns = ++now;
    return with({{mix}, {}});
  };
  Watcher watcher(loop, {url(), 1ms, 1ms});
  int views = 0;
  watcher.start([&](const auto&) { ++views; });
  run_task(loop, asked_times(4));
  BOOST_TEST(views == 1);
}

BOOST_AUTO_TEST_CASE(who_leaves_accounts_out_hears_only_how_many_there_are) {
  answer = [this] {
    topology::ProviderInfo provider = topology::sample_provider(1);
    const auto number = static_cast<unsigned>(seen.size());
    provider.registered_clients.assign(3, topology::sample_key(number));
    return with({{topology::sample_mix(1, 1)}, {provider}});
  };
  Watcher::Options options{url(), 1ms, 1ms};
  int views = 0, whole_views = 0;
  Watcher whole(loop, options);
  options.accounts = topology::Accounts::left_out;
  Watcher watcher(loop, options);
  watcher.start([&](const auto& view) {
    ++views;
    BOOST_TEST(view->topology.providers()[0].registered_clients.empty());
    BOOST_TEST(view->accounts == 3u);
  });
  whole.start([&](const auto&) { ++whole_views; });
  run_task(loop, asked_times(8));
  BOOST_TEST(views == 1);
  BOOST_TEST(whole_views > 1);
}

BOOST_AUTO_TEST_CASE(the_last_good_topology_stays_whatever_the_directory_says) {
  std::vector<HttpReply> replies{with(one_mix(1)), HttpReply{500, "text/plain", "down", {}},
                                 HttpReply{200, "text/html", "<html>", {}},
                                 HttpReply{200, "application/json", "{}", {}}, with(one_mix(2))};
  answer = [&] { return replies[std::min(seen.size(), replies.size()) - 1]; };
  Watcher watcher(loop, {url(), 1ms, 1ms});
  runtime::Event second(loop);
  std::vector<std::string> hosts;
  watcher.start([&](const std::shared_ptr<const View>& view) {
    hosts.push_back(view->topology.mixes()[0].host);
    if (view->number == 2) second.notify();
  });
  run_task(loop, second.wait());
  BOOST_TEST(seen.size() >= 5u);
  BOOST_TEST(hosts == (std::vector<std::string>{"localhost:1001", "localhost:1002"}));
}

BOOST_AUTO_TEST_CASE(a_refresh_comes_soon_but_not_twice_within_the_gap) {
  answer = [] { return with(one_mix(1)); };
  Watcher watcher(loop, {url(), 1h, 5ms});
  std::vector<Instant> times;
  const auto old = answer;
  answer = [&] {
    times.push_back(loop.now());
    return old();
  };
  watcher.start();
  const auto task = [&]() -> Task<> {
    co_await asked_times(1);
    watcher.refresh_soon();
    watcher.refresh_soon();
    co_await asked_times(2);
    watcher.refresh_soon();
    co_await asked_times(3);
  };
  run_task(loop, task());
  BOOST_REQUIRE(times.size() == 3u);
  // The gap counts from question to question; an answer is written a little later than it is asked.
  BOOST_TEST((times[2] - times[0] >= 10ms - 1ms));
}

BOOST_AUTO_TEST_SUITE_END()
