// SPDX-License-Identifier: Apache-2.0
// A whole client against a directory, mixes and a provider that this file plays, over loopback in
// one loop. No case waits for a time to pass: each ends when what it waits for has happened.
#include "src/client/client.h"

#include <boost/test/unit_test.hpp>
#include <functional>
#include <map>
#include <set>

#include "src/client/test_world.h"
#include "src/prelude/log.h"
#include "src/runtime/http_server.h"
#include "src/topology/json.h"
#include "src/topology/metrics.h"
#include "src/wire/frame.h"

using namespace mix;
using namespace mix::client;
using runtime::Address;
using runtime::Listener;
using runtime::Loop;
using runtime::Stream;
using runtime::Task;
using test::World;

namespace {

Address anywhere() {
  return Address::ipv4({127, 0, 0, 1}, 0);
}

/// Directory, three layers of mixes and a provider. Mixes forward at once, whatever delay is asked.
class Network {
 public:
  explicit Network(Loop& of, unsigned width = 2) : world(3, width), loop(of), directory(of) {
    for (auto& mix : world.mixes)
      listen(mix.host, [this, &mix](Stream stream) { return carry(mix, std::move(stream)); });
    auto& provider = world.providers[0];
    mixnet_host = provider.host;
    listen(mixnet_host,
           [this](Stream stream) { return carry(world.providers[0], std::move(stream)); });
    listen(client_host, [this](Stream stream) { return serve(std::move(stream)); });
    directory.route("GET", "/api/presence/topology", [this](const runtime::HttpRequest&) {
      return runtime::HttpReply{.body = topology(), .headers = {}};
    });
    directory.route("POST", "/api/metrics/clients", [this](const runtime::HttpRequest& request) {
      metrics.push_back(topology::client_metrics_from_json(request.body).value());
      changed();
      return runtime::HttpReply{.status = 201, .body = R"({"ok":true})", .headers = {}};
    });
    BOOST_REQUIRE(directory.listen(anywhere()).has_value());
  }

  std::string url() const { return "http://" + directory.local().to_text(); }
  std::size_t mail(const crypto::PublicKey& of) { return boxes[of.bytes()].size(); }
  /// Asked after everything that happens; the loop ends when it says so.
  void until(std::function<bool()> enough) { x_enough = std::move(enough); }

  World world;
  Loop& loop;
  std::map<wire::ClientAddress, std::vector<Bytes>> boxes;
  std::set<wire::ClientAddress> accounts;
  std::map<std::string, int> first_hops;  // packets taken, by mix of layer 1
  std::vector<topology::ClientMetrics> metrics;
  std::string client_host;
  std::string mixnet_host;
  int connections_to_mixes = 0;
  int registrations = 0;
  int pulls = 0;
  bool forget_tokens = false;  // the next pull is refused, and every one until registering

 private:
  void listen(std::string& host, Listener::Handler handler) {
    auto listener = Listener::open(loop, anywhere());
    BOOST_REQUIRE(listener.has_value());
    listener->serve(std::move(handler));
    host = listener->local().to_text();
    x_listeners.push_back(std::move(*listener));
  }
  std::string topology() {
    const auto view = world.view();
    std::vector<topology::ProviderInfo> providers(view.topology.providers().begin(),
                                                  view.topology.providers().end());
    for (auto& provider : providers) {
      provider.client_listener = client_host;
      provider.mixnet_listener = mixnet_host;
      for (const auto& account : accounts)
        provider.registered_clients.emplace_back(account);
    }
    return topology::to_json(topology::Topology(
        {view.topology.mixes().begin(), view.topology.mixes().end()}, providers));
  }
  void changed() {
    if (x_enough && x_enough()) loop.stop();
  }

  Task<> carry(const test::TestNode& node, Stream stream) {
    ++connections_to_mixes;
    sphinx::Packet packet;
    while (true) {
      const auto size = co_await stream.read_full(packet);
      if (!size || *size != packet.size()) co_return;
      if (node.layer == 1) ++first_hops[node.host];
      deliver(node, packet);
      changed();
    }
  }
  /// All hops in one go.
  void deliver(const test::TestNode& first, sphinx::Packet packet) {
    const test::TestNode* node = &first;
    for (;;) {
      const auto peeled = sphinx::Peeler(node->keys.secret).peel(packet);
      BOOST_REQUIRE(peeled.has_value());
      if (const auto* end = std::get_if<sphinx::Final>(&*peeled)) {
        BOOST_TEST(node->layer == 0u);
        const BytesView message = end->message();
        boxes[end->destination.address].emplace_back(message.begin(), message.end());
        return;
      }
      const auto& forward = std::get<sphinx::Forward>(*peeled);
      const unsigned before = node->layer;
      node = find(sphinx::NodeAddress::decode(forward.next_address)->to_text());
      BOOST_TEST(node->layer == (before == 3 ? 0u : before + 1));
      packet = forward.packet;
    }
  }
  const test::TestNode* find(const std::string& host) {
    if (host == mixnet_host) return &world.providers[0];
    for (const auto& mix : world.mixes)
      if (mix.host == host) return &mix;
    BOOST_FAIL("nobody listens at " + host);
    return nullptr;
  }

  Task<> serve(Stream stream) {
    Bytes bytes(wire::kPullBytes);
    const auto size = co_await stream.read_full(bytes);
    if (!size) co_return;
    bytes.resize(*size);
    co_await stream.write_all(answer(bytes));
    changed();
  }
  Bytes answer(BytesView bytes) {
    const auto request = wire::parse_request(bytes);
    const auto bad = as_bytes(wire::kBadRequest);
    if (!request) return {bad.begin(), bad.end()};
    if (const auto* enrol = std::get_if<wire::RegisterRequest>(&*request)) {
      ++registrations;
      forget_tokens = false;
      accounts.insert(enrol->address);
      return Bytes(wire::kTokenBytes, static_cast<std::uint8_t>(registrations));
    }
    ++pulls;
    const auto& pull = std::get<wire::PullRequest>(*request);
    if (forget_tokens || pull.token[0] != registrations) return {bad.begin(), bad.end()};
    auto& box = boxes[pull.address];
    const auto taken = static_cast<std::ptrdiff_t>(std::min(box.size(), wire::kMessagesPerPull));
    const std::vector<Bytes> messages(box.begin(), box.begin() + taken);
    box.erase(box.begin(), box.begin() + taken);
    const std::vector<BytesView> views(messages.begin(), messages.end());
    return wire::encode_pull_reply(views);
  }

  std::function<bool()> x_enough;
  std::vector<Listener> x_listeners;
  runtime::HttpServer directory;
};

struct Rig {
  explicit Rig(unsigned width = 2) : network(loop, width) {
    log::set_threshold(log::Level::error);
    settings.id = "test";
    settings.directory = network.url();
    settings.loop_gap = settings.send_gap = 8ms;
    settings.poll_interval = 4ms;
    settings.mean_delay = 1ms;
  }
  Client& client(std::uint8_t seed = 1) {
    auto chance = test::generator(seed, "keys");
    auto root = test::generator(seed, "root");
    clients.push_back(
        std::make_unique<Client>(loop, settings, crypto::KeyPair::generate(chance), record, root));
    clients.back()->start();
    return *clients.back();
  }
  void run_until(std::function<bool()> enough) {
    network.until(std::move(enough));
    loop.run();
  }

  Loop loop;
  Network network;
  Settings settings;
  record::HopLog record;
  std::vector<std::unique_ptr<Client>> clients;
};

std::string text(const Bytes& bytes) {
  return std::string(as_text(bytes));
}

}  // namespace

BOOST_AUTO_TEST_CASE(loops_and_fillers_come_home_and_the_user_sees_none) {
  Rig rig;
  auto& client = rig.client();
  rig.run_until([&] { return rig.network.pulls > 100; });
  BOOST_TEST(client.fetch().empty());
  BOOST_TEST(rig.network.registrations == 1);
  BOOST_TEST(rig.network.first_hops.size() == 2u);
}

BOOST_AUTO_TEST_CASE(one_connection_is_kept_to_each_first_mix_that_keeps_connections) {
  Rig rig;
  rig.client();
  rig.run_until([&] { return rig.network.pulls > 100; });
  BOOST_TEST(rig.network.connections_to_mixes == 2);
}

BOOST_AUTO_TEST_CASE(an_original_mix_gets_a_connection_for_each_packet) {
  Rig rig;
  rig.network.world.version = "0.4.0-rc.2";
  rig.client();
  int packets = 0;
  rig.run_until([&] {
    packets = 0;
    for (const auto& [host, count] : rig.network.first_hops)
      packets += count;
    return packets >= 20;
  });
  BOOST_TEST(rig.network.connections_to_mixes >= packets);
}

BOOST_AUTO_TEST_CASE(a_message_reaches_another_client_once) {
  Rig rig;
  auto& alice = rig.client(1);
  auto& bob = rig.client(2);
  std::vector<Bytes> got;
  BOOST_TEST(alice.send(bob.own_address(), as_bytes("hello")).has_value());
  BOOST_TEST(alice.send(bob.own_address(), as_bytes("hello")).has_value());  // meant twice
  int more = 0;
  rig.run_until([&] {
    for (auto& message : bob.fetch())
      got.push_back(std::move(message));
    return got.size() >= 2 && ++more > 100;  // and then some, to see a third if there is one
  });
  BOOST_TEST(got.size() == 2u);
  BOOST_TEST(text(got[0]) == "hello");
  BOOST_TEST(text(got[1]) == "hello");
  BOOST_TEST(alice.fetch().empty());
}

BOOST_AUTO_TEST_CASE(a_refused_pull_leads_to_registering_again) {
  Rig rig;
  auto& client = rig.client();
  bool broken = false;
  std::vector<Bytes> got;
  rig.run_until([&] {
    if (!broken && rig.network.pulls > 20) {
      broken = true;
      rig.network.forget_tokens = true;
      BOOST_TEST(client.send(client.own_address(), as_bytes("after")).has_value());
    }
    if (rig.network.registrations == 2)
      for (auto& message : client.fetch())
        got.push_back(std::move(message));
    return !got.empty();
  });
  BOOST_TEST(rig.network.registrations == 2);
  BOOST_TEST(text(got[0]) == "after");
}

BOOST_AUTO_TEST_CASE(messages_wait_while_a_layer_is_empty_and_nothing_is_sent) {
  Rig rig;
  const auto all = rig.network.world.mixes;
  std::erase_if(rig.network.world.mixes, [](const auto& mix) { return mix.layer == 2; });
  auto& client = rig.client();
  BOOST_TEST(client.send(client.own_address(), as_bytes("patience")).has_value());
  rig.run_until([&] { return rig.network.pulls > 100; });
  BOOST_TEST(rig.network.first_hops.empty());
  BOOST_TEST(client.fetch().empty());
}

BOOST_AUTO_TEST_CASE(a_message_whose_first_mix_is_gone_takes_another_way) {
  Rig rig;
  auto& alice = rig.client(1);
  // Nobody listens there: bound and closed again, so that no other test's port is meant.
  rig.network.world.mixes[0].host = Listener::open(rig.loop, anywhere())->local().to_text();
  constexpr std::size_t kMessages = 20;  // all at the living mix: once in 2^20
  for (std::size_t n = 0; n < kMessages; ++n)
    BOOST_TEST(alice.send(alice.own_address(), as_bytes(std::to_string(n))).has_value());
  std::multiset<std::string> got;
  int more = 0;
  rig.run_until([&] {
    for (const auto& message : alice.fetch())
      got.insert(text(message));
    return got.size() >= kMessages && ++more > 100;
  });
  BOOST_TEST(rig.network.first_hops.size() == 1u);
  BOOST_TEST(got.size() == kMessages);
  for (std::size_t n = 0; n < kMessages; ++n)
    BOOST_TEST(got.count(std::to_string(n)) == 1u);
}

BOOST_AUTO_TEST_CASE(a_restarted_client_does_not_hand_its_old_loops_to_the_user) {
  Rig rig;
  auto& old = rig.client(1);
  rig.run_until([&] { return rig.network.first_hops.size() == 2; });
  const auto left_behind = old.own_address().bytes();
  const auto waiting = rig.network.boxes[left_behind];

  Rig next;
  auto chance = test::generator(1, "keys");
  auto root = test::generator(77, "root");  // the same keys, other chance
  next.network.boxes[left_behind] = waiting;
  // Loops of the first life that are on their way still.
  auto payloads = test::generator(3);
  const auto keys = crypto::KeyPair::generate(chance);
  for (int n = 0; n < 50; ++n)
    next.network.boxes[left_behind].push_back(
        OwnMark(keys.secret).make(n % 2 == 0 ? Kind::loop : Kind::cover, payloads).bytes);
  Client client(next.loop, next.settings, keys, next.record, root);
  client.start();
  next.run_until([&] { return next.network.pulls > 60; });
  BOOST_TEST((client.own_address().bytes() == left_behind));
  BOOST_TEST(client.fetch().empty());
}

BOOST_AUTO_TEST_CASE(counts_of_loops_go_to_a_directory_on_this_machine) {
  Rig rig;
  rig.settings.loop_timeout = 1h;
  auto& client = rig.client();
  topology::ClientMetrics sum;
  rig.run_until([&] {
    sum = {};
    for (const auto& told : rig.network.metrics) {
      BOOST_TEST((told.public_key == client.own_address()));
      sum.loops_sent += told.loops_sent;
      sum.loops_home += told.loops_home;
      sum.loops_lost += told.loops_lost;
    }
    return sum.loops_home > 20;
  });
  BOOST_TEST(sum.loops_sent >= sum.loops_home);
  BOOST_TEST(sum.loops_lost == 0u);
}

BOOST_AUTO_TEST_CASE(a_directory_elsewhere_is_told_apart_from_one_on_this_machine) {
  for (const char* local :
       {"http://localhost:8080", "http://127.0.0.1:8080", "http://127.1.2.3:1", "http://[::1]:8080",
        "http://localhost", "http://localhost:8080/prefix"})
    BOOST_TEST(is_local(local), local);
  for (const char* other : {"http://10.0.0.1:8080", "http://directory.example:8080",
                            "ftp://localhost", "http://[2001:db8::1]:80", ""})
    BOOST_TEST(!is_local(other), other);
}

BOOST_AUTO_TEST_CASE(the_queue_refuses_what_is_too_much) {
  Rig rig;
  auto& client = rig.client();
  for (std::size_t i = 0; i < Outbox::kCapacity; ++i)
    BOOST_REQUIRE(client.send(client.own_address(), as_bytes("x")).has_value());
  const auto refused = client.send(client.own_address(), as_bytes("x"));
  BOOST_REQUIRE(!refused.has_value());
  BOOST_TEST(refused.error() == "1000 messages wait to be sent already; try again later");
}
