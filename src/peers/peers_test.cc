// SPDX-License-Identifier: Apache-2.0
// Over loopback, with real sockets: sender and receivers share one loop. No case waits for a time
// to pass; each ends when what it waits for has happened (a bug shows as ctest's time-out).
#include "src/peers/peers.h"

#include <boost/test/unit_test.hpp>

#include "src/peers/test_peers.h"

namespace mix::peers {

using namespace test;

BOOST_FIXTURE_TEST_SUITE(peers, Fixture)

BOOST_AUTO_TEST_CASE(packets_due_together_go_in_one_write_on_one_connection) {
  Receiver receiver(loop);
  start();
  receiver.on_packets = [&] {
    if (receiver.got.size() == 1) send(receiver.address(), {2, 3, 4, 5});
    if (receiver.got.size() == 5) loop.stop();
  };
  loop.post([&] { send(receiver.address(), {1}); });
  loop.run();
  BOOST_TEST(receiver.numbers() == (std::vector{1, 2, 3, 4, 5}), boost::test_tools::per_element());
  BOOST_TEST(receiver.connections == 1);
  BOOST_TEST(receiver.reads == 2);
  BOOST_TEST(peers->connections_made() == 1u);
  BOOST_TEST(count(kSent) == 5u);
}

BOOST_AUTO_TEST_CASE(other_peers_get_a_connection_for_each_packet) {
  Receiver receiver(loop);
  start();
  int ended = 0;
  receiver.on_end = [&] {
    if (++ended == 3) loop.stop();
  };
  loop.post([&] { send(receiver.address(), {1, 2, 3}, false); });
  loop.run();
  BOOST_TEST(receiver.connections == 3);
  std::vector<int> numbers = receiver.numbers();
  std::ranges::sort(numbers);
  BOOST_TEST(numbers == (std::vector{1, 2, 3}), boost::test_tools::per_element());
  BOOST_TEST(count(kSent) == 3u);
  BOOST_TEST(peers->peers() == 0u);
}

BOOST_AUTO_TEST_CASE(more_packets_than_connections_of_one_packet_all_arrive) {
  limits.connections_per_peer = 2;
  Receiver receiver(loop);
  start();
  int ended = 0;
  receiver.on_end = [&] {
    if (++ended == 8) loop.stop();
  };
  loop.post([&] { send(receiver.address(), {1, 2, 3, 4, 5, 6, 7, 8}, false); });
  loop.run();
  BOOST_TEST(receiver.connections == 8);
  BOOST_TEST(peers->connections_made() == 8u);
  BOOST_TEST(count(kSent) == 8u);
}

BOOST_AUTO_TEST_CASE(connections_of_one_packet_are_bounded) {
  limits.connections_per_peer = 2;
  const Listener receiver = busy(loop);
  start();
  loop.post([&] {
    send(receiver.local(), {0}, false);
    send(receiver.local(), {1, 2, 3, 4, 5, 6, 7, 8}, false);
    BOOST_TEST(count(kSent) == 1u);
    BOOST_TEST(peers->waiting() == 8u);
    BOOST_TEST(peers->flying() == 2u);
    loop.stop();
  });
  loop.run();
}

/// Ends its first connection in one way or another once it has carried a packet, and sends the
/// next packet in the same turn: the peers have not heard of the end.
struct EndingFixture : Fixture {
  std::vector<int> arrived;

  void run(const std::function<void(Stream&)>& end) {
    start();
    Listener listener = Listener::open(loop, anywhere()).value();
    listener.serve([&](Stream stream) -> Task<> {
      ByteArray<wire::kPacketBytes> bytes;
      if ((co_await stream.read_full(bytes)).value() < bytes.size()) co_return;
      arrived.push_back(number_of(bytes));
      if (arrived.size() == 2) loop.stop();
      if (arrived.size() > 1) co_return;
      end(stream);
      send(listener.local(), {2});
    });
    loop.post([&] { send(listener.local(), {1}); });
    loop.run();
    BOOST_TEST(arrived == (std::vector{1, 2}), boost::test_tools::per_element());
    BOOST_TEST(count(kSent) == 2u);
    BOOST_TEST(peers->connections_made() == 2u);
  }
};

BOOST_FIXTURE_TEST_CASE(a_write_that_fails_on_a_connection_that_worked_is_tried_once_more,
                        EndingFixture) {
  run([](Stream& stream) { stream.reset(); });
}

BOOST_FIXTURE_TEST_CASE(a_silent_connection_that_was_closed_is_not_written_to, EndingFixture) {
  limits.look_first = 0s;
  run([](Stream& stream) { stream.close(); });
}

BOOST_AUTO_TEST_CASE(a_peer_that_closed_while_nothing_was_sent_is_forgotten) {
  Receiver receiver(loop);
  receiver.close_after = 1;
  start();
  loop.post([&] { send(receiver.address(), {1}); });
  // Our side hears of the end by itself; nobody else wakes the loop.
  const auto look = std::make_shared<std::function<void()>>();
  *look = [&, look] { peers->peers() == 0 && count(kSent) == 1 ? loop.stop() : loop.post(*look); };
  loop.post(*look);
  loop.run();
  *look = nullptr;
  BOOST_TEST(peers->peers() == 0u);
}

BOOST_AUTO_TEST_CASE(a_fresh_connection_that_fails_is_not_tried_for_ever) {
  Receiver receiver(loop);
  start();
  const Address refused = nobody();
  on_outcome = [&] {
    if (outcomes.size() == 3) loop.stop();
  };
  loop.post([&] { send(refused, {1, 2, 3}); });
  loop.run();
  BOOST_TEST(count(DropReason::peer_unreachable) == 3u);
  BOOST_TEST(peers->peers() == 0u);
  BOOST_TEST(peers->waiting() == 0u);
}

BOOST_AUTO_TEST_CASE(a_peer_without_kept_connections_that_refuses_costs_its_packets) {
  start();
  const Address refused = nobody();
  on_outcome = [&] {
    if (outcomes.size() == 3) loop.stop();
  };
  loop.post([&] { send(refused, {1, 2, 3}, false); });
  loop.run();
  BOOST_TEST(count(DropReason::peer_unreachable) == 3u);
}

BOOST_AUTO_TEST_CASE(every_address_of_a_node_is_tried) {
  Receiver receiver(loop);
  start();
  const Address refused = nobody();
  const auto info = std::make_shared<PeerInfo>(true, std::vector{refused, receiver.address()});
  receiver.on_packets = [&] { loop.stop(); };
  loop.post([&] {
    add(refused, 1, info);
    peers->flush();
  });
  loop.run();
  BOOST_TEST(receiver.numbers() == std::vector{1}, boost::test_tools::per_element());
  BOOST_TEST(count(kSent) == 1u);
}

BOOST_AUTO_TEST_CASE(one_peer_that_is_unreachable_holds_up_no_other) {
  Receiver receiver(loop);
  start();
  const Address refused = nobody();
  receiver.on_packets = [&] { loop.stop(); };
  loop.post([&] {
    add(refused, 1, ours(refused));
    add(receiver.address(), 2, ours(receiver.address()));
    peers->flush();
  });
  loop.run();
  BOOST_TEST(receiver.numbers() == std::vector{2}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_one_peer_may_queue_is_bounded) {
  limits.packets_per_peer = 2;
  Receiver receiver(loop);
  start();
  receiver.on_packets = [&] {
    if (receiver.got.size() == 2) loop.stop();
  };
  loop.post([&] { send(receiver.address(), {1, 2, 3}); });
  loop.run();
  BOOST_TEST(receiver.numbers() == (std::vector{1, 2}), boost::test_tools::per_element());
  BOOST_TEST(count(DropReason::pending_full) == 1u);
}

/// Peers that take nothing leave the others a share, however many slots they would like.
BOOST_AUTO_TEST_CASE(peers_that_do_not_read_leave_room_for_one_that_does) {
  limits.packets = 64;
  limits.packets_per_peer = 64;
  start();
  for (std::uint16_t port = 1; port <= 4; ++port)  // added, and never flushed: nothing is sent
    for (int number = 0; number < 100; ++number)
      add(NodeAddress::ipv4({127, 0, 0, 1}, port), number, nullptr);
  // Halves of what was left of the 56 that strangers have: 28, 14, 7, 4.
  BOOST_TEST(peers->waiting() == 53u);
  BOOST_TEST(outcomes.size() == 347u);
  add(NodeAddress::ipv4({127, 0, 0, 1}, 5), 0, nullptr);
  BOOST_TEST(peers->waiting() == 54u);
}

BOOST_AUTO_TEST_CASE(what_all_peers_may_queue_is_bounded) {
  limits.packets = 2;
  Receiver one(loop), other(loop);
  start();
  on_outcome = [&] {
    if (outcomes.size() == 4) loop.stop();
  };
  loop.post([&] {
    for (int i = 0; i < 2; ++i)
      for (Receiver* receiver : {&one, &other})
        add(receiver->address(), i, ours(receiver->address()));
    peers->flush();
  });
  loop.run();
  BOOST_TEST(count(kSent) == 2u);
  BOOST_TEST(count(DropReason::pending_full) == 2u);
}

/// More than a socket's buffers take: partial writes, waiting, and everything in order.
BOOST_AUTO_TEST_CASE(a_burst_larger_than_the_socket_arrives_whole_and_in_order) {
  limits.packets_per_peer = limits.packets = 24'000;
  Receiver receiver(loop);
  start();
  constexpr int kPackets = 10'000;
  receiver.on_packets = [&] {
    if (receiver.got.size() == kPackets) loop.stop();
  };
  loop.post([&] {
    for (int i = 0; i < kPackets; ++i)
      add(receiver.address(), i, ours(receiver.address()));
    peers->flush();
  });
  loop.run();
  BOOST_REQUIRE_EQUAL(receiver.got.size(), static_cast<std::size_t>(kPackets));
  for (int i = 0; i < kPackets; ++i)
    BOOST_REQUIRE_EQUAL(receiver.got[static_cast<std::size_t>(i)].number, i);
  BOOST_TEST(receiver.connections == 1);
  BOOST_TEST(count(kSent) == static_cast<std::size_t>(kPackets));
}

/// The peer breaks off while the driver waits in the middle of a packet: what was not handed over
/// whole goes on a fresh connection, from the start of a packet.
BOOST_AUTO_TEST_CASE(a_connection_that_breaks_in_the_middle_of_a_burst_is_replaced) {
  limits.packets_per_peer = limits.packets = 20'000;
  start();
  constexpr int kLast = 10'000;
  Listener listener = Listener::open(loop, anywhere()).value();
  std::vector<int> arrived;
  int connections = 0;
  listener.serve([&](Stream stream) -> Task<> {
    const bool first = ++connections == 1;
    ByteArray<wire::kPacketBytes> bytes;
    while ((co_await stream.read_full(bytes)).value_or(0) == bytes.size()) {
      if (first) {
        for (int i = 1; i <= kLast; ++i)
          add(listener.local(), i, ours(listener.local()));
        peers->flush();
        BOOST_TEST(peers->waiting() > 0u);
        stream.reset();
        co_return;
      }
      arrived.push_back(number_of(bytes));
      if (arrived.back() == kLast) loop.stop();
    }
  });
  loop.post([&] { send(listener.local(), {0}); });
  loop.run();
  BOOST_TEST(connections == 2);
  BOOST_REQUIRE(!arrived.empty());
  BOOST_TEST(arrived.size() < static_cast<std::size_t>(kLast));
  for (std::size_t i = 0; i < arrived.size(); ++i)
    BOOST_REQUIRE_EQUAL(arrived[i], arrived[0] + static_cast<int>(i));
  BOOST_TEST(outcomes.size() == static_cast<std::size_t>(kLast) + 1);
}

BOOST_AUTO_TEST_CASE(what_waits_at_the_end_is_named) {
  Receiver receiver(loop);
  start();
  loop.post([&] {
    add(receiver.address(), 1, ours(receiver.address()));
    add(receiver.address(), 2, ours(receiver.address()));
    loop.stop();
  });
  loop.run();
  peers->abandon();
  BOOST_TEST(count(DropReason::shutting_down) == 2u);
  BOOST_TEST(peers->waiting() == 0u);
}

BOOST_AUTO_TEST_CASE(what_flies_alone_at_the_end_is_named) {
  const Listener receiver = busy(loop);
  start();
  loop.post([&] {
    send(receiver.local(), {1, 2, 3}, false);
    BOOST_TEST(peers->flying() == 2u);
    loop.stop();
  });
  loop.run();
  peers->abandon();
  BOOST_TEST(count(DropReason::shutting_down) == 2u);
  BOOST_TEST(outcomes.size() == 3u);
  BOOST_TEST(peers->waiting() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mix::peers
