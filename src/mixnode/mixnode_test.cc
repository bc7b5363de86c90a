// SPDX-License-Identifier: Apache-2.0
// A whole mix between a sender, a next hop and a directory, all on one loop and real sockets. No
// case waits for a time to pass; each ends when what it waits for has happened.
#include "src/mixnode/mixnode.h"

#include <boost/test/unit_test.hpp>

#include "src/runtime/http_server.h"
#include "src/topology/json.h"
#include "src/topology/version.h"
#include "src/wire/frame.h"

namespace mix::mixnode {
namespace {

using record::DropReason;
using runtime::Address;
using runtime::Listener;
using runtime::Loop;
using runtime::Stream;
using runtime::Task;

Address anywhere() {
  return sphinx::NodeAddress::ipv4({127, 0, 0, 1}, 0);
}

/// The mix is alone in layer 1 of 1; the next hop is the provider.
struct Fixture {
  Loop loop;
  ports::SystemEntropy entropy;
  record::HopLog log;
  crypto::KeyPair provider = crypto::KeyPair::generate(entropy);
  Listener next_hop = Listener::open(loop, anywhere()).value();
  runtime::HttpServer directory{loop};
  std::unique_ptr<Mixnode> node;
  std::vector<std::string> presences;
  std::vector<std::string> arrived;  // messages, in order
  int connections = 0;
  std::function<void()> on_arrival;

  Fixture() {
    directory.route("GET", presence::kTopologyPath, [this](const auto&) { return topology(); });
    directory.route("POST", presence::kMixPresencePath, [this](const auto& request) {
      presences.push_back(request.body);
      return reply(201, "{\"ok\":true}");
    });
    BOOST_REQUIRE(directory.listen(anywhere()));
    next_hop.serve([this](Stream stream) { return receive(std::move(stream)); });
    node = Mixnode::open(loop, entropy, log,
                         {.listen = anywhere(),
                          .announce_host = "127.0.0.1",
                          .announce_address = anywhere(),
                          .directory = "http://" + directory.local().to_text(),
                          .layer = 1,
                          .layers = 1})
               .value();
  }

  static runtime::HttpReply reply(unsigned status, std::string body) {
    runtime::HttpReply out;
    out.status = status;
    out.body = std::move(body);
    return out;
  }
  runtime::HttpReply topology() const {
    topology::ProviderInfo info;
    info.client_listener = "127.0.0.1:1";
    info.mixnet_listener = next_hop.local().to_text();
    info.public_key = provider.public_key;
    info.version = topology::kOurVersion;
    return reply(200, topology::to_json(topology::Topology({}, {info})));
  }

  Task<> receive(Stream stream) {
    ++connections;
    sphinx::Packet packet;
    while ((co_await stream.read_full(packet)).value_or(0) == packet.size()) {
      const auto peeled = sphinx::Peeler(provider.secret).peel(packet);
      arrived.emplace_back(peeled ? as_text(std::get<sphinx::Final>(*peeled).message()) : "?");
      if (on_arrival) on_arrival();
    }
  }

  sphinx::Packet packet(std::string_view message, Duration delay = 0ns) {
    const std::array route{
        sphinx::Hop{node->listening().encode(), node->public_key(), delay},
        sphinx::Hop{next_hop.local().encode(), provider.public_key, 0ns},
    };
    return sphinx::build(route, {}, as_bytes(message), entropy).value();
  }
  Task<Stream> connect() {
    co_return (co_await Stream::connect(loop, node->listening(), 5s)).value();
  }
  void run(Task<> task) {
    node->start();
    loop.spawn(std::move(task));
    loop.run();
  }
  void stop_after(std::size_t messages) {
    on_arrival = [this, messages] {
      if (arrived.size() == messages) loop.stop();
    };
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(mixnode, Fixture)

BOOST_AUTO_TEST_CASE(packets_cut_anyhow_are_sent_on_in_order_over_one_connection) {
  Bytes stream;
  for (const char* message : {"one", "two", "three", "four"}) {
    const auto bytes = packet(message);
    stream.insert(stream.end(), bytes.begin(), bytes.end());
  }
  stop_after(4);
  run([](Fixture& f, const Bytes& bytes) -> Task<> {
    Stream to = co_await f.connect();
    BytesView rest(bytes);
    for (std::size_t piece = 1; !rest.empty(); piece = piece * 2 + 1) {
      const BytesView now = rest.first(std::min(piece, rest.size()));
      (void)co_await to.write_all(now);
      rest = rest.subspan(now.size());
      co_await f.loop.yield();
    }
    Bytes nothing(1);
    (void)co_await to.read_some(nothing);  // until the loop stops: no answer ever comes
    BOOST_ERROR("the mix answered");
  }(*this, stream));
  BOOST_TEST(arrived == (std::vector<std::string>{"one", "two", "three", "four"}),
             boost::test_tools::per_element());
  BOOST_TEST(connections == 1);
  BOOST_TEST(node->tally().received == 4u);
  BOOST_TEST(node->tally().sent == 4u);
}

BOOST_AUTO_TEST_CASE(a_connection_does_not_wait_for_a_packets_delay) {
  const auto slow = packet("slow", 1h), quick = packet("quick");
  stop_after(1);
  run([](Fixture& f, const auto& first, const auto& second) -> Task<> {
    Stream to = co_await f.connect();
    (void)co_await to.write_all(first);
    (void)co_await to.write_all(second);
    (void)co_await to.readable();
  }(*this, slow, quick));
  BOOST_TEST(arrived == std::vector<std::string>{"quick"}, boost::test_tools::per_element());
  BOOST_TEST(node->waiting() == 1u);
  node->finish();
  BOOST_TEST(node->waiting() == 0u);
  BOOST_TEST(node->tally().dropped.of(DropReason::shutting_down) == 1u);
}

BOOST_AUTO_TEST_CASE(a_packet_leaves_after_its_delay_and_never_before) {
  const auto bytes = packet("later", 30ms);
  stop_after(1);
  Instant sent, came;
  const auto stop = on_arrival;
  on_arrival = [&] {
    came = loop.now();
    stop();
  };
  run([](Fixture& f, const auto& packet, Instant& when) -> Task<> {
    Stream to = co_await f.connect();
    when = f.loop.now();
    (void)co_await to.write_all(packet);
    (void)co_await to.readable();
  }(*this, bytes, sent));
  BOOST_TEST((came - sent >= 30ms));
}

BOOST_AUTO_TEST_CASE(a_connection_that_ends_inside_a_packet_costs_that_packet_only) {
  const auto whole = packet("whole"), cut = packet("cut");
  run([](Fixture& f, const auto& first, const auto& second) -> Task<> {
    {
      Stream to = co_await f.connect();
      (void)co_await to.write_all(first);
      (void)co_await to.write_all(BytesView(second).first(1371));
    }
    while (f.node->tally().dropped.total() == 0 || f.arrived.empty())
      co_await f.loop.yield();
    f.loop.stop();
  }(*this, whole, cut));
  BOOST_TEST(arrived == std::vector<std::string>{"whole"}, boost::test_tools::per_element());
  BOOST_TEST(node->tally().dropped.of(DropReason::short_packet) == 1u);
  BOOST_TEST(node->tally().received == 2u);
}

BOOST_AUTO_TEST_CASE(a_bad_packet_does_not_cost_its_connection) {
  sphinx::Packet bad = packet("bad");
  bad[sphinx::kBetaAt] ^= 1;
  const auto good = packet("good");
  stop_after(1);
  run([](Fixture& f, const auto& first, const auto& second) -> Task<> {
    Stream to = co_await f.connect();
    (void)co_await to.write_all(first);
    (void)co_await to.write_all(second);
    (void)co_await to.readable();
  }(*this, bad, good));
  BOOST_TEST(arrived == std::vector<std::string>{"good"}, boost::test_tools::per_element());
  BOOST_TEST(node->tally().dropped.to_text() == "mac 1");
}

BOOST_AUTO_TEST_CASE(the_directory_hears_where_and_what_the_node_is) {
  run([](Fixture& f) -> Task<> {
    while (f.presences.empty())
      co_await f.loop.yield();
    f.loop.stop();
  }(*this));
  const auto mix = topology::mix_from_presence(presences.at(0));
  BOOST_REQUIRE(mix);
  BOOST_TEST(mix->host == node->listening().to_text());
  BOOST_TEST(mix->layer == 1u);
  BOOST_TEST(mix->version == topology::kOurVersion);
  BOOST_TEST((mix->public_key == node->public_key()));
}

BOOST_AUTO_TEST_CASE(a_port_in_use_is_said_with_its_address) {
  Options same;
  same.listen = node->listening();
  const auto again = Mixnode::open(loop, entropy, log, same);
  BOOST_REQUIRE(!again);
  BOOST_TEST(again.error() == node->listening().to_text() + ": already in use");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mix::mixnode
