// SPDX-License-Identifier: Apache-2.0
// Over loopback. No case waits for a time to pass; each ends when what it waits for has happened.
#include "src/peers/intake.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <vector>

#include "src/runtime/run_task.h"
#include "src/sphinx/address.h"

namespace mix::peers {
namespace {

using runtime::Listener;
using runtime::Stream;
using runtime::Task;

struct Fixture {
  runtime::Loop loop;
  std::vector<int> numbers;
  int reads = 0, cut_off = 0, ended = 0;
  std::function<void()> on_end = [] {};
  Intake intake{loop,
                {.take =
                     [this](wire::PacketView packet, Instant now) {
                       int number = 0;
                       std::memcpy(&number, packet.data(), sizeof number);
                       numbers.push_back(number);
                       BOOST_TEST((now <= loop.now()));
                     },
                 .read_over = [this] { ++reads; },
                 .cut_off = [this] { ++cut_off; }}};
  Listener listener = Listener::open(loop, sphinx::NodeAddress::ipv4({127, 0, 0, 1}, 0)).value();

  Fixture() {
    listener.serve([this](Stream stream) -> Task<> {
      co_await intake.serve(std::move(stream));
      ++ended;
      on_end();
    });
  }
  static Bytes packets(int from, int count) {
    Bytes out(static_cast<std::size_t>(count) * wire::kPacketBytes);
    for (int i = 0; i < count; ++i) {
      const int number = from + i;
      std::memcpy(out.data() + static_cast<std::size_t>(i) * wire::kPacketBytes, &number,
                  sizeof number);
    }
    return out;
  }
  /// Sends in pieces, closes, and waits until the other side has seen the end.
  Task<> send(Bytes bytes, std::size_t piece) {
    Stream stream = (co_await Stream::connect(loop, listener.local(), 5s)).value();
    for (BytesView rest(bytes); !rest.empty();) {
      const BytesView now = rest.first(std::min(piece, rest.size()));
      rest = rest.subspan(now.size());
      BOOST_REQUIRE((co_await stream.write_all(now)).has_value());
      co_await loop.yield();
    }
    stream.shutdown_send();
    const int before = ended;
    std::uint8_t byte{};
    while (ended == before)
      if (const auto got = co_await stream.read_some(BytesSpan(&byte, 1)); !got || *got == 0) break;
  }
};

std::vector<int> up_to(int count) {
  std::vector<int> out;
  for (int i = 0; i < count; ++i)
    out.push_back(i);
  return out;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(intakes, Fixture)

BOOST_AUTO_TEST_CASE(packets_come_whole_and_in_order_however_they_were_cut) {
  for (const std::size_t piece : {1000u, 1372u, 1373u, 100'000u})
    loop.spawn(send(packets(0, 40), piece));
  // All four at once: their packets interleave, each connection's stay in order.
  on_end = [&] {
    if (ended == 4) loop.stop();
  };
  loop.run();
  BOOST_TEST(numbers.size() == 160u);
  for (int i = 0; i < 40; ++i)
    BOOST_TEST(std::ranges::count(numbers, i) == 4);
  BOOST_TEST(cut_off == 0);
}

BOOST_AUTO_TEST_CASE(one_read_takes_a_few_packets_and_no_more) {
  run_task(loop, send(packets(0, 64), 1'000'000));
  BOOST_TEST(numbers == up_to(64), boost::test_tools::per_element());
  BOOST_TEST(reads >= 64 / static_cast<int>(wire::kPacketsPerTurn));
}

BOOST_AUTO_TEST_CASE(a_connection_that_ends_inside_a_packet_is_said_once) {
  Bytes bytes = packets(0, 3);
  bytes.resize(bytes.size() - 1);
  run_task(loop, send(bytes, 5000));
  BOOST_TEST(numbers == up_to(2), boost::test_tools::per_element());
  BOOST_TEST(cut_off == 1);
}

BOOST_AUTO_TEST_CASE(a_connection_without_a_byte_says_nothing) {
  run_task(loop, send({}, 1));
  BOOST_TEST(reads == 0);
  BOOST_TEST(cut_off == 0);
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace mix::peers
