// SPDX-License-Identifier: Apache-2.0
#include "src/runtime/websocket.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "src/runtime/event.h"
#include "src/runtime/http_server.h"
#include "src/runtime/run_task.h"

using namespace mix;
using namespace mix::runtime;

namespace {

struct Fixture {
  Loop loop;
  HttpServer server{loop};
  Event ended{loop};
  std::optional<IoError::Kind> how;
  WebSocketLimits limits{.max_message = 1000, .max_queue = 8, .ping_interval = 54s};

  void start() {
    server.websocket(
        "/ws",
        [](const HttpRequest& r) { return r.origin.empty() || is_loopback_origin(r.origin); },
        [this](WebSocket socket, const HttpRequest&) { return echo(std::move(socket)); }, limits);
    BOOST_REQUIRE(server.listen(Address::ipv4({127, 0, 0, 1}, 0)).has_value());
  }
  std::string url() const { return "ws://" + server.local().to_text() + "/ws"; }

  Task<> echo(WebSocket socket) {
    for (;;) {
      const auto message = co_await socket.read();
      if (!message) {
        how = message.error().kind;
        break;
      }
      if (!message->is_text) {
        co_await socket.close(WebSocket::CloseCode::unsupported, "no binary");
        break;
      }
      socket.send(message->body + "!");
    }
    ended.notify();
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(websocket, Fixture)

BOOST_AUTO_TEST_CASE(texts_go_there_and_back_in_order) {
  start();
  const auto task = [&]() -> Task<> {
    auto socket = co_await WebSocket::connect(loop, url());
    BOOST_REQUIRE(socket.has_value());
    for (const char* text : {"one", "two", ""})
      BOOST_TEST(socket->send(text));
    for (const char* text : {"one!", "two!", "!"}) {
      const auto message = co_await socket->read();
      BOOST_REQUIRE(message.has_value());
      BOOST_TEST(message->body == text);
      BOOST_TEST(message->is_text);
    }
    co_await socket->close(WebSocket::CloseCode::normal);
    BOOST_TEST(!socket->is_open());
    co_await ended.wait();
  };
  run_task(loop, task());
  BOOST_TEST((how == IoError::Kind::closed));
}

BOOST_AUTO_TEST_CASE(a_strange_origin_is_refused_and_a_loopback_one_is_not) {
  start();
  const auto task = [&]() -> Task<> {
    const auto evil = co_await WebSocket::connect(loop, url(), "http://evil.example");
    BOOST_TEST(!evil.has_value());
    const auto ours = co_await WebSocket::connect(loop, url(), "http://localhost:3000");
    BOOST_TEST(ours.has_value());
    const auto elsewhere = co_await WebSocket::connect(loop, url() + "/other");
    BOOST_TEST(!elsewhere.has_value());
    const auto no_url = co_await WebSocket::connect(loop, "http://localhost/");
    BOOST_TEST(!no_url.has_value());
  };
  run_task(loop, task());
}

BOOST_AUTO_TEST_CASE(a_message_over_the_limit_ends_the_connection) {
  start();
  const auto task = [&]() -> Task<> {
    auto socket = co_await WebSocket::connect(loop, url());
    socket->send(std::string(1000, 'x'));
    const auto echoed = co_await socket->read();
    BOOST_TEST(echoed->body.size() == 1001u);
    socket->send(std::string(1001, 'x'));
    BOOST_TEST(!(co_await socket->read()).has_value());
  };
  run_task(loop, task());
}

BOOST_AUTO_TEST_CASE(a_peer_that_goes_away_is_noticed_and_one_that_does_not_read_is_dropped) {
  limits.max_message = 1'000'000;
  start();
  const auto task = [&]() -> Task<> {
    {
      auto gone = co_await WebSocket::connect(loop, url());
      gone = WebSocket();
      co_await ended.wait();
    }
    auto deaf = co_await WebSocket::connect(loop, url(), {}, limits);
    const std::string large(900'000, 'x');
    // Echoes pile up at the server until its queue is full and it breaks off.
    while (deaf->is_open() && co_await deaf->send_and_flush(large)) {
    }
    co_await ended.wait();
  };
  run_task(loop, task());
}

BOOST_AUTO_TEST_CASE(bytes_that_wait_are_bounded_but_one_message_alone_may_be_larger) {
  limits.max_queue_bytes = 100;
  start();
  const auto task = [&]() -> Task<> {
    auto socket = co_await WebSocket::connect(loop, url(), {}, limits);
    // All within one turn: nothing is written in between.
    BOOST_TEST(socket->send(std::string(900, 'x')));
    BOOST_TEST(socket->is_open());
    BOOST_TEST(!socket->send(std::string("y")));
    BOOST_TEST(!socket->is_open());

    auto other = co_await WebSocket::connect(loop, url(), {}, limits);
    const auto shared = std::make_shared<const std::string>(50, 'z');
    BOOST_TEST(other->send(shared));
    BOOST_TEST(other->send(shared));
    for (int n = 0; n < 2; ++n) {
      const auto echoed = co_await other->read();
      BOOST_REQUIRE(echoed.has_value());
      BOOST_TEST(echoed->body == *shared + "!");
    }
    BOOST_TEST(other->send(shared));  // what was sent has made room
    BOOST_TEST(other->send(shared));
    BOOST_TEST(!other->send(shared));
  };
  run_task(loop, task());
}

BOOST_AUTO_TEST_CASE(a_silent_peer_is_pinged_and_stays_and_a_dead_one_is_dropped) {
  limits.ping_interval = 20ms;
  start();
  const auto task = [&]() -> Task<> {
    auto alive = co_await WebSocket::connect(loop, url());
    bool spoke = false;
    // Reading answers pings underneath: five intervals later the connection still stands.
    loop.call_at(loop.now() + 100ms, [&] {
      spoke = true;
      alive->send("still here");
    });
    const auto message = co_await alive->read();
    BOOST_TEST(spoke);
    BOOST_REQUIRE(message.has_value());
    BOOST_TEST(message->body == "still here!");
    // Nobody reads on this side any more: pings stay unanswered.
    co_await ended.wait();
  };
  run_task(loop, task());
  BOOST_TEST(how.has_value());
}

BOOST_AUTO_TEST_CASE(a_peer_that_talks_and_never_reads_is_let_go) {
  limits.ping_interval = 500ms;
  server.websocket(
      "/stuck", {},
      [this](WebSocket socket, const HttpRequest&) -> Task<> {
        socket.send(std::string(64'000'000, 'x'));  // more than the system takes
        while (co_await socket.read()) {
        }
        ended.notify();
        how = IoError::Kind::closed;
      },
      limits);
  start();
  const Bytes masked_pong_frame{0x8a, 0x80, 0, 0, 0, 0};
  const auto task = [&]() -> Task<> {
    auto stream = co_await Stream::connect(loop, server.local(), 5s);
    co_await stream->write_all(as_bytes(
        "GET /stuck HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"));
    Bytes head(200);
    const auto answer = co_await stream->read_some(head);
    BOOST_REQUIRE((answer && as_text(head).starts_with("HTTP/1.1 101 ")));
    for (int n = 0; n < 1000 && !how; ++n) {
      co_await stream->write_all(masked_pong_frame);
      co_await loop.sleep_for(5ms);
    }
  };
  run_task(loop, task());
  BOOST_TEST(how.has_value());
  BOOST_TEST(loop.refusals().of(Refusal::slow_reader) == 1u);
}

BOOST_AUTO_TEST_CASE(a_full_queue_refuses_an_offer_and_is_whole_again_when_it_is_empty) {
  server.websocket("/quiet", {}, [](WebSocket socket, const HttpRequest&) -> Task<> {
    while (co_await socket.read()) {
    }
  });
  start();
  const auto task = [&]() -> Task<> {
    const std::string quiet = "ws://" + server.local().to_text() + "/quiet";
    auto socket = co_await WebSocket::connect(loop, quiet);
    const auto text = std::make_shared<const std::string>("text");
    for (std::size_t n = 0; n < WebSocketLimits().max_queue; ++n)
      BOOST_TEST(socket->offer(text));
    BOOST_TEST(!socket->offer(text));
    BOOST_TEST(socket->is_open());
    co_await socket->drained();
    BOOST_TEST(socket->offer(text));
    BOOST_TEST(loop.refusals().of(Refusal::slow_reader) == 0u);
  };
  run_task(loop, task());
}

BOOST_AUTO_TEST_CASE(a_close_says_why) {
  start();
  const Bytes masked_binary_frame{0x82, 0x81, 0, 0, 0, 0, 'x'};
  const auto task = [&]() -> Task<> {
    auto stream = co_await Stream::connect(loop, server.local(), 5s);
    co_await stream->write_all(as_bytes(
        "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"));
    std::string got;
    Bytes buffer(1000);
    while (got.find("\r\n\r\n") == std::string::npos) {
      const auto read = co_await stream->read_some(buffer);
      BOOST_REQUIRE((read && *read > 0));
      got.append(as_text(BytesView(buffer).first(*read)));
    }
    BOOST_TEST(got.starts_with("HTTP/1.1 101 "));
    co_await stream->write_all(masked_binary_frame);
    const auto close = co_await stream->read_some(buffer);
    BOOST_REQUIRE((close && *close == 13));
    BOOST_TEST(buffer[0] == 0x88);
    BOOST_TEST((buffer[2] << 8 | buffer[3]) == 1003);
    BOOST_TEST(as_text(BytesView(buffer).subspan(4, 9)) == "no binary");
  };
  run_task(loop, task());
}

BOOST_AUTO_TEST_SUITE_END()
