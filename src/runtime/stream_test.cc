// SPDX-License-Identifier: Apache-2.0
#include "src/runtime/stream.h"

#include <sys/resource.h>

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "src/runtime/event.h"
#include "src/runtime/resolve.h"
#include "src/runtime/run_task.h"

using namespace mix;
using namespace mix::runtime;

namespace {

Address loopback(std::uint16_t port = 0) {
  return Address::ipv4({127, 0, 0, 1}, port);
}

Listener listen(Loop& loop, Listener::Handler handler, ListenOptions options = {}) {
  auto listener = Listener::open(loop, loopback(), options);
  BOOST_REQUIRE(listener.has_value());
  listener->serve(std::move(handler));
  return std::move(*listener);
}

Task<> echo(Stream stream) {
  Bytes buffer(1000);
  for (;;) {
    const auto got = co_await stream.read_some(buffer);
    if (!got || *got == 0) co_return;
    if (!co_await stream.write_all(BytesView(buffer).first(*got))) co_return;
  }
}

Bytes pattern(std::size_t size) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i)
    out[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(stream)

BOOST_AUTO_TEST_CASE(bytes_come_back_in_order_across_many_buffers_full_of_them) {
  Loop loop;
  const Listener server = listen(loop, echo);
  const Bytes sent = pattern(3'000'000);
  Bytes got(sent.size());
  std::size_t count = 0;
  std::optional<Stream> client;
  Event wrote(loop);
  const auto writer = [&]() -> Task<> {
    BOOST_TEST((co_await client->write_all(sent)).has_value());
    client->shutdown_send();
    wrote.notify();
  };
  const auto task = [&]() -> Task<> {
    auto connected = co_await Stream::connect(loop, server.local(), 5s);
    BOOST_REQUIRE(connected.has_value());
    client = std::move(*connected);
    loop.spawn(writer());
    const auto read = co_await client->read_full(got);
    BOOST_REQUIRE(read.has_value());
    count = *read;
    co_await wrote.wait();
    ByteArray<8> more;
    const auto end = co_await client->read_some(more);
    BOOST_TEST((end.has_value() && *end == 0));
  };
  run_task(loop, task());
  BOOST_TEST(count == sent.size());
  BOOST_TEST((got == sent));
}

BOOST_AUTO_TEST_CASE(a_message_cut_off_is_told_from_an_end_between_messages) {
  Loop loop;
  std::vector<std::size_t> sizes;
  Event done(loop);
  const Listener server = listen(loop, [&](Stream stream) -> Task<> {
    Bytes message(10);
    for (;;) {
      const auto got = co_await stream.read_full(message);
      BOOST_REQUIRE(got.has_value());
      sizes.push_back(*got);
      if (*got < message.size()) break;
    }
    done.notify();
  });
  const auto task = [&]() -> Task<> {
    for (std::size_t size : {20u, 13u}) {
      auto client = co_await Stream::connect(loop, server.local(), 5s);
      BOOST_REQUIRE(client.has_value());
      co_await client->write_all(pattern(size));
      client->close();
      co_await done.wait();
    }
  };
  run_task(loop, task());
  BOOST_TEST(sizes == (std::vector<std::size_t>{10, 10, 0, 10, 3}));
}

BOOST_AUTO_TEST_CASE(nobody_listening_is_refused) {
  Loop loop;
  Address nobody;
  {
    nobody = listen(loop, echo).local();
  }
  const auto task = [&]() -> Task<> {
    const auto stream = co_await Stream::connect(loop, nobody, 5s);
    BOOST_REQUIRE(!stream.has_value());
    BOOST_TEST((stream.error().kind == IoError::Kind::refused));
    BOOST_TEST(stream.error().text() == "refused");
  };
  run_task(loop, task());
}

BOOST_AUTO_TEST_CASE(nobody_answering_is_timed_out) {
  Loop loop;
  const Listener busy =
      Listener::open(loop, Address::ipv4({127, 0, 0, 1}, 0), ListenOptions{.backlog = 0}).value();
  const auto task = [&]() -> Task<> {
    // Its queue has room for one; what comes after is not answered.
    const auto first = co_await Stream::connect(loop, busy.local(), 5s);
    BOOST_TEST(first.has_value());
    const auto second = co_await Stream::connect(loop, busy.local(), 0s);
    BOOST_REQUIRE(!second.has_value());
    BOOST_TEST((second.error().kind == IoError::Kind::timed_out));
    BOOST_TEST(loop.refusals().of(Refusal::timed_out) == 1u);
  };
  run_task(loop, task());
}

BOOST_AUTO_TEST_CASE(the_end_is_seen_once_everything_before_was_read) {
  Loop loop;
  Event done(loop);
  const Listener server = listen(loop, [&](Stream stream) -> Task<> {
    BOOST_TEST((co_await stream.readable()).has_value());
    BOOST_TEST(!stream.ended());
    ByteArray<8> buffer;
    const auto first = co_await stream.read_some(buffer);
    BOOST_TEST((first.has_value() && *first == 3));
    BOOST_TEST(!stream.ended());
    BOOST_TEST((co_await stream.write_all(pattern(1))).has_value());
    while (!stream.ended())
      BOOST_TEST((co_await stream.readable()).has_value());
    const auto end = stream.read_now(buffer);
    BOOST_TEST((end.has_value() && *end == 0));
    done.notify();
  });
  const auto task = [&]() -> Task<> {
    auto client = co_await Stream::connect(loop, server.local(), 5s);
    BOOST_REQUIRE(client.has_value());
    BOOST_TEST((co_await client->write_all(pattern(3))).has_value());
    ByteArray<1> answer;
    BOOST_TEST((co_await client->read_full(answer)).has_value());
    client->shutdown_send();
    co_await done.wait();
  };
  run_task(loop, task());
}

BOOST_AUTO_TEST_CASE(a_reset_is_told_from_an_end) {
  Loop loop;
  std::optional<IoError::Kind> kind;
  Event done(loop);
  const Listener server = listen(loop, [&](Stream stream) -> Task<> {
    ByteArray<8> buffer;
    const auto got = co_await stream.read_full(buffer);
    if (!got) kind = got.error().kind;
    done.notify();
  });
  const auto task = [&]() -> Task<> {
    auto client = co_await Stream::connect(loop, server.local(), 5s);
    client->reset();
    co_await done.wait();
  };
  run_task(loop, task());
  BOOST_TEST((kind == IoError::Kind::reset));
}

BOOST_AUTO_TEST_CASE(a_silent_connection_times_out_and_an_active_one_does_not) {
  Loop loop;
  std::optional<IoError::Kind> kind;
  std::optional<Instant> began, ended;
  Event done(loop);
  const Listener server = listen(loop, [&](Stream stream) -> Task<> {
    stream.set_idle_limit(5ms);
    began = loop.now();
    ByteArray<8> buffer;
    const auto got = co_await stream.read_some(buffer);
    if (!got) kind = got.error().kind;
    ended = loop.now();
    done.notify();
  });
  const auto task = [&]() -> Task<> {
    auto client = co_await Stream::connect(loop, server.local(), 5s);
    co_await done.wait();
  };
  run_task(loop, task());
  BOOST_TEST((kind == IoError::Kind::timed_out));
  BOOST_TEST((*ended - *began >= 5ms));
}

BOOST_AUTO_TEST_CASE(closing_ends_who_waits) {
  Loop loop;
  const Listener server = listen(loop, echo);
  std::optional<IoError::Kind> kind;
  Event done(loop);
  std::optional<Stream> client;
  const auto reader = [&]() -> Task<> {
    ByteArray<8> buffer;
    const auto got = co_await client->read_some(buffer);
    if (!got) kind = got.error().kind;
    done.notify();
  };
  const auto task = [&]() -> Task<> {
    client = std::move(*co_await Stream::connect(loop, server.local(), 5s));
    loop.spawn(reader());
    client->close();
    BOOST_TEST(!kind.has_value());  // in a later turn
    co_await done.wait();
  };
  run_task(loop, task());
  BOOST_TEST((kind == IoError::Kind::closed));
}

BOOST_AUTO_TEST_CASE(a_quiet_reader_shares_a_buffer_and_a_full_peer_blocks_the_writer) {
  Loop loop;
  Event go(loop);
  std::size_t received = 0;
  Event done(loop);
  const Listener server = listen(loop, [&](Stream stream) -> Task<> {
    ByteArray<1> none;
    BOOST_TEST((stream.read_now(none).error().kind == IoError::Kind::would_block));
    go.notify();
    Bytes shared(100'000);
    for (;;) {
      BOOST_REQUIRE((co_await stream.readable()).has_value());
      const auto got = stream.read_now(shared);
      if (!got && got.error().kind == IoError::Kind::would_block) continue;
      BOOST_REQUIRE(got.has_value());
      if (*got == 0) break;
      received += *got;
    }
    done.notify();
  });
  std::size_t written = 0;
  const auto task = [&]() -> Task<> {
    auto client = co_await Stream::connect(loop, server.local(), 5s);
    co_await go.wait();
    const Bytes chunk(100'000);
    for (;;) {
      const auto put = client->write_now(chunk);
      if (put) {
        written += *put;
        continue;
      }
      BOOST_TEST((put.error().kind == IoError::Kind::would_block));
      break;
    }
    BOOST_TEST((client->unacknowledged().value() > 0));
    client->close();
    co_await done.wait();
  };
  run_task(loop, task());
  BOOST_TEST(written > 0u);
  BOOST_TEST(received == written);
}

BOOST_AUTO_TEST_CASE(a_flood_on_one_connection_lets_others_go_first) {
  Loop loop;
  bool other_ran = false;
  const Listener server = listen(loop, [&](Stream stream) -> Task<> {
    loop.post([&] { other_ran = true; });
    ByteArray<1> one;
    for (int i = 0; i < 100 && !other_ran; ++i)
      co_await stream.read_some(one);  // always there: never waits by itself
    loop.stop();
  });
  const auto task = [&]() -> Task<> {
    auto client = co_await Stream::connect(loop, server.local(), 5s);
    co_await client->write_all(pattern(1000));
    co_await loop.sleep_for(1h);
  };
  loop.spawn(task());
  loop.run();
  BOOST_TEST(other_ran);
}

BOOST_AUTO_TEST_CASE(at_the_bound_the_longest_silent_connection_makes_room) {
  Loop loop;
  ListenOptions options;
  options.max_connections = 2;
  const Listener server = listen(loop, echo, options);
  const auto task = [&]() -> Task<> {
    std::vector<Stream> clients;
    ByteArray<1> byte{};
    for (int i = 0; i < 3; ++i) {
      clients.push_back(std::move(*co_await Stream::connect(loop, server.local(), 5s)));
      co_await clients.back().write_all(byte);
      BOOST_TEST((co_await clients.back().read_full(byte)).value() == 1u);
      if (i == 1) {  // the first speaks again: the second is now the one silent longest
        co_await clients[0].write_all(byte);
        co_await clients[0].read_full(byte);
      }
    }
    const auto second = co_await clients[1].read_some(byte);
    BOOST_TEST((!second || *second == 0));
    co_await clients[0].write_all(byte);
    BOOST_TEST((co_await clients[0].read_full(byte)).value() == 1u);
    BOOST_TEST(server.turned_away() == 1u);
    BOOST_TEST(loop.refusals().of(Refusal::connections_full) == 1u);
    BOOST_TEST(loop.refusals().to_text() == "connections_full 1");
    BOOST_TEST(server.connections() == 2u);
  };
  run_task(loop, task());
}

BOOST_AUTO_TEST_CASE(out_of_descriptors_a_listener_turns_away_and_recovers) {
  Loop loop;
  const Listener server = listen(loop, echo);
  rlimit before{};
  BOOST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const auto task = [&]() -> Task<> {
    std::vector<Stream> clients;
    rlimit tight = before;
    tight.rlim_cur = 40;
    BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &tight) == 0);
    bool exhausted = false;
    while (!exhausted) {
      auto client = co_await Stream::connect(loop, server.local(), 5s);
      if (client)
        clients.push_back(std::move(*client));
      else
        exhausted = client.error().kind == IoError::Kind::exhausted;
      BOOST_REQUIRE(clients.size() < 1000u);
      co_await loop.yield();
    }
    BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    clients.clear();
    auto late = co_await Stream::connect(loop, server.local(), 5s);
    BOOST_REQUIRE(late.has_value());
    ByteArray<1> byte{42};
    co_await late->write_all(byte);
    BOOST_TEST((co_await late->read_full(byte)).value() == 1u);
  };
  run_task(loop, task());
  BOOST_TEST(server.turned_away() > 0u);
}

BOOST_AUTO_TEST_CASE(a_taken_port_is_an_error_that_names_it) {
  Loop loop;
  const Listener server = listen(loop, echo);
  const auto again = Listener::open(loop, server.local());
  BOOST_REQUIRE(!again.has_value());
  BOOST_TEST(again.error() == server.local().to_text() + ": already in use");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(resolving)

BOOST_AUTO_TEST_CASE(host_and_port_are_split_as_originals_do) {
  BOOST_TEST((split_host_port("localhost:9980") == HostPort{"localhost", 9980}));
  BOOST_TEST((split_host_port("[::1]:80") == HostPort{"::1", 80}));
  BOOST_TEST((split_host_port("::1:1789") == HostPort{"::1", 1789}));
  for (const char* wrong :
       {"", "host", "host:", ":80", "host:65536", "host:8o", "[::1:80", "host:-1"})
    BOOST_TEST(!split_host_port(wrong).has_value(), wrong);
}

BOOST_AUTO_TEST_CASE(numbers_and_localhost_need_no_waiting) {
  BOOST_TEST(resolve_now("127.0.0.1", 5).at(0).to_text() == "127.0.0.1:5");
  BOOST_TEST(resolve_now("::1", 5).at(0).to_text() == "[::1]:5");
  const auto localhost = resolve_now("localhost", 7);
  BOOST_REQUIRE(!localhost.empty());
  BOOST_TEST(localhost.front().to_text() == "127.0.0.1:7");
  BOOST_TEST(resolve_now("example.invalid", 7).empty());
}

BOOST_AUTO_TEST_CASE(a_name_nobody_has_is_an_error_that_names_it) {
  Loop loop;
  const auto task = [&]() -> Task<> {
    const auto answer = co_await resolve(loop, "nobody.invalid", 80);
    BOOST_REQUIRE(!answer.has_value());
    BOOST_TEST(answer.error().find("nobody.invalid") != std::string::npos);
  };
  run_task(loop, task());
}

BOOST_AUTO_TEST_SUITE_END()
