// SPDX-License-Identifier: Apache-2.0
// A provider on real sockets, with clients and mixes played by hand.
#include "src/provider/provider.h"

#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <set>

#include "src/crypto/cipher.h"
#include "src/provider/test_world.h"
#include "src/record/record_stream.h"
#include "src/runtime/event.h"
#include "src/runtime/http_server.h"
#include "src/topology/json.h"
#include "src/topology/version.h"

namespace mix::provider {
namespace {

BOOST_AUTO_TEST_CASE(mail_comes_to_its_client_and_once) {
  Folder folder;
  World world(folder);
  world.play([](World& w) -> Task<> {
    const AuthToken token = co_await w.enrol(client(1));
    co_await w.send(w.packet(1, client(1), "hello"));
    BOOST_TEST(list(co_await w.pull_all(client(1), token, 1)) == "hello");
    BOOST_TEST(list(co_await w.pull(client(1), token)) == "");
    BOOST_TEST((co_await w.enrol(client(1)) == token));
  }(world));
  BOOST_TEST(world.provider->tally().stored == 1u);
  BOOST_TEST(world.provider->tally().handed_out == 1u);
  BOOST_TEST(world.provider->desk().waiting(client(1)) == 0u);
}

BOOST_AUTO_TEST_CASE(packets_are_cut_from_the_stream_and_handed_out_five_at_a_time_in_order) {
  Folder folder;
  World world(folder);
  world.play([](World& w) -> Task<> {
    const AuthToken token = co_await w.enrol(client(1));
    Bytes stream_bytes;
    for (int i = 0; i < 7; ++i) {
      const auto packet = w.packet(i, client(1), std::to_string(i));
      stream_bytes.insert(stream_bytes.end(), packet.begin(), packet.end());
    }
    Stream stream = co_await w.connect(w.provider->mix_address());
    for (BytesView left = stream_bytes; !left.empty();) {
      const std::size_t n = std::min<std::size_t>(999, left.size());
      BOOST_REQUIRE(co_await stream.write_all(left.first(n)));
      left = left.subspan(n);
      co_await w.loop.yield();
    }
    co_await w.settled(7);
    BOOST_TEST(list(co_await w.pull(client(1), token)) == "0 1 2 3 4");
    BOOST_TEST(list(co_await w.pull_all(client(1), token, 2)) == "5 6");
  }(world));
}

BOOST_AUTO_TEST_CASE(packets_after_the_first_wait_for_the_window_or_for_a_request) {
  Folder folder;
  World world(folder);
  world.play([](World& w) -> Task<> {
    const AuthToken token = co_await w.enrol(client(1));
    const Instant start = w.loop.now();
    co_await w.send(w.packet(1, client(1), "1"));
    co_await w.settled(1);
    co_await w.send(w.packet(2, client(1), "2"));
    co_await w.settled(2);
    BOOST_TEST((w.loop.now() - start >= wire::kCommitWindow));
    co_await w.send(w.packet(3, client(1), "3"));
    while (w.provider->tally().received < 3)
      co_await w.loop.yield();
    BOOST_TEST(list(co_await w.pull(client(1), token)) == "1 2 3");
  }(world));
}

BOOST_AUTO_TEST_CASE(whatever_is_wrong_with_a_request_is_answered_the_same) {
  Folder folder;
  World world(folder);
  world.play([](World& w) -> Task<> {
    const AuthToken one = co_await w.enrol(client(1));
    co_await w.enrol(client(2));
    const Bytes good = encode(wire::PullRequest{client(1), one});
    Bytes longer = good, shorter = good;
    longer.push_back(0);
    shorter.pop_back();
    const Bytes foreign = encode(wire::PullRequest{client(2), one});
    const Bytes unknown = encode(wire::PullRequest{client(3), AuthToken{}});
    for (const Bytes& request :
         {longer, shorter, foreign, unknown, Bytes{}, Bytes{0}, Bytes{9, 9}, Bytes(500, 'x')}) {
      const Bytes reply = co_await w.ask(request);
      BOOST_TEST(as_text(reply) == "bad foomp", to_hex(request));
    }
    BOOST_TEST((co_await w.ask(good)).size() == 377u);  // 2 + 5 * (2 + 73)
  }(world));
  BOOST_TEST(world.provider->tally().refused == 8u);
}

BOOST_AUTO_TEST_CASE(a_request_cut_into_single_bytes_is_a_request) {
  Folder folder;
  World world(folder);
  world.play([](World& w) -> Task<> {
    const Bytes reply = co_await w.ask(encode(wire::RegisterRequest{client(1)}), 1);
    const auto token = wire::parse_register_reply(reply);
    BOOST_REQUIRE(token);
    BOOST_TEST((co_await w.ask(encode(wire::PullRequest{client(1), *token}), 1)).size() == 377u);
  }(world));
}

BOOST_AUTO_TEST_CASE(mail_whose_reply_met_a_reset_is_offered_again) {
  Folder folder;
  World world(folder);
  world.play([](World& w) -> Task<> {
    const AuthToken token = co_await w.enrol(client(1));
    co_await w.send(w.packet(1, client(1), "precious"));
    co_await w.settled(1);
    for (int i = 0; i < 20; ++i) {
      Stream stream = co_await w.connect(w.provider->client_address());
      co_await stream.write_all(encode(wire::PullRequest{client(1), token}));
      stream.reset();
    }
    BOOST_TEST(list(co_await w.pull_all(client(1), token, 1)) == "precious");
  }(world));
}

/// A client whose system has no room for the reply, and which then breaks the connection off: the
/// reply was written without an error, and never arrived.
BOOST_AUTO_TEST_CASE(mail_that_was_written_but_not_acknowledged_is_offered_again) {
  Folder folder;
  World world(folder);
  world.play([](World& w) -> Task<> {
    const AuthToken token = co_await w.enrol(client(1));
    for (int i = 0; i < 5; ++i)
      co_await w.send(w.packet(i, client(1), std::string(975, static_cast<char>('a' + i))));
    co_await w.settled(5);

    const int raw = ::socket(AF_INET, SOCK_STREAM, 0);
    const int small = 1;  // the system's minimum
    ::setsockopt(raw, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(w.provider->client_address().port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    BOOST_REQUIRE(::connect(raw, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
    const Bytes request = encode(wire::PullRequest{client(1), token});
    BOOST_REQUIRE(::send(raw, request.data(), request.size(), 0) == 66);
    ::shutdown(raw, SHUT_WR);
    for (int there = 0; there == 0; co_await w.loop.yield())
      ::ioctl(raw, FIONREAD, &there);
    BOOST_TEST(list(co_await w.pull(client(1), token)) == "");  // all of it is out
    BOOST_TEST(w.provider->tally().handed_out == 0u);
    const linger at_once{1, 0};
    ::setsockopt(raw, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(raw);

    const auto again = co_await w.pull_all(client(1), token, 5);
    BOOST_TEST(again.size() == 5u);
    for (std::size_t i = 0; i < again.size(); ++i)
      BOOST_TEST(again[i] == std::string(975, static_cast<char>('a' + i)));
  }(world));
  BOOST_TEST(world.provider->tally().offered_again == 5u);
  BOOST_TEST(world.provider->tally().handed_out == 5u);
}

BOOST_AUTO_TEST_CASE(two_pulls_at_once_never_get_the_same_message) {
  Folder folder;
  World world(folder);
  world.play([](World& w) -> Task<> {
    const AuthToken token = co_await w.enrol(client(1));
    constexpr std::size_t kMessages = 40;
    for (std::size_t i = 0; i < kMessages; ++i)
      co_await w.send(w.packet(i, client(1), std::to_string(i)));
    co_await w.settled(kMessages);
    std::vector<std::string> got;
    int running = 4;
    runtime::Event ended(w.loop);
    const auto puller = [&]() -> Task<> {
      for (int i = 0; i < 5; ++i)
        for (std::string& text : co_await w.pull(client(1), token))
          got.push_back(std::move(text));
      --running;
      ended.notify();
    };
    for (int i = 0; i < 4; ++i)
      w.loop.spawn(puller());
    while (running > 0)
      co_await ended.wait();
    BOOST_TEST(got.size() == kMessages);
    BOOST_TEST(std::set<std::string>(got.begin(), got.end()).size() == kMessages);
  }(world));
}

BOOST_AUTO_TEST_CASE(a_restart_keeps_keys_tokens_mail_and_the_memory_of_packets) {
  Folder folder;
  AuthToken token{};
  std::optional<sphinx::Packet> packet;
  crypto::PublicKey key;
  {
    World before(folder);
    before.play([&](World& w) -> Task<> {
      token = co_await w.enrol(client(1));
      packet = w.packet(1, client(1), "kept");
      co_await w.send(*packet);
      co_await w.settled(1);
    }(before));
    key = before.provider->public_key();
  }
  World after(folder);
  BOOST_TEST((after.provider->public_key() == key));
  after.play([&](World& w) -> Task<> {
    co_await w.send(*packet);
    co_await w.settled(1);
    BOOST_TEST(w.provider->tally().dropped.of(record::DropReason::replay) == 1u);
    BOOST_TEST(list(co_await w.pull_all(client(1), token, 1)) == "kept");
    BOOST_TEST(list(co_await w.pull(client(1), token)) == "");
  }(after));
}

BOOST_AUTO_TEST_CASE(what_was_taken_is_kept_when_the_provider_is_told_to_stop) {
  Folder folder;
  constexpr std::size_t kMessages = 30;
  {
    World before(folder);
    before.play([&](World& w) -> Task<> {
      co_await w.enrol(client(1));
      Bytes all;
      for (std::size_t i = 0; i < kMessages; ++i) {
        const auto packet = w.packet(i, client(1), std::to_string(i));
        all.insert(all.end(), packet.begin(), packet.end());
      }
      Stream stream = co_await w.connect(w.provider->mix_address());
      BOOST_REQUIRE(co_await stream.write_all(all));
      while (w.provider->tally().received < kMessages)
        co_await w.loop.yield();
    }(before));
    BOOST_TEST(before.provider->tally().stored == kMessages);
  }
  World after(folder);
  BOOST_TEST(after.provider->desk().waiting(client(1)) == kMessages);
}

BOOST_AUTO_TEST_CASE(every_packet_is_recorded_with_its_fate) {
  Folder folder;
  int fds[2];
  BOOST_REQUIRE(::pipe(fds) == 0);
  World world(folder, {.mailbox = 1}, "fd:" + std::to_string(fds[1]));
  sphinx::Packet stored{};
  world.play([&](World& w) -> Task<> {
    co_await w.enrol(client(1));
    stored = w.packet(1, client(1), "a");
    sphinx::Packet changed = w.packet(2, client(1), "b");
    changed[700] ^= 1;
    std::uint64_t sent = 0;
    for (const sphinx::Packet& packet :
         {stored, stored, changed, w.packet(3, client(1), "c"), w.packet(4, client(2), "d")}) {
      co_await w.send(packet);
      co_await w.settled(++sent);
    }
  }(world));
  BOOST_TEST(world.provider->tally().dropped.to_text() ==
             "replay 1, payload_integrity 1, unknown_recipient 1, mailbox_full 1");
  Bytes bytes(1 << 16);
  const ssize_t n = ::read(fds[0], bytes.data(), bytes.size());
  ::close(fds[0]);
  BOOST_REQUIRE(n > 0);
  record::RowDecoder decoder;
  decoder.feed(BytesView(bytes).first(static_cast<std::size_t>(n)));
  const auto first = decoder.next();
  BOOST_REQUIRE(first && *first);
  const auto node = std::get<record::NodeRow>(**first);
  BOOST_TEST((node.role == record::Role::provider));
  BOOST_TEST((node.layer == std::optional<std::uint8_t>(4)));
  BOOST_TEST(node.address == world.provider->mix_address().to_text());
  BOOST_TEST(node.public_key == world.provider->public_key().to_base58());
  std::string fates;
  while (true) {
    const auto row = decoder.next();
    BOOST_REQUIRE(row);
    if (!*row) break;
    const auto handled = std::get<record::HandledRow>(**row);
    if (fates.empty()) BOOST_TEST((handled.digest_in == crypto::digest16(stored)));
    BOOST_TEST(!handled.sent_ns);
    fates += handled.reason ? record::name_of(*handled.reason) : "stored";
    fates += ' ';
  }
  BOOST_TEST(fates == "stored replay payload_integrity mailbox_full unknown_recipient ");
}

BOOST_AUTO_TEST_CASE(a_packet_that_was_cut_off_is_counted) {
  Folder folder;
  World world(folder);
  world.play([](World& w) -> Task<> {
    Stream stream = co_await w.connect(w.provider->mix_address());
    const auto packet = w.packet(1, client(1), "");
    BOOST_REQUIRE(co_await stream.write_all(BytesView(packet).first(1371)));
    stream.close();
    co_await w.settled(1);
  }(world));
  BOOST_TEST(world.provider->tally().dropped.to_text() == "short_packet 1");
  BOOST_TEST(world.provider->tally().received == 1u);
}

BOOST_AUTO_TEST_CASE(presence_names_numeric_listeners_and_the_clients_in_order) {
  Folder folder;
  runtime::Loop outer;  // only to find a free port before the world is made
  std::string body;
  Address at;
  {
    auto probe = runtime::Listener::open(outer, loopback());
    at = probe->local();
  }
  World world(folder, {}, "", "http://" + at.to_text());
  runtime::HttpServer directory(world.loop);
  runtime::Event posted(world.loop);
  directory.route("POST", "/api/presence/mixproviders", [&](const runtime::HttpRequest& request) {
    body = request.body;
    posted.notify();
    return runtime::HttpReply{.status = 201, .body = "{\"ok\":true}", .headers = {}};
  });
  BOOST_REQUIRE(directory.listen(at));
  world.play([&](World&) -> Task<> { co_await posted.wait(); }(world));
  const auto presence = topology::provider_from_presence(body);
  BOOST_REQUIRE_MESSAGE(presence, body);
  BOOST_TEST(presence->mixnet_listener == world.provider->mix_address().to_text());
  BOOST_TEST(presence->client_listener == world.provider->client_address().to_text());
  BOOST_TEST((presence->public_key == world.provider->public_key()));
  BOOST_TEST(presence->version == topology::kOurVersion);
  BOOST_TEST(presence->registered_clients.empty());
}

BOOST_AUTO_TEST_CASE(a_folder_or_a_port_in_use_is_said) {
  Folder folder;
  World world(folder);
  runtime::Loop loop;
  record::HopLog log;
  const auto port = Provider::open(loop, world.entropy, log,
                                   {.mix_listen = world.provider->mix_address(),
                                    .client_listen = loopback(),
                                    .store_folder = "x",
                                    .limits = {}});
  BOOST_REQUIRE(!port);
  BOOST_TEST(port.error().find(world.provider->mix_address().to_text()) != std::string::npos);
  const auto used = Provider::open(loop, world.entropy, log,
                                   {.mix_listen = loopback(),
                                    .client_listen = loopback(),
                                    .store_folder = folder.path,
                                    .limits = {}});
  BOOST_REQUIRE(!used);
  BOOST_TEST(used.error().find("in use by another provider") != std::string::npos);
  world.play([](World&) -> Task<> { co_return; }(world));
}

}  // namespace
}  // namespace mix::provider
