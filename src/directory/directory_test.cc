// SPDX-License-Identifier: Apache-2.0
#include "src/directory/directory.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "src/directory/directory_fixture.h"
#include "src/directory/plain.h"

using namespace mix;
using namespace mix::directory;
using topology::sample_key;
using topology::sample_mix;
using topology::sample_provider;

BOOST_FIXTURE_TEST_SUITE(presences, Fixture)

BOOST_AUTO_TEST_CASE(a_presence_is_taken_shown_and_said) {
  const auto reply = mix(sample_mix(1, 1));
  BOOST_TEST(reply.status == 201u);
  BOOST_TEST(reply.body == R"({"ok":true})");
  BOOST_TEST(reply.content_type == "application/json; charset=utf-8");
  BOOST_REQUIRE(lines.size() == 1u);
  BOOST_TEST(lines[0] ==
             "2020-01-26T00:53:20.000Z POST /api/presence/mixnodes 201 mix "
             "localhost:1001 layer 1 " +
                 sample_key(1).to_base58() + " (new)");
  BOOST_TEST(topology().content() ==
             R"({"cocoNodes":[],"mixNodes":[{"host":"localhost:1001","pubKey":")" +
                 sample_key(1).to_base58() +
                 R"(","version":"0.4.0-rc.2","layer":1,"lastSeen":)"
                 R"(1580000000000000000}],"mixProviderNodes":[]})");
  BOOST_TEST(directory.health(request("GET", "/")).body == R"({"ok":true})");
}

BOOST_AUTO_TEST_CASE(providers_and_coconodes_are_taken_too) {
  auto reply = directory.provider_presence(request("POST", "/api/presence/mixproviders",
                                                   topology::to_presence_json(sample_provider(2))));
  BOOST_TEST(reply.status == 201u);
  reply = directory.coco_presence(request("POST", "/api/presence/coconodes",
                                          topology::to_presence_json(topology::sample_coco(3))));
  BOOST_TEST(reply.status == 201u);
  BOOST_TEST(directory.roster().topology().providers().size() == 1u);
  BOOST_TEST(directory.roster().topology().cocos().size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_coconode_is_shown_where_its_presence_came_from) {
  topology::CocoInfo coco = topology::sample_coco(3);
  const auto shown = [&](std::string host) {
    coco.host = std::move(host);
    directory.coco_presence(request("POST", "/", topology::to_presence_json(coco)));
    return directory.roster().topology().cocos()[0].host;
  };
  BOOST_TEST(shown("10.0.0.7:1789") == "192.0.2.1:1789");
  BOOST_TEST(shown("somewhere.example:1789") == "192.0.2.1:1789");
  BOOST_TEST(shown("localhost:1789") == "localhost:1789");
  BOOST_TEST(shown("[::1]:1789") == "[::1]:1789");
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_400_with_the_field_and_one_line) {
  auto bad = sample_mix(1, 1);
  bad.layer = 7;
  const auto reply = mix(bad);
  BOOST_TEST(reply.status == 400u);
  BOOST_TEST(reply.body == R"({"error":"layer: must be 1 to 4"})");
  BOOST_REQUIRE(lines.size() == 1u);
  BOOST_TEST(lines[0].ends_with("400 from 192.0.2.1: layer: must be 1 to 4"));
}

BOOST_AUTO_TEST_CASE(a_strangers_text_never_reaches_the_console) {
  const std::string evil = "\x1b[31m<script>\n";
  for (const char* field : {"host", "pubKey", "version", "location"}) {
    const std::string body = std::string("{\"host\":\"h:1\",\"pubKey\":\"") +
                             sample_key(1).to_base58() +
                             "\",\"version\":\"0.4.0\",\"layer\":1,\"location\":\"x\",\"" + field +
                             "\":\"\\u001b[31m<script>\\n\"}";
    BOOST_TEST(directory.mix_presence(request("POST", "/", body)).status == 400u, field);
  }
  directory.post_mix_metrics(request("POST", "/",
                                     "{\"pubKey\":\"" + sample_key(1).to_base58() +
                                         "\",\"received\":1,\"sent\":{\"\\u001b\":1}}"));
  BOOST_TEST(lines.size() == 5u);
  BOOST_TEST(!said("\x1b"));
  BOOST_TEST(!said("<"));
}

BOOST_AUTO_TEST_CASE(somebody_elses_living_entry_is_409_and_one_line) {
  mix(sample_mix(1, 1));
  lines.clear();
  const auto reply = mix(sample_mix(1, 2), "192.0.2.9:1");
  BOOST_TEST(reply.status == 409u);
  BOOST_TEST(reply.body.starts_with(R"({"error":")"));
  BOOST_TEST(lines.size() == 1u);
  BOOST_TEST(said("409 from 192.0.2.9"));
  clock.advance(10s);
  BOOST_TEST(mix(sample_mix(1, 2), "192.0.2.9:1").status == 201u);
}

BOOST_AUTO_TEST_CASE(entries_expire_and_that_is_said) {
  mix(sample_mix(1, 1));
  clock.advance(10s - 1ns);
  BOOST_TEST(topology().content().find("localhost:1001") != std::string::npos);
  BOOST_TEST((directory.next_expiry() == clock.now() + 1ns));
  clock.advance(1ns);
  BOOST_TEST(topology().content() == R"({"cocoNodes":[],"mixNodes":[],"mixProviderNodes":[]})");
  BOOST_TEST(said("1 entry expired"));
}

BOOST_AUTO_TEST_CASE(a_gap_in_the_layers_is_said_once_when_it_comes_and_when_it_goes) {
  const auto gaps = [&] {
    return std::ranges::count_if(lines, [](const std::string& line) {
      return line.find("GAP: layer 2") != std::string::npos;
    });
  };
  mix(sample_mix(1, 1));
  mix(sample_mix(2, 2));
  BOOST_TEST(gaps() == 0);
  clock.advance(6s);
  mix(sample_mix(1, 1));
  mix(sample_mix(3, 3));
  BOOST_TEST(gaps() == 0);
  clock.advance(5s);  // the only mix of layer 2 has gone
  directory.expire();
  BOOST_TEST(gaps() == 1);
  mix(sample_mix(1, 1));
  mix(sample_mix(3, 3));
  BOOST_TEST(gaps() == 1);
  BOOST_TEST(directory.plain_page(request("GET", "/plain")).body.find("class=\"gap\"") !=
             std::string::npos);
  mix(sample_mix(2, 2));
  BOOST_TEST(said("no gap any more"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(texts, Fixture)

BOOST_AUTO_TEST_CASE(replies_share_one_text_until_the_topology_changes) {
  mix(sample_mix(1, 1));
  const auto first = topology(), second = topology();
  BOOST_REQUIRE(first.shared_body);
  BOOST_TEST(first.body.empty());
  BOOST_TEST(first.shared_body.get() == second.shared_body.get());
  mix(sample_mix(2, 2));
  const auto third = topology();
  BOOST_TEST(third.shared_body.get() != first.shared_body.get());
  BOOST_TEST(third.content().find("localhost:1002") != std::string::npos);
  BOOST_TEST(first.content().find("localhost:1002") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_new_time_alone_makes_a_new_text_only_after_a_second) {
  mix(sample_mix(1, 1));
  const auto first = topology();
  clock.advance(1s - 1ns);
  mix(sample_mix(1, 1));
  BOOST_TEST(topology().shared_body.get() == first.shared_body.get());
  clock.advance(1ns);
  const auto later = topology();
  BOOST_TEST(later.shared_body.get() != first.shared_body.get());
  BOOST_TEST(later.content().find("1580000000999999999") != std::string::npos);
  clock.advance(1s);
  BOOST_TEST(topology().shared_body.get() == later.shared_body.get());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(etags, Fixture)

BOOST_AUTO_TEST_CASE(a_tag_names_everything_but_the_time) {
  mix(sample_mix(1, 1));
  const std::string first = etag_of(topology());
  BOOST_TEST(first.size() == 34u);
  clock.advance(1s);
  mix(sample_mix(1, 1));
  BOOST_TEST(etag_of(topology()) == first);
  BOOST_TEST(topology().content().find("1580000001000000000") != std::string::npos);
  const auto unchanged = topology(first);
  BOOST_TEST(unchanged.status == 304u);
  BOOST_TEST(unchanged.content().empty());
  BOOST_TEST(etag_of(unchanged) == first);
  BOOST_TEST(topology("W/" + first + ", \"x\"").status == 304u);
  BOOST_TEST(topology("\"x\"").status == 200u);
  mix(sample_mix(1, 2));
  BOOST_TEST(etag_of(topology()) != first);
  BOOST_TEST(topology(first).status == 200u);
  // The same content has the same tag, also after a restart of the directory.
  mix(sample_mix(1, 1));
  BOOST_TEST(etag_of(topology()) == first);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(metrics_windows, Fixture)

BOOST_AUTO_TEST_CASE(the_last_full_window_is_shown_and_does_not_change) {
  BOOST_TEST(metrics() == "[]");
  BOOST_TEST(mix_metrics(1).status == 201u);
  BOOST_TEST(metrics() == "[]");
  clock.advance(3s);
  const std::string shown = metrics();
  BOOST_TEST(shown == "[{\"pubKey\":\"" + sample_key(1).to_base58() +
                          "\",\"sent\":{\"127.0.0.1:9981\":4},\"received\":10,\"timestamp\":"
                          "1580000000000000000}]");
  mix_metrics(2);
  mix_metrics(3);
  BOOST_TEST(metrics() == shown);
  clock.advance(3s);
  BOOST_TEST(metrics().find(sample_key(3).to_base58()) != std::string::npos);
  BOOST_TEST(metrics().find(sample_key(1).to_base58()) == std::string::npos);
  clock.advance(3s);
  BOOST_TEST(metrics() == "[]");
  mix_metrics(4);
  clock.advance(9s);  // nobody looked for three windows
  BOOST_TEST(metrics() == "[]");
}

BOOST_AUTO_TEST_CASE(reports_are_said_and_told_to_watchers) {
  mix(sample_mix(1, 2));
  mix_metrics(1);
  mix_metrics(2);
  BOOST_TEST(lines[1].ends_with("mix localhost:1001 layer 2 received 10 sent 4") == false);
  BOOST_TEST(said("/api/metrics/mixes 201 mix localhost:1001 layer 2 received 10 sent 4"));
  BOOST_TEST(said("201 unknown " + sample_key(2).to_base58()));
  BOOST_REQUIRE(told.size() == 2u);
  BOOST_TEST(told[0].ends_with("\"timestamp\":1580000000000000000}"));
  BOOST_TEST(directory.post_mix_metrics(request("POST", "/", "{}")).status == 400u);
  BOOST_TEST(told.size() == 2u);
}

BOOST_AUTO_TEST_CASE(clients_report_from_this_machine_only) {
  const std::string body =
      topology::to_report_json(topology::ClientMetrics{sample_key(5), 20, 18, 2, 0});
  const auto post = [&](const char* from) {
    return directory.post_client_metrics(request("POST", "/api/metrics/clients", body, from))
        .status;
  };
  BOOST_TEST(post("192.0.2.1:1") == 403u);
  BOOST_TEST(post("127.0.0.1:1") == 201u);
  BOOST_TEST(post("[::1]:1") == 201u);
  BOOST_TEST(said("loops sent 20 home 18 lost 2"));
  BOOST_TEST(told.empty());
  clock.advance(3s);
  BOOST_TEST(directory.get_client_metrics(request("GET", "/", "", "127.0.0.1:1")).body.size() >
             100u);
  BOOST_TEST(directory.get_client_metrics(request("GET", "/")).status == 403u);
  auto of_a_page = request("GET", "/", "", "127.0.0.1:1");
  of_a_page.origin = "http://evil.example";
  BOOST_TEST(directory.get_client_metrics(of_a_page).status == 403u);
  of_a_page.origin = "http://localhost:8080";
  BOOST_TEST(directory.get_client_metrics(of_a_page).status == 200u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(rest, Fixture)

BOOST_AUTO_TEST_CASE(what_is_not_there_is_404_and_a_cors_question_is_answered) {
  auto asked = request("GET", "/api/nothing");
  BOOST_TEST(directory.fallback(asked).status == 404u);
  BOOST_TEST(directory.fallback(asked).body == "404 page not found");
  asked.method = "OPTIONS";
  BOOST_TEST(directory.fallback(asked).status == 404u);
  asked.origin = "http://elsewhere";
  BOOST_TEST(directory.fallback(asked).status == 204u);
}

BOOST_AUTO_TEST_CASE(the_plain_page_shows_text_as_text) {
  BOOST_TEST(escape_html("<a href='x'>&\"") == "&lt;a href=&#39;x&#39;&gt;&amp;&quot;");
  // The rules refuse such a host; the page does not rely on it.
  topology::MixInfo evil = sample_mix(1, 1);
  evil.host = evil.version = evil.location = "<script>alert(1)</script>";
  const std::string page = plain_page_of({{evil}, {}}, std::nullopt, clock.wall_now());
  BOOST_TEST(page.find("<script>alert") == std::string::npos);
  BOOST_TEST(page.find("&lt;script&gt;") != std::string::npos);
  mix(sample_mix(1, 1));
  const auto reply = directory.plain_page(request("GET", "/plain"));
  BOOST_TEST(reply.content_type == "text/html; charset=utf-8");
  BOOST_TEST(reply.body.find("localhost:1001") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(watched_live, Fixture)

BOOST_AUTO_TEST_CASE(presences_are_told_whole_when_they_are_news_and_briefly_when_not) {
  mix(sample_mix(1, 1));
  BOOST_REQUIRE(live.size() == 1u);
  BOOST_TEST((live[0].first == Audience::everyone));
  BOOST_TEST(live[0].second ==
             "{\"kind\":\"node\",\"role\":\"mix\",\"node\":{\"pubKey\":\"" +
                 sample_key(1).to_base58() +
                 "\",\"host\":\"localhost:1001\",\"layer\":1,\"version\":\"0.4.0-rc.2\","
                 "\"location\":\"\",\"lastSeen\":1580000000000000000},"
                 "\"new\":true,\"taken\":[]}");
  clock.advance(5s);
  mix(sample_mix(1, 1));
  BOOST_TEST(live[1].second == "{\"kind\":\"seen\",\"role\":\"mix\",\"pubKey\":\"" +
                                   sample_key(1).to_base58() +
                                   "\",\"lastSeen\":1580000005000000000}");
  mix(sample_mix(1, 2));
  BOOST_TEST(live[2].second.find("\"layer\":2") != std::string::npos);
  BOOST_TEST(live[2].second.find("\"new\":false") != std::string::npos);
  // A restarted node comes back with a new key, at the same address.
  auto again = sample_mix(7, 2);
  again.host = sample_mix(1, 1).host;
  mix(again);
  BOOST_TEST(
      live[3].second.ends_with("\"new\":true,\"taken\":[\"" + sample_key(1).to_base58() + "\"]}"));
  clock.advance(10s);
  directory.expire();
  BOOST_TEST(live[4].second == "{\"kind\":\"gone\",\"role\":\"mix\",\"pubKey\":\"" +
                                   sample_key(7).to_base58() + "\",\"now\":1580000015000000000}");
  BOOST_TEST(live.size() == 5u);
}

BOOST_AUTO_TEST_CASE(a_provider_that_takes_two_places_names_both) {
  auto one = sample_provider(1), two = sample_provider(2), both = sample_provider(3);
  both.mixnet_listener = one.mixnet_listener;
  both.client_listener = two.client_listener;
  for (const auto& provider : {one, two, both})
    directory.provider_presence(request("POST", "/", topology::to_presence_json(provider)));
  BOOST_TEST(live.back().second.ends_with("\"taken\":[\"" + sample_key(1).to_base58() + "\",\"" +
                                          sample_key(2).to_base58() + "\"]}"));
}

BOOST_AUTO_TEST_CASE(counts_are_told_everyone_and_loops_this_machine) {
  mix_metrics(1);
  BOOST_TEST(live[0].second == "{\"kind\":\"report\",\"report\":" + told[0] + "}");
  BOOST_TEST((live[0].first == Audience::everyone));
  const std::string body =
      topology::to_report_json(topology::ClientMetrics{sample_key(5), 20, 18, 2, 0});
  directory.post_client_metrics(request("POST", "/api/metrics/clients", body, "127.0.0.1:1"));
  BOOST_TEST((live[1].first == Audience::this_machine));
  BOOST_TEST(live[1].second.starts_with("{\"kind\":\"loops\",\"report\":{\"pubKey\":"));
  BOOST_TEST(told.size() == 1u);  // /ws is as in 0.4: mixes only
}

BOOST_AUTO_TEST_CASE(what_is_refused_is_told_without_its_sender) {
  directory.mix_presence(request("POST", "/api/presence/mixnodes", "{"));
  BOOST_REQUIRE(live.size() == 1u);
  BOOST_TEST(live[0].second.starts_with(
      R"({"kind":"refused","path":"/api/presence/mixnodes","status":400,"why":"not JSON: )"));
  BOOST_TEST(live[0].second.find("192.0.2.1") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_newcomer_is_told_who_is_in_and_the_last_reports_but_loops_only_here) {
  mix(sample_mix(1, 1));
  mix_metrics(1);
  clock.advance(3s);
  mix_metrics(2);
  const std::string body =
      topology::to_report_json(topology::ClientMetrics{sample_key(5), 20, 18, 2, 0});
  directory.post_client_metrics(request("POST", "/api/metrics/clients", body, "127.0.0.1:1"));
  const auto here = directory.opening(true), afar = directory.opening(false);
  BOOST_REQUIRE((here.size() == 3 && afar.size() == 3));
  BOOST_TEST(
      here[0].ends_with("\"now\":1580000003000000000,\"since\":1580000000000000000,"
                        "\"loops\":true}"));
  BOOST_TEST(afar[0].ends_with("\"loops\":false}"));
  BOOST_TEST(here[1] == afar[1]);
  BOOST_TEST(here[1].find("localhost:1001") != std::string::npos);
  BOOST_TEST(here[2] == "{\"kind\":\"reports\",\"mixes\":[" + told[0] + "," + told[1] +
                            "],\"clients\":[" +
                            live.back().second.substr(25, live.back().second.size() - 26) +
                            "],\"cut\":false}");
  BOOST_TEST(afar[2].ends_with("],\"clients\":[],\"cut\":false}"));
}

BOOST_AUTO_TEST_SUITE_END()
