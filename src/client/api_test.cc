// SPDX-License-Identifier: Apache-2.0
// The two doors, over loopback. Each case ends when its conversation has.
#include "src/client/api.h"

#include <boost/test/unit_test.hpp>

#include "src/client/test_world.h"
#include "src/client/ws_protocol.h"
#include "src/wire/limits.h"

using namespace mix;
using namespace mix::client;
using runtime::Loop;
using runtime::Stream;
using runtime::Task;
using runtime::WebSocket;
using test::FakeService;

namespace {

/// Runs one conversation to its end.
void talk(Loop& loop, Task<> conversation) {
  loop.spawn([](Loop& of, Task<> what) -> Task<> {
    co_await std::move(what);
    of.stop();
  }(loop, std::move(conversation)));
  loop.run();
}

struct WebsocketDoor {
  explicit WebsocketDoor(std::vector<std::string> origins = {})
      : api(loop, service, std::move(origins)) {
    BOOST_REQUIRE(api.listen(0).has_value());
  }
  Task<std::expected<WebSocket, std::string>> connect(std::string origin = {}) {
    return WebSocket::connect(loop, "ws://" + api.local().to_text() + "/any/path",
                              std::move(origin), {.max_message = 64 * wire::kMiB});
  }

  Loop loop;
  FakeService service;
  WebsocketApi api;
};

// Outside the coroutines: g++ 12 cannot keep a braced list in a coroutine's frame.
const std::vector<std::string> kReplies{R"({"type":"ownDetails","address":")",
                                        R"({"type":"error",)", R"({"type":"fetch",)"};
const std::vector<std::string> kGoodOrigins{"", "http://localhost:3000", "http://127.0.0.1",
                                            "https://[::1]:8", "https://app.example"};
const std::vector<std::string> kBadOrigins{
    "http://evil.example", "null",   "http://localhost.evil.example", "https://app.example:8443",
    "http://app.example",  "file://"};
// One masked binary frame of one byte; the mask is zeros.
const Bytes kBinaryFrame{0x82, 0x81, 0, 0, 0, 0, 'x'};
const Bytes kOwnAddress{4};
const Bytes kFetch{2};
const Bytes kFetched{0, 1, 0, 2, 'h', 'i'};

Task<std::string> ask(WebSocket& socket, std::string text) {
  if (!socket.send(std::move(text))) co_return "not sent";
  const auto reply = co_await socket.read();
  co_return reply ? reply->body : reply.error().text();
}

}  // namespace

BOOST_AUTO_TEST_CASE(requests_over_a_websocket_are_answered_in_order) {
  WebsocketDoor door;
  talk(door.loop, [](WebsocketDoor& d) -> Task<> {
    auto socket = co_await d.connect();
    BOOST_REQUIRE(socket.has_value());
    socket->send(R"({"type":"ownDetails"})");
    socket->send("nonsense");
    socket->send(R"({"type":"fetch"})");
    for (const std::string& begin : kReplies) {
      const auto reply = co_await socket->read();
      BOOST_REQUIRE(reply.has_value());
      BOOST_TEST(reply->is_text);
      BOOST_TEST(reply->body.starts_with(begin), reply->body);
    }
  }(door));
}

BOOST_AUTO_TEST_CASE(a_megabyte_is_told_to_be_too_long) {
  WebsocketDoor door;
  talk(door.loop, [](WebsocketDoor& d) -> Task<> {
    auto socket = co_await d.connect();
    BOOST_REQUIRE(socket.has_value());
    const std::string reply =
        co_await ask(*socket, R"({"type":"send","recipient_address":"x","message":")" +
                                  std::string(1'000'000, 'x') + "\"}");
    BOOST_TEST(reply == R"({"type":"error","message":"message too long. Sent 1000000 bytes, but )"
                        R"(the maximum is 975"})");
    BOOST_TEST((co_await ask(*socket, R"({"type":"fetch"})")).starts_with(R"({"type":"fetch")"));
  }(door));
}

BOOST_AUTO_TEST_CASE(strange_web_pages_may_not_connect) {
  WebsocketDoor door({"https://app.example"});
  talk(door.loop, [](WebsocketDoor& d) -> Task<> {
    for (const std::string& good : kGoodOrigins)
      BOOST_TEST((co_await d.connect(good)).has_value(), good);
    for (const std::string& bad : kBadOrigins) {
      const auto refused = co_await d.connect(bad);
      BOOST_TEST(!refused.has_value(), bad);
    }
  }(door));
}

BOOST_AUTO_TEST_CASE(a_refused_handshake_is_answered_403) {
  WebsocketDoor door;
  talk(door.loop, [](WebsocketDoor& d) -> Task<> {
    auto stream = co_await Stream::connect(d.loop, d.api.local(), 5s);
    BOOST_REQUIRE(stream.has_value());
    (void)co_await stream->write_all(as_bytes(
        "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Origin: http://evil.example\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"));
    Bytes begin(12);
    BOOST_TEST((co_await stream->read_full(begin)).value() == begin.size());
    BOOST_TEST(as_text(begin) == "HTTP/1.1 403");
  }(door));
}

BOOST_AUTO_TEST_CASE(a_binary_message_ends_the_connection) {
  WebsocketDoor door;
  talk(door.loop, [](WebsocketDoor& d) -> Task<> {
    auto stream = co_await Stream::connect(d.loop, d.api.local(), 5s);
    BOOST_REQUIRE(stream.has_value());
    (void)co_await stream->write_all(as_bytes(
        "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"));
    Bytes all;
    ByteArray<512> buffer;
    for (;;) {
      const auto size = co_await stream->read_some(buffer);
      if (!size || *size == 0) break;
      all.insert(all.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(*size));
      if (as_text(all).ends_with("\r\n\r\n")) (void)co_await stream->write_all(kBinaryFrame);
      // A close frame with code 1003, and the reason, ends what there is to hear.
      if (as_text(all).ends_with(kBinaryRefused)) break;
    }
    BOOST_TEST(as_text(all).starts_with("HTTP/1.1 101"), as_text(all));
    const std::string close = std::string("\x88\x26\x03\xeb") + kBinaryRefused;
    BOOST_TEST(as_text(all).ends_with(close));
  }(door));
}

BOOST_AUTO_TEST_CASE(the_tcp_socket_answers_each_read_and_stays_open) {
  Loop loop;
  FakeService service;
  service.waiting = {{'h', 'i'}};
  TcpApi api(loop, service);
  BOOST_REQUIRE(api.listen(0).has_value());
  talk(loop, [](Loop& l, TcpApi& door, FakeService& side) -> Task<> {
    auto stream = co_await Stream::connect(l, door.local(), 5s);
    BOOST_REQUIRE(stream.has_value());
    (void)co_await stream->write_all(kOwnAddress);
    Bytes address(32);
    BOOST_TEST((co_await stream->read_full(address)).value() == 32u);
    BOOST_TEST(equal(address, side.self.bytes()));
    (void)co_await stream->write_all(kFetch);
    Bytes reply(6);
    BOOST_TEST((co_await stream->read_full(reply)).value() == 6u);
    BOOST_TEST((reply == kFetched));
  }(loop, api, service));
}

BOOST_AUTO_TEST_CASE(a_web_page_cannot_ask_over_the_tcp_socket) {
  Loop loop;
  FakeService service;
  TcpApi api(loop, service);
  BOOST_REQUIRE(api.listen(0).has_value());
  talk(loop, [](Loop& l, TcpApi& door) -> Task<> {
    auto stream = co_await Stream::connect(l, door.local(), 5s);
    BOOST_REQUIRE(stream.has_value());
    (void)co_await stream->write_all(as_bytes("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    Bytes answer(64);
    std::string all;
    runtime::Io<std::size_t> size = 0;
    stream->set_deadline(l.now() + 5s);
    while ((size = co_await stream->read_some(answer)) && *size > 0)
      all += as_text(BytesView(answer).first(*size));
    // One error, and then the end: no connection for the page's body to ask over.
    BOOST_TEST(all == "UnknownRequestError");
    BOOST_TEST(size.has_value());
  }(loop, api));
}

BOOST_AUTO_TEST_CASE(a_taken_port_is_said) {
  WebsocketDoor door;
  TcpApi second(door.loop, door.service);
  const auto refused = second.listen(door.api.local().port);
  BOOST_REQUIRE(!refused.has_value());
  BOOST_TEST(refused.error().find(door.api.local().to_text()) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_origin_is_scheme_and_host) {
  for (const char* good : {"https://app.example", "http://10.0.0.1:8080", "moz-extension://abc"})
    BOOST_TEST(check_origin(good) == "");
  for (const char* bad : {"", "app.example", "https://", "https://a/", "https://a b", "://x"})
    BOOST_TEST(check_origin(bad) != "", bad);
}
