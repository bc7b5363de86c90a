// SPDX-License-Identifier: Apache-2.0
// The whole directory over real connections, asked by the programs' own client code.
#include "src/directory/server.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "src/directory/feed.h"
#include "src/runtime/http_client.h"
#include "src/runtime/run_task.h"
#include "src/topology/fields.h"
#include "src/topology/json.h"
#include "src/topology/sample_infos.h"
#include "src/wire/limits.h"

using namespace mix;
using namespace mix::directory;
using runtime::Task;
using runtime::WebSocket;

namespace {

std::string kind_of(std::string_view text) {
  return std::string(boost::json::parse(text).at("kind").as_string());
}

struct Fixture {
  runtime::Loop loop;
  std::vector<std::string> lines;
  Server server;

  explicit Fixture(Duration ping_interval = wire::kWatcherPingInterval)
      : server(loop, [this](const std::string& line) { lines.push_back(line); }, ping_interval) {
    BOOST_REQUIRE(server.listen(runtime::Address::ipv4({127, 0, 0, 1}, 0)).has_value());
  }
  std::string at(std::string_view scheme) const {
    return std::string(scheme) + "://" + server.local().to_text();
  }
  Task<unsigned> status_of_post(std::string path, std::string body) {
    runtime::HttpClient client(loop, at("http"));
    const auto answer = co_await client.post(std::move(path), std::move(body));
    BOOST_REQUIRE(answer.has_value());
    co_return answer->status;
  }
  /// So many POSTs at once, on one connection, until all are answered.
  Task<> flood(std::string path, std::string body, std::size_t many) {
    auto stream = co_await runtime::Stream::connect(loop, server.local(), 5s);
    const std::string one =
        "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\n\r\n" + body;
    std::string all;
    for (std::size_t n = 0; n < many; ++n)
      all += one;
    co_await stream->write_all(as_bytes(all));
    stream->shutdown_send();
    Bytes buffer(64 * 1024);
    for (;;) {
      const auto got = co_await stream->read_some(buffer);
      if (!got || *got == 0) co_return;
    }
  }
  /// The first text of this kind that comes.
  static Task<std::string> next_of(WebSocket& socket, std::string kind) {
    for (;;) {
      const auto message = co_await socket.read();
      BOOST_REQUIRE_MESSAGE(message.has_value(), kind << " does not come");
      if (kind_of(message->body) == kind) co_return message->body;
    }
  }
  /// What a browser's page with this Host and Origin reads from /ws/live until a text ends so.
  Task<std::string> watches(std::string host, std::string_view until) {
    auto stream = co_await runtime::Stream::connect(loop, server.local(), 5s);
    co_await stream->write_all(
        as_bytes("GET /ws/live HTTP/1.1\r\nHost: " + host + "\r\nOrigin: http://" + host +
                 "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: "
                 "13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"));
    std::string got;
    Bytes buffer(4096);
    while (got.find(until) == std::string::npos) {
      const auto read = co_await stream->read_some(buffer);
      BOOST_REQUIRE((read && *read > 0));
      got.append(as_text(BytesView(buffer).first(*read)));
    }
    co_return got;
  }
};
struct Impatient : Fixture {
  Impatient() : Fixture(1s) {}
};

const std::string kReport = topology::to_report_json(
    topology::MixMetrics{topology::sample_key(1), 10, {{"127.0.0.1:9981", 4}}, 0});

}  // namespace

BOOST_FIXTURE_TEST_SUITE(server, Fixture)

BOOST_AUTO_TEST_CASE(every_endpoint_answers) {
  runtime::HttpClient client(loop, at("http"));
  const auto task = [&]() -> Task<> {
    for (const char* path :
         {"/api/healthcheck", "/api/presence/topology", "/api/metrics/mixes",
          "/api/metrics/clients", "/", "/plain", "/page/main.js", "/page/style.css"}) {
      const auto answer = co_await client.get(path);
      BOOST_TEST((answer && answer->status == 200), path);
    }
    const std::pair<const char*, std::string> posts[] = {
        {"/api/presence/mixnodes", topology::to_presence_json(topology::sample_mix(1, 1))},
        {"/api/presence/mixproviders", topology::to_presence_json(topology::sample_provider(2))},
        {"/api/presence/coconodes", topology::to_presence_json(topology::sample_coco(3))},
        {"/api/metrics/mixes", kReport},
        {"/api/metrics/clients",
         topology::to_report_json(topology::ClientMetrics{topology::sample_key(4), 1, 1, 0, 0})}};
    for (const auto& [path, body] : posts) {
      const auto answer = co_await client.post(path, body);
      BOOST_TEST((answer && answer->status == 201), path);
    }
    const auto missing = co_await client.get("/api/presence/mixnodes");
    BOOST_TEST(missing->status == 404u);
    const auto all = co_await client.get("/api/presence/topology");
    const auto read = topology::topology_from_json(all->body);
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST(read->topology.mixes().size() == 1u);
    BOOST_TEST(read->topology.providers().size() == 1u);
    const auto same = co_await client.get("/api/presence/topology", all->etag);
    BOOST_TEST(same->status == 304u);
  };
  run_task(loop, task());
}

BOOST_AUTO_TEST_CASE(a_provider_with_every_account_is_taken_and_a_larger_body_is_not) {
  topology::ProviderInfo provider = topology::sample_provider(1);
  ByteArray<32> longest;
  longest.fill(0xff);
  provider.registered_clients.assign(topology::kMaxRegisteredClients, crypto::PublicKey(longest));
  const std::string body = topology::to_presence_json(provider);
  const auto task = [&]() -> Task<> {
    const unsigned full = co_await status_of_post("/api/presence/mixproviders", body);
    BOOST_TEST(full == 201u);
    const unsigned larger =
        co_await status_of_post("/api/presence/mixproviders", std::string(1'048'577, ' '));
    BOOST_TEST(larger == 400u);
  };
  run_task(loop, task());
}

BOOST_AUTO_TEST_CASE(a_web_page_has_nothing_to_report) {
  const auto task = [&]() -> Task<> {
    auto stream = co_await runtime::Stream::connect(loop, server.local(), std::chrono::seconds(5));
    BOOST_REQUIRE(stream.has_value());
    const std::string body = topology::to_presence_json(topology::sample_mix(1, 1));
    const std::string text = "POST /api/presence/mixnodes HTTP/1.1\r\nHost: localhost\r\n" +
                             std::string("Origin: https://evil.example\r\nContent-Length: ") +
                             std::to_string(body.size()) + "\r\n\r\n" + body;
    (void)co_await stream->write_all(as_bytes(text));
    Bytes status(12);
    (void)co_await stream->read_full(status);
    BOOST_TEST(as_text(status) == "HTTP/1.1 403");
    // Nor may a name that was made to mean this machine ask for what stays on it.
    auto other = co_await runtime::Stream::connect(loop, server.local(), std::chrono::seconds(5));
    (void)co_await other->write_all(
        as_bytes("GET /api/metrics/clients HTTP/1.1\r\nHost: evil.example\r\n\r\n"));
    (void)co_await other->read_full(status);
    BOOST_TEST(as_text(status) == "HTTP/1.1 403");
  };
  runtime::run_task(loop, task());
  BOOST_TEST(loop.refusals().of(runtime::Refusal::origin) == 1u);
}

BOOST_AUTO_TEST_CASE(a_body_over_the_limit_is_a_json_error_that_names_it) {
  runtime::HttpClient client(loop, at("http"));
  const auto task = [&]() -> Task<> {
    const auto answer = co_await client.post("/api/presence/mixnodes", std::string(1'048'577, ' '));
    BOOST_REQUIRE(answer.has_value());
    BOOST_TEST(answer->status == 400u);
    BOOST_TEST(answer->body == R"({"error":"body: over the limit of 1048576 bytes"})");
  };
  run_task(loop, task());
}

BOOST_AUTO_TEST_CASE(watchers_hear_reports_and_are_not_heard) {
  const auto task = [&]() -> Task<> {
    auto one = co_await WebSocket::connect(loop, at("ws") + "/ws");
    auto two = co_await WebSocket::connect(loop, at("ws") + "/ws", at("http"));
    BOOST_REQUIRE((one && two));
    const auto evil = co_await WebSocket::connect(loop, at("ws") + "/ws", "http://evil.example");
    BOOST_TEST(!evil.has_value());
    co_await one->send_and_flush("{\"pubKey\":\"forged\"}");
    const unsigned status = co_await status_of_post("/api/metrics/mixes", kReport);
    BOOST_TEST(status == 201u);
    for (auto* socket : {&*one, &*two}) {
      const auto message = co_await socket->read();
      BOOST_REQUIRE(message.has_value());
      BOOST_TEST(message->body.starts_with("{\"pubKey\":\"" + topology::sample_key(1).to_base58()));
      BOOST_TEST(message->body.find("timestamp") != std::string::npos);
    }
    BOOST_TEST(server.watchers() == 2u);
    co_await two->close(WebSocket::CloseCode::normal);
    while (server.watchers() == 2)
      co_await loop.yield();
    BOOST_TEST(server.watchers() == 1u);
  };
  run_task(loop, task());
}

BOOST_AUTO_TEST_CASE(a_live_watcher_hears_who_is_in_and_then_what_happens) {
  const auto task = [&]() -> Task<> {
    co_await status_of_post("/api/presence/mixnodes",
                            topology::to_presence_json(topology::sample_mix(1, 1)));
    auto old = co_await WebSocket::connect(loop, at("ws") + "/ws");
    auto live = co_await WebSocket::connect(loop, at("ws") + "/ws/live", at("http"));
    BOOST_REQUIRE((old && live));
    const auto next = [&]() -> Task<std::string> {
      const auto message = co_await live->read();
      BOOST_REQUIRE(message.has_value());
      co_return message->body;
    };
    const std::string hello = co_await next(), nodes = co_await next(), reports = co_await next();
    BOOST_TEST(hello.starts_with("{\"kind\":\"hello\""));
    BOOST_TEST(hello.ends_with("\"loops\":true}"));  // we are on this machine
    BOOST_TEST(nodes.find("localhost:1001") != std::string::npos);
    BOOST_TEST(reports == R"({"kind":"reports","mixes":[],"clients":[],"cut":false})");
    co_await status_of_post("/api/presence/mixproviders",
                            topology::to_presence_json(topology::sample_provider(2)));
    co_await status_of_post("/api/presence/mixnodes", "nonsense");
    co_await status_of_post(
        "/api/metrics/clients",
        topology::to_report_json(topology::ClientMetrics{topology::sample_key(4), 1, 1, 0, 0}));
    co_await status_of_post("/api/metrics/mixes", kReport);
    for (const char* kind : {"node", "refused", "loops", "report"}) {
      const std::string text = co_await next();
      BOOST_TEST(text.starts_with("{\"kind\":\"" + std::string(kind) + "\""), text);
    }
    // Who watches /ws hears what an original would say, and nothing else.
    const auto heard = co_await old->read();
    BOOST_TEST(heard->body.starts_with("{\"pubKey\":\""));
    const auto evil =
        co_await WebSocket::connect(loop, at("ws") + "/ws/live", "http://evil.example");
    BOOST_TEST(!evil.has_value());
  };
  run_task(loop, task());
}

BOOST_AUTO_TEST_CASE(so_many_watch_and_no_more) {
  const auto task = [&]() -> Task<> {
    std::vector<WebSocket> all;
    for (std::size_t n = 0; n < wire::kMaxWatchers; ++n) {
      auto one = co_await WebSocket::connect(loop, at("ws") + (n % 2 == 0 ? "/ws" : "/ws/live"));
      BOOST_REQUIRE(one.has_value());
      all.push_back(std::move(*one));
    }
    const auto refused = co_await WebSocket::connect(loop, at("ws") + "/ws/live");
    BOOST_TEST(!refused.has_value());
    all.pop_back();
    while (server.watchers() == wire::kMaxWatchers)
      co_await loop.yield();
    const auto welcome = co_await WebSocket::connect(loop, at("ws") + "/ws/live");
    BOOST_TEST(welcome.has_value());
  };
  run_task(loop, task());
}

BOOST_AUTO_TEST_CASE(handshakes_made_at_once_do_not_pass_the_bound) {
  constexpr std::size_t kMany = 3 * wire::kMaxWatchers;
  std::size_t answered = 0, most = 0;
  std::vector<WebSocket> all;
  for (std::size_t n = 0; n < kMany; ++n)
    loop.spawn([](Fixture& f, std::size_t& done, std::vector<WebSocket>& kept) -> Task<> {
      auto one = co_await WebSocket::connect(f.loop, f.at("ws") + "/ws");
      if (one) kept.push_back(std::move(*one));
      ++done;
    }(*this, answered, all));
  const auto task = [&]() -> Task<> {
    while (answered < kMany) {
      most = std::max(most, server.watchers());
      co_await loop.yield();
    }
    most = std::max(most, server.watchers());
  };
  run_task(loop, task());
  BOOST_TEST(most == wire::kMaxWatchers);
}

BOOST_AUTO_TEST_CASE(of_a_flood_of_refusals_some_are_told_and_the_rest_is_a_number) {
  constexpr std::size_t kMany = 3000;
  const auto task = [&]() -> Task<> {
    auto live = co_await WebSocket::connect(loop, at("ws") + "/ws/live");
    BOOST_REQUIRE(live.has_value());
    co_await next_of(*live, "reports");
    loop.spawn(flood("/api/presence/mixnodes", "nonsense", kMany));
    std::size_t told = 0, counted = 0;
    while (told + counted < kMany) {
      const auto text = co_await live->read();
      BOOST_REQUIRE(text.has_value());
      const auto kind = kind_of(text->body);
      BOOST_REQUIRE((kind == "refused" || kind == "more"));
      if (kind == "refused")
        ++told;
      else
        counted += std::stoul(text->body.substr(text->body.find("count\":") + 7));
    }
    BOOST_TEST(told + counted == kMany);
    BOOST_TEST(told <= kMany / 10);  // twenty a second
    BOOST_TEST(told >= wire::kMaxRefusalsTold);
  };
  run_task(loop, task());
}

BOOST_AUTO_TEST_CASE(a_watcher_slower_than_what_happens_stays_and_is_told_what_it_missed) {
  const std::string mix = topology::to_presence_json(topology::sample_mix(1, 1));
  const auto task = [&]() -> Task<> {
    co_await status_of_post("/api/presence/mixnodes", mix);
    const runtime::WebSocketLimits roomy{.max_message = 2 * wire::kMaxToldAtOnceBytes};
    auto live = co_await WebSocket::connect(loop, at("ws") + "/ws/live", {}, roomy);
    auto old = co_await WebSocket::connect(loop, at("ws") + "/ws");
    BOOST_REQUIRE((live && old));
    co_await next_of(*live, "reports");
    // A turn brings sixteen requests, and writes a text or two.
    loop.spawn(flood("/api/presence/mixnodes", mix, 3000));
    loop.spawn(flood("/api/metrics/mixes", kReport, 3000));
    const std::string missed = co_await next_of(*live, "missed");
    BOOST_TEST(missed.find("\"count\":0") == std::string::npos);
    for (const char* kind : {"hello", "nodes", "reports"}) {
      const auto text = co_await live->read();
      BOOST_REQUIRE(text.has_value());
      BOOST_TEST(kind_of(text->body) == kind);
    }
    BOOST_TEST(server.watchers() == 2u);
    // And both go on.
    co_await status_of_post("/api/presence/mixnodes",
                            topology::to_presence_json(topology::sample_mix(2, 2)));
    for (;;) {
      const auto text = co_await live->read();
      BOOST_REQUIRE(text.has_value());
      if (text->body.find("localhost:1002") != std::string::npos) break;
    }
    BOOST_TEST((co_await old->read()).has_value());
    BOOST_TEST(server.watchers() == 2u);
  };
  run_task(loop, task());
  BOOST_TEST(loop.refusals().of(runtime::Refusal::slow_reader) == 0u);
}

BOOST_AUTO_TEST_CASE(loops_are_not_for_a_page_whose_name_was_made_to_mean_this_machine) {
  const std::string loops =
      topology::to_report_json(topology::ClientMetrics{topology::sample_key(4), 1, 1, 0, 0});
  const auto task = [&]() -> Task<> {
    co_await status_of_post("/api/metrics/clients", loops);
    const std::string port = server.local().to_text().substr(9);
    for (const std::string& host : {"localhost" + port, "127.0.0.1" + port, "[::1]" + port}) {
      const std::string ours = co_await watches(host, "\"cut\":");
      BOOST_TEST(ours.find("\"loops\":true") != std::string::npos, host);
      BOOST_TEST(ours.find("loopsSent") != std::string::npos, host);
    }
    const std::string strange = co_await watches("evil.example" + port, "\"cut\":");
    BOOST_TEST(strange.find("\"loops\":false") != std::string::npos);
    BOOST_TEST(strange.find("loopsSent") == std::string::npos);
  };
  run_task(loop, task());
}

BOOST_AUTO_TEST_CASE(the_page_without_a_script_is_made_once_a_second_at_most) {
  runtime::HttpClient client(loop, at("http"));
  const auto task = [&]() -> Task<> {
    const Instant began = loop.now();
    const auto first = co_await client.get("/plain");
    co_await status_of_post("/api/presence/mixnodes",
                            topology::to_presence_json(topology::sample_mix(1, 1)));
    auto again = co_await client.get("/plain");
    if (loop.now() < began + wire::kPlainPageAge) BOOST_TEST(again->body == first->body);
    while (loop.now() < began + wire::kPlainPageAge || again->body == first->body)
      again = co_await client.get("/plain");
    BOOST_TEST(again->body.find("localhost:1001") != std::string::npos);
  };
  run_task(loop, task());
}

BOOST_FIXTURE_TEST_CASE(a_watcher_that_does_not_read_is_let_go_and_others_are_not, Impatient) {
  // Reports as large as they may be fill a deaf watcher's buffers soon.
  topology::MixMetrics large{topology::sample_key(1), 10, {}, 0};
  for (std::size_t peer = 0; peer < topology::kMaxMetricsPeers; ++peer)
    large.sent["127.0.0.1:" + std::to_string(10'000 + peer)] = 1'000'000'000'000;
  const std::string body = topology::to_report_json(large);
  const auto task = [&]() -> Task<> {
    const runtime::WebSocketLimits roomy{.max_message = 1024 * 1024};
    auto deaf = co_await WebSocket::connect(loop, at("ws") + "/ws/live", {}, roomy);
    auto keen = co_await WebSocket::connect(loop, at("ws") + "/ws/live", {}, roomy);
    BOOST_REQUIRE((deaf && keen));
    for (int n = 0; n < 3; ++n)
      co_await keen->read();  // the opening
    BOOST_TEST(server.watchers() == 2u);
    unsigned told = 0;
    while (server.watchers() == 2) {
      BOOST_REQUIRE(told < 400u);
      co_await status_of_post("/api/metrics/mixes", body);
      const auto heard = co_await keen->read();
      // A window takes so many bytes: its refusals are told, too, in the end as a number.
      BOOST_REQUIRE(heard.has_value());
      ++told;
    }
    BOOST_TEST(server.watchers() == 1u);
    BOOST_TEST(keen->is_open());
    BOOST_TEST_MESSAGE("dropped after " << told << " texts of " << body.size() << " bytes");
  };
  run_task(loop, task());
}

BOOST_AUTO_TEST_SUITE_END()
