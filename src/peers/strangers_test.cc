// SPDX-License-Identifier: Apache-2.0
// Peers that a stranger listed: many, which never answer, beside some that do.
#include <boost/test/unit_test.hpp>

#include "src/peers/peers.h"
#include "src/peers/test_peers.h"

namespace mix::peers {

using namespace test;

namespace {

/// Next hops whose connects hang: every address of this machine at the port of one listener, whose
/// queue takes no more.
struct Strangers : Fixture {
  Listener port = Listener::open(loop, NodeAddress::ipv4({0, 0, 0, 0}, 0), {.backlog = 0}).value();

  Address address(std::uint8_t number) const {
    return NodeAddress::ipv4({127, 0, 1, number}, port.local().port);
  }
  /// The first connection is taken, and everybody else's hang.
  void fill() { send(address(0), {0}); }
  void send_to_all(std::uint8_t count) {
    for (std::uint8_t number = 1; number <= count; ++number)
      send(address(number), {number});
  }
  Peers& start_with(std::size_t connections) {
    limits.connections = connections;
    limits.connect_timeout = 1h;
    return start();
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(strangers, Strangers)

BOOST_AUTO_TEST_CASE(thousands_that_hang_leave_room_for_a_peer_that_took_a_packet) {
  start_with(16);
  Receiver receiver(loop);
  std::size_t most = 0;
  int ended = 0;
  receiver.on_end = [&] {
    most = std::max(most, peers->connections());
    if (++ended == 51) loop.stop();
  };
  loop.post([&] {
    fill();
    send(receiver.address(), {100}, false);
    send_to_all(100);
    BOOST_TEST(peers->connections() <= 1u + 1u + 2u);
    for (int number = 101; number <= 150; ++number)
      send(receiver.address(), {number}, false);
  });
  loop.run();
  BOOST_TEST(receiver.got.size() == 51u);
  BOOST_TEST(most <= 16u);
  BOOST_TEST(count(DropReason::peer_unreachable) == 0u);
}

BOOST_AUTO_TEST_CASE(one_that_was_never_sent_to_comes_through_between_those_that_hang) {
  limits.connect_hurry = 1ms;
  start_with(8);
  Receiver receiver(loop);
  receiver.on_packets = [&] { loop.stop(); };
  loop.post([&] {
    fill();
    send_to_all(20);
    BOOST_TEST(peers->connections() == 2u);
    send(receiver.address(), {1});
  });
  loop.run();
  BOOST_TEST(receiver.numbers() == std::vector{1}, boost::test_tools::per_element());
  BOOST_TEST(loop.refusals().of(runtime::Refusal::connections_full) >= 20u);
}

/// The only place belongs to a peer that does not read.
struct Deaf : Strangers {
  Listener deaf = Listener::open(loop, anywhere()).value();
  std::optional<Stream> held;
  Receiver receiver{loop};

  Deaf() {
    limits.packets_per_peer = limits.packets = 20'000;
    deaf.serve([this](Stream stream) -> Task<> {
      held = std::move(stream);
      co_return;
    });
  }
  void fill_it() {
    send(deaf.local(), {0});
    for (int number = 1; number <= 10'000; ++number)
      add(deaf.local(), number, ours(deaf.local()));
    peers->flush();
    BOOST_TEST(peers->waiting() > 0u);
  }
};

BOOST_FIXTURE_TEST_CASE(whoever_waited_in_vain_is_dropped_by_name, Deaf) {
  limits.connect_hurry = 1h;
  limits.connections = 1;
  limits.connect_timeout = 1ms;
  start();
  on_outcome = [&] {
    if (outcomes.back().first == receiver.address().port) loop.stop();
  };
  loop.post([&] {
    fill_it();
    send(receiver.address(), {1});
  });
  loop.run();
  BOOST_TEST(count(DropReason::peer_unreachable) == 1u);
  BOOST_TEST(receiver.connections == 0);
  BOOST_TEST(loop.refusals().of(runtime::Refusal::connections_full) == 1u);
}

BOOST_AUTO_TEST_CASE(the_connection_that_was_idle_longest_makes_room_and_nothing_is_lost) {
  start_with(2);
  Receiver one(loop), two(loop), three(loop);
  int sent = 0;
  const auto next = [&] {
    BOOST_TEST(peers->connections() <= 2u);
    if (++sent == 9) return loop.stop();
    Receiver* const all[] = {&one, &two, &three};
    send(all[sent % 3]->address(), {sent});
  };
  one.on_packets = two.on_packets = three.on_packets = next;
  loop.post([&] { send(one.address(), {0}); });
  loop.run();
  BOOST_TEST(one.numbers() == (std::vector{0, 3, 6}), boost::test_tools::per_element());
  BOOST_TEST(three.numbers() == (std::vector{2, 5, 8}), boost::test_tools::per_element());
  BOOST_TEST(count(kSent) == 9u);
  BOOST_TEST(peers->connections_made() == 9u);
}

BOOST_FIXTURE_TEST_CASE(a_peer_that_does_not_read_loses_its_place_to_one_that_waits, Deaf) {
  limits.connect_hurry = 1ms;
  start_with(1);
  receiver.on_packets = [&] {
    if (receiver.got.size() == 2) loop.stop();
  };
  loop.post([&] {
    send(receiver.address(), {0});
    fill_it();
    send(receiver.address(), {1});
  });
  loop.run();
  BOOST_TEST(receiver.numbers() == (std::vector{0, 1}), boost::test_tools::per_element());
  BOOST_TEST(count(DropReason::peer_unreachable) > 0u);
}

BOOST_AUTO_TEST_CASE(eight_addresses_of_a_peer_are_tried_and_all_of_them_share_the_time) {
  start_with(8);
  limits.connect_timeout = 400ms;
  start();
  Receiver receiver(loop);
  std::vector<NodeAddress> addresses;
  for (std::uint8_t number = 1; number <= 8; ++number)
    addresses.push_back(address(number));
  addresses.push_back(receiver.address());
  const auto info = std::make_shared<PeerInfo>(true, addresses);
  bool late = false;
  on_outcome = [&] {
    if (outcomes.size() == 2) loop.stop();
  };
  loop.post([&] {
    fill();
    add(addresses.front(), 1, info);
    peers->flush();
    loop.call_at(loop.now() + 4 * limits.connect_timeout, [&] { late = true; });
  });
  loop.run();
  BOOST_TEST(count(DropReason::peer_unreachable) == 1u);
  BOOST_TEST(receiver.connections == 0);
  BOOST_TEST(!late);
}

BOOST_AUTO_TEST_CASE(packets_of_strangers_leave_places_in_the_queue_to_peers_that_took_one) {
  limits.packets = 16;
  start_with(8);
  Receiver receiver(loop);
  receiver.on_packets = [&] { loop.stop(); };
  loop.post([&] { send(receiver.address(), {1}); });
  loop.run();
  for (std::uint8_t number = 1; number <= 100; ++number)
    add(address(number), number, ours(address(number)));
  BOOST_TEST(peers->waiting() == 14u);
  add(receiver.address(), 2, ours(receiver.address()));
  BOOST_TEST(peers->waiting() == 15u);
}

BOOST_AUTO_TEST_CASE(strangers_leave_room_for_peers_that_took_a_packet) {
  limits.peers = 16;
  start_with(8);
  Receiver receiver(loop);
  receiver.on_end = [&] { loop.stop(); };
  loop.post([&] { send(receiver.address(), {1}, false); });
  loop.run();
  for (std::uint8_t number = 1; number <= 100; ++number)
    add(address(number), number, ours(address(number)));
  BOOST_TEST(peers->peers() == 14u);
  add(receiver.address(), 2, nullptr);
  BOOST_TEST(peers->peers() == 15u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mix::peers
