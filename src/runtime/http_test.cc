// SPDX-License-Identifier: Apache-2.0
// Client and server against each other, and the server against raw bytes.
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "src/runtime/http_client.h"
#include "src/runtime/http_server.h"
#include "src/runtime/run_task.h"

using namespace mix;
using namespace mix::runtime;

namespace {

Address loopback() {
  return Address::ipv4({127, 0, 0, 1}, 0);
}

struct Fixture {
  Loop loop;
  HttpServer server;
  std::vector<HttpRequest> seen;

  explicit Fixture(HttpServerOptions options = {}) : server(loop, std::move(options)) {
    const auto answer = [this](const HttpRequest& request) {
      seen.push_back(request);
      return HttpReply{201, "text/plain", "got " + request.body, {{"ETag", "\"7\""}}};
    };
    server.route("POST", "/take", answer);
    server.route("GET", "/give", [this](const HttpRequest& request) {
      seen.push_back(request);
      HttpReply reply;
      reply.headers.emplace_back("ETag", "\"7\"");
      if (request.if_none_match == "\"7\"")
        reply.status = 304;
      else
        reply.body = "body";
      return reply;
    });
    BOOST_REQUIRE(server.listen(loopback()).has_value());
  }
  std::string url() const { return "http://" + server.local().to_text(); }

  /// Everything the server answers to these bytes, until it closes. Sent in pieces of `step`.
  Task<std::string> raw(std::string_view bytes, std::size_t step = SIZE_MAX) {
    auto stream = co_await Stream::connect(loop, server.local(), 5s);
    BOOST_REQUIRE(stream.has_value());
    while (!bytes.empty()) {
      const auto piece = bytes.substr(0, step);
      bytes.remove_prefix(piece.size());
      if (!co_await stream->write_all(as_bytes(piece))) break;
      co_await loop.yield();
    }
    std::string out;
    Bytes buffer(4096);
    for (;;) {
      const auto got = co_await stream->read_some(buffer);
      if (!got || *got == 0) co_return out;
      out.append(as_text(BytesView(buffer).first(*got)));
    }
  }
};

struct Tight : Fixture {
  static HttpServerOptions options() {
    HttpServerOptions out;
    out.max_header = 200;
    out.max_body = 100;
    out.exchange_time_out = 1ms;  // found by the sweep, a second later
    out.idle_limit = 1ms;
    return out;
  }
  Tight() : Fixture(options()) {}
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(http, Fixture)

BOOST_AUTO_TEST_CASE(questions_and_answers_over_one_connection) {
  HttpClient client(loop, url() + "/");
  const auto task = [&]() -> Task<> {
    auto posted = co_await client.post("/take", "{}");
    BOOST_REQUIRE(posted.has_value());
    BOOST_TEST(posted->status == 201u);
    BOOST_TEST(posted->body == "got {}");
    auto given = co_await client.get("/give");
    BOOST_REQUIRE(given.has_value());
    BOOST_TEST(given->status == 200u);
    BOOST_TEST(given->etag == "\"7\"");
    auto unchanged = co_await client.get("/give", given->etag);
    BOOST_REQUIRE(unchanged.has_value());
    BOOST_TEST(unchanged->status == 304u);
    BOOST_TEST(unchanged->body.empty());
    auto nowhere = co_await client.get("/nowhere?x=1");
    BOOST_REQUIRE(nowhere.has_value());
    BOOST_TEST(nowhere->status == 404u);
    BOOST_TEST(nowhere->body == "404 page not found");
    auto method = co_await client.get("/take");
    BOOST_TEST(method->status == 404u);
  };
  run_task(loop, task());
  BOOST_REQUIRE(seen.size() == 3u);
  BOOST_TEST(seen[0].peer.host_text() == "127.0.0.1");
  BOOST_TEST(seen[0].peer.port == seen[2].peer.port);
}

BOOST_AUTO_TEST_CASE(clients_of_one_loop_ask_a_server_in_turn_over_one_connection) {
  HttpClient one(loop, url()), other(loop, url());
  int answers = 0;
  const auto ask = [&](HttpClient& client) -> Task<> {
    for (int i = 0; i < 2; ++i) {
      const auto answer = co_await client.post("/take", "{}");
      BOOST_TEST(answer.has_value());
      ++answers;
    }
    if (answers == 4) loop.stop();
  };
  loop.spawn(ask(one));
  loop.spawn(ask(other));
  loop.run();
  BOOST_TEST(answers == 4);
  BOOST_REQUIRE(seen.size() == 4u);
  for (const HttpRequest& request : seen)
    BOOST_TEST(request.peer.port == seen[0].peer.port);
}

BOOST_AUTO_TEST_CASE(a_shared_body_arrives_as_any_other_and_is_let_go) {
  // Larger than what a socket takes at once, so that the server has to wait with the rest of it.
  auto text = std::make_shared<const std::string>(std::string(8'000'000, 'x') + "end");
  server.route("GET", "/shared", [&](const HttpRequest& request) {
    HttpReply reply;
    if (!request.query.empty()) reply.status = 304;
    reply.shared_body = text;
    return reply;
  });
  HttpClient client(loop, url(), {.time_out = 10s, .max_body = 10'000'000});
  const auto task = [&]() -> Task<> {
    for (int i = 0; i < 2; ++i) {
      const auto given = co_await client.get("/shared");
      BOOST_REQUIRE(given.has_value());
      BOOST_TEST((given->body == *text));
    }
    const auto unchanged = co_await client.get("/shared?304");
    BOOST_REQUIRE(unchanged.has_value());
    BOOST_TEST(unchanged->body.empty());
    const std::string head =
        co_await raw("HEAD /shared HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    BOOST_TEST(head.find("Content-Length: 8000003\r\n") != std::string::npos);
    BOOST_TEST(head.ends_with("\r\n\r\n"));
  };
  server.route("HEAD", "/shared", [&](const HttpRequest&) {
    HttpReply reply;
    reply.shared_body = text;
    return reply;
  });
  run_task(loop, task());
  BOOST_TEST(text.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(a_base_url_may_have_a_path) {
  server.route("GET", "/base/x", [](const HttpRequest&) { return HttpReply{}; });
  HttpClient client(loop, url() + "/base");
  const auto task = [&]() -> Task<> {
    auto answer = co_await client.get("/x");
    BOOST_TEST(answer->status == 200u);
  };
  run_task(loop, task());
}

BOOST_AUTO_TEST_CASE(a_body_of_a_mebibyte_comes_whole) {
  HttpClient client(loop, url());
  const std::string body(1024 * 1024, 'x');
  const auto task = [&]() -> Task<> {
    auto answer = co_await client.post("/take", body);
    BOOST_REQUIRE(answer.has_value());
    BOOST_TEST(answer->body.size() == body.size() + 4);
    auto larger = co_await client.post("/take", body + "x");
    BOOST_REQUIRE(larger.has_value());
    BOOST_TEST(larger->status == 413u);
    auto again = co_await client.post("/take", "after a refusal");
    BOOST_REQUIRE(again.has_value());
    BOOST_TEST(again->status == 201u);
  };
  run_task(loop, task());
}

BOOST_AUTO_TEST_CASE(a_refusal_reaches_who_is_still_sending) {
  HttpClient client(loop, url());
  const std::string body(6'000'000, 'x');  // more than the system buffers: the sender has to wait
  const auto task = [&]() -> Task<> {
    auto answer = co_await client.post("/take", body);
    BOOST_REQUIRE(answer.has_value());
    BOOST_TEST(answer->status == 413u);
  };
  run_task(loop, task());
}

BOOST_AUTO_TEST_CASE(a_kept_connection_that_the_server_closed_is_replaced) {
  // A server that closes after every answer without saying so.
  int accepted = 0;
  auto rude = Listener::open(loop, loopback());
  BOOST_REQUIRE(rude.has_value());
  rude->serve([&](Stream stream) -> Task<> {
    ++accepted;
    Bytes buffer(1000);
    co_await stream.read_some(buffer);
    co_await stream.write_all(as_bytes("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  });
  HttpClient client(loop, "http://" + rude->local().to_text());
  const auto task = [&]() -> Task<> {
    for (int i = 0; i < 3; ++i) {
      auto answer = co_await client.get("/");
      BOOST_REQUIRE(answer.has_value());
      BOOST_TEST(answer->body == "ok");
      co_await loop.sleep_for(1ms);  // the end of the stream arrives
    }
  };
  run_task(loop, task());
  BOOST_TEST(accepted == 3);
}

BOOST_AUTO_TEST_CASE(what_is_no_answer_is_an_error_with_the_address) {
  std::string text;
  auto liar = Listener::open(loop, loopback());
  liar->serve([&](Stream stream) -> Task<> {
    Bytes buffer(1000);
    co_await stream.read_some(buffer);
    co_await stream.write_all(as_bytes(text));
  });
  HttpClient client(loop, "http://" + liar->local().to_text(), {.time_out = 10s, .max_body = 10});
  const auto task = [&]() -> Task<> {
    for (const char* wrong :
         {"SSH-2.0\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "",
          "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n12345678901"}) {
      text = wrong;
      auto answer = co_await client.get("/");
      BOOST_TEST(!answer.has_value(), wrong);
      if (!answer)
        BOOST_TEST(answer.error().find(liar->local().to_text()) != std::string::npos,
                   answer.error());
    }
    text = "HTTP/1.1 200 OK\r\n\r\nto the end";  // ten bytes, no length
    auto answer = co_await client.get("/");
    BOOST_TEST(answer->body == "to the end");
  };
  run_task(loop, task());
}

BOOST_AUTO_TEST_CASE(nobody_there_is_an_error_that_says_so) {
  Address nobody;
  {
    auto listener = Listener::open(loop, loopback());
    nobody = listener->local();
  }
  HttpClient client(loop, "http://" + nobody.to_text());
  const auto task = [&]() -> Task<> {
    auto answer = co_await client.get("/");
    BOOST_REQUIRE(!answer.has_value());
    BOOST_TEST(answer.error() == "connecting to " + nobody.to_text() + ": refused");
  };
  run_task(loop, task());
}

BOOST_AUTO_TEST_CASE(requests_cut_anywhere_and_pipelined_are_answered_in_order) {
  const std::string bytes =
      "POST /take HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\none"
      "GET /give HTTP/1.1\r\nHost: x\r\n\r\n"
      "POST /take HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nthree";
  std::string whole, cut;
  const auto task = [&]() -> Task<> {
    whole = co_await raw(bytes);
    cut = co_await raw(bytes, 7);
  };
  run_task(loop, task());
  BOOST_TEST(whole.find("got one") < whole.find("body"));
  BOOST_TEST(whole.find("body") < whole.find("got three"));
  BOOST_TEST(whole.find("got three") != std::string::npos);
  BOOST_TEST(whole == cut);
  BOOST_TEST(seen.size() == 6u);
}

BOOST_AUTO_TEST_CASE(rubbish_is_refused_and_head_has_no_body) {
  std::string rubbish, head, chunked, continued;
  const auto task = [&]() -> Task<> {
    rubbish = co_await raw("\x16\x03\x01 hello\r\n\r\n");
    head = co_await raw("HEAD /give HTTP/1.1\r\nConnection: close\r\n\r\n");
    chunked = co_await raw(
        "POST /take HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        "3\r\nabc\r\n0\r\n\r\n");
    continued = co_await raw(
        "POST /take HTTP/1.1\r\nExpect: 100-continue\r\nConnection: close\r\n"
        "Content-Length: 2\r\n\r\nhi");
  };
  run_task(loop, task());
  BOOST_TEST(rubbish.starts_with("HTTP/1.1 400 "));
  BOOST_TEST(head.starts_with("HTTP/1.1 404 "));
  BOOST_TEST(head.ends_with("\r\n\r\n"));
  BOOST_TEST(chunked.ends_with("got abc"));
  BOOST_TEST(continued.ends_with("got hi"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(http_limits, Tight)

BOOST_AUTO_TEST_CASE(long_headers_long_bodies_and_slow_ones_are_refused) {
  std::string header, endless, body, chunked, extended, trailed, slow, silent;
  const std::string in_chunks = "POST /take HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  const auto task = [&]() -> Task<> {
    header = co_await raw("GET /give HTTP/1.1\r\nX: " + std::string(300, 'x') + "\r\n\r\n");
    endless = co_await raw("GET /" + std::string(5000, 'x'));
    body = co_await raw("POST /take HTTP/1.1\r\nContent-Length: 101\r\n\r\n");
    chunked = co_await raw("POST /take HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n80\r\n" +
                           std::string(128, 'x') + "\r\n0\r\n\r\n");
    // The parser has no limit for these two: without ours they would be kept until the time is up.
    extended = co_await raw(in_chunks + "1;" + std::string(5000, 'a'));
    trailed = co_await raw(in_chunks + "0\r\n" + std::string(5000, 'a'));
    slow = co_await raw("POST /take HTTP/1.1\r\nContent-Length: 100\r\n\r\nnot all");
    silent = co_await raw("");
  };
  run_task(loop, task());
  BOOST_TEST(header.starts_with("HTTP/1.1 431 "));
  BOOST_TEST(endless.starts_with("HTTP/1.1 431 "));
  BOOST_TEST(extended.starts_with("HTTP/1.1 431 "));
  BOOST_TEST(trailed.starts_with("HTTP/1.1 431 "));
  BOOST_TEST(body.starts_with("HTTP/1.1 413 "));
  BOOST_TEST(chunked.starts_with("HTTP/1.1 413 "));
  BOOST_TEST(slow.empty());  // the connection is closed: who is that slow hears nothing
  BOOST_TEST(silent.empty());
  BOOST_TEST(seen.empty());
}

BOOST_AUTO_TEST_SUITE_END()

namespace {
struct Crowded : Fixture {
  static HttpServerOptions options() {
    HttpServerOptions out;
    out.max_bodies = 1'000'000;
    return out;
  }
  Crowded() : Fixture(options()) {}
};
}  // namespace

BOOST_FIXTURE_TEST_SUITE(http_bodies, Crowded)

BOOST_AUTO_TEST_CASE(large_bodies_share_a_bound_and_give_back_what_they_took) {
  HttpClient client(loop, url());
  const std::string body(100'000, 'x');
  unsigned alone = 0, beside = 0, small = 0, after = 0;
  const auto task = [&]() -> Task<> {
    // More than are asked for here come over connections accepted earlier, a turn at least each.
    const auto turns = [&]() -> Task<> {
      for (int n = 0; n < 50; ++n)
        co_await client.post("/take", "wait");
    };
    alone = (co_await client.post("/take", body))->status;
    auto nearly = co_await Stream::connect(loop, server.local(), 5s);
    co_await nearly->write_all(
        as_bytes("POST /take HTTP/1.1\r\nContent-Length: 100000\r\n\r\n" + body.substr(0, 99'999)));
    co_await turns();
    beside = (co_await client.post("/take", body))->status;
    small = (co_await client.post("/take", "small"))->status;
    nearly->close();
    co_await turns();
    after = (co_await client.post("/take", body))->status;
  };
  run_task(loop, task());
  BOOST_TEST(alone == 201u);
  BOOST_TEST(beside == 503u);
  BOOST_TEST(small == 201u);
  BOOST_TEST(after == 201u);
}

BOOST_AUTO_TEST_CASE(what_is_only_announced_takes_no_room) {
  HttpClient client(loop, url());
  unsigned beside = 0;
  const auto task = [&]() -> Task<> {
    std::vector<Stream> announced;
    for (int n = 0; n < 20; ++n) {
      auto one = co_await Stream::connect(loop, server.local(), 5s);
      co_await one->write_all(as_bytes("POST /take HTTP/1.1\r\nContent-Length: 1000000\r\n\r\nx"));
      announced.push_back(std::move(*one));
      co_await client.post("/take", "wait");
    }
    beside = (co_await client.post("/take", std::string(100'000, 'x')))->status;
  };
  run_task(loop, task());
  BOOST_TEST(beside == 201u);
  BOOST_TEST(loop.refusals().of(Refusal::bodies_full) == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(origins)

BOOST_AUTO_TEST_CASE(only_pages_of_this_machine_are_loopback_origins) {
  for (const char* ours : {"http://localhost", "http://localhost:3000", "https://127.0.0.1:1",
                           "http://127.8.8.8", "http://[::1]:80", "http://LOCALHOST"})
    BOOST_TEST(is_loopback_origin(ours), ours);
  for (const char* strange : {"", "null", "http://evil.example", "http://localhost.evil.example",
                              "http://127.0.0.1.nip.io", "file://", "http://user@localhost",
                              "http://10.0.0.1", "localhost", "http://localhost/x",
                              "chrome-extension://localhost", "http://evil.example#localhost"})
    BOOST_TEST(!is_loopback_origin(strange), strange);
}

BOOST_AUTO_TEST_CASE(loopback_addresses_are_known) {
  const auto is = [](const char* text) { return is_loopback(Address::from_text(text).value()); };
  BOOST_TEST(is("127.0.0.1:1"));
  BOOST_TEST(is("127.255.0.1:1"));
  BOOST_TEST(is("[::1]:1"));
  BOOST_TEST(is("[::ffff:127.0.0.1]:1"));
  BOOST_TEST(!is("128.0.0.1:1"));
  BOOST_TEST(!is("[::2]:1"));
  BOOST_TEST(!is("[::ffff:10.0.0.1]:1"));
}

BOOST_AUTO_TEST_CASE(who_asks_here_is_near_and_uses_a_name_of_this_machine) {
  const auto here = [](const char* peer, std::string origin, std::string host) {
    HttpRequest request;
    request.peer = Address::from_text(peer).value();
    request.origin = std::move(origin);
    request.host = std::move(host);
    return is_asked_here(request);
  };
  BOOST_TEST(here("127.0.0.1:1", "", ""));
  BOOST_TEST(here("127.0.0.1:1", "", "localhost:8080"));
  BOOST_TEST(here("[::1]:1", "http://[::1]:8080", "[::1]:8080"));
  BOOST_TEST(here("127.0.0.1:1", "http://localhost:8080", "localhost:8080"));
  BOOST_TEST(!here("10.0.0.1:1", "", "localhost:8080"));
  BOOST_TEST(!here("127.0.0.1:1", "http://evil.example", "localhost:8080"));
  BOOST_TEST(!here("127.0.0.1:1", "http://evil.example:8080", "evil.example:8080"));
  BOOST_TEST(!here("127.0.0.1:1", "", "evil.example:8080"));
  BOOST_TEST(!here("127.0.0.1:1", "", "localhost@evil.example"));
  BOOST_TEST(!here("127.0.0.1:1", "null", "localhost:8080"));
}

BOOST_AUTO_TEST_SUITE_END()
