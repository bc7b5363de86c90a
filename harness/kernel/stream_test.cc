// SPDX-License-Identifier: Apache-2.0
// TCP against a naive model: whatever is written, read, acknowledged, held up and cut in pieces,
// each side reads a prefix of what the other wrote, in order, none lost, none invented, never more
// than the window in flight; and when everything is let through, all of it arrives.
#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <deque>

#include "harness/kernel/kernel_test.h"

using namespace lab::kernel;

namespace {

struct Direction {
  std::vector<u8> written, read;
  std::size_t compared = 0;  // both only grow: what was equal stays so
  std::deque<Box::Entry> in_flight;
  u64 arrived = 0;     // bytes and FIN that reached the reader's kernel
  bool ended = false;  // the writer shut down
  bool saw_end = false;
};

struct End {
  Box* box;
  int fd;
  u64 id;
};

class World {
 public:
  World() {
    end[0] = {&w.a, w.left, w.a_id};
    end[1] = {&w.b, w.right, w.b_id};
  }

  void write(int s, u32 n) {
    if (way[s].ended) return;
    std::vector<u8> bytes(n);
    for (u8& byte : bytes)
      byte = static_cast<u8>(x_next++ * 131 >> 3);
    const long done =
        end[s].box->call(nr::k_sendto, end[s].fd, bytes.data(), n, lx::kMsgNosignal, 0, 0);
    RC_ASSERT(done == -lx::kEagain || (done >= 0 && done <= static_cast<long>(n)));
    if (done > 0) way[s].written.insert(way[s].written.end(), bytes.begin(), bytes.begin() + done);
    x_next -= static_cast<u32>(n - (done > 0 ? static_cast<u32>(done) : 0));
    collect(s);
  }
  void read(int s, u32 n, bool peek) {
    Direction& d = way[1 - s];
    std::vector<u8> bytes(n);
    const long got =
        end[s].box->call(nr::k_recvfrom, end[s].fd, bytes.data(), n, peek ? lx::kMsgPeek : 0, 0, 0);
    if (got == -lx::kEagain) return;
    RC_ASSERT(got >= 0);
    if (got == 0 && n > 0) {
      RC_ASSERT(d.ended && d.read == d.written);
      d.saw_end = true;
    }
    if (peek) {
      RC_ASSERT(d.read.size() + static_cast<u64>(got) <= d.written.size());
      RC_ASSERT(std::equal(bytes.begin(), bytes.begin() + got,
                           d.written.begin() + static_cast<long>(d.read.size())));
      return;
    }
    d.read.insert(d.read.end(), bytes.begin(), bytes.begin() + got);
    collect(s);
  }
  void shut(int s) {
    if (way[s].ended) return;
    RC_ASSERT(end[s].box->call(nr::k_shutdown, end[s].fd, 1) == 0);
    way[s].ended = true;
    collect(s);
  }
  /// Lets `count` entries of this direction arrive, data in pieces of at most `piece` bytes.
  void arrive(int s, u32 count, u32 piece) {
    Box& to = *end[1 - s].box;
    Direction& d = way[s];
    for (; count > 0 && !d.in_flight.empty(); --count) {
      Box::Entry e = std::move(d.in_flight.front());
      d.in_flight.pop_front();
      if (e.head.kind == LAB_OUT_DATA) {
        for (u64 at = 0; at < e.bytes.size(); at += piece) {
          const u64 n = std::min<u64>(piece, e.bytes.size() - at);
          to.put(LAB_IN_DATA, end[1 - s].id, 0,
                 {e.bytes.begin() + static_cast<long>(at),
                  e.bytes.begin() + static_cast<long>(at + n)});
        }
        d.arrived += e.bytes.size();
      } else if (e.head.kind == LAB_OUT_FIN) {
        to.put(LAB_IN_FIN, end[1 - s].id, 0);
        d.arrived += 1;
      } else if (e.head.kind == LAB_OUT_WINDOW) {
        to.put(LAB_IN_WINDOW, end[1 - s].id, e.head.value);
      }
      to.deliver();
      collect(1 - s);
    }
  }
  void acknowledge(int s) {
    end[s].box->put(LAB_IN_ACK, end[s].id, way[s].arrived);
    end[s].box->deliver();
    collect(s);
  }
  void check() {
    for (int s = 0; s < 2; ++s) {
      Direction& d = way[s];
      RC_ASSERT(d.read.size() <= d.written.size());
      const auto from = static_cast<long>(d.compared);
      RC_ASSERT(std::equal(d.read.begin() + from, d.read.end(), d.written.begin() + from));
      d.compared = d.read.size();
      RC_ASSERT(end[s].box->k.control->stop.kind == LAB_STOP_NONE);
      const Socket& reader = Wire::socket_at(*end[1 - s].box, end[1 - s].fd);
      RC_ASSERT(reader.rx_size <= reader.rcvbuf);
      const Socket& writer = Wire::socket_at(*end[s].box, end[s].fd);
      RC_ASSERT(writer.tx_total == d.written.size());
      RC_ASSERT(writer.tx_sent <= writer.tx_edge);
    }
  }
  void drain() {
    int quiet = 0;  // two rounds in which nothing is left: the second may still invent something
    for (int round = 0; round < 200 && quiet < 2; ++round) {
      quiet = all_arrived() ? quiet + 1 : 0;
      for (int s = 0; s < 2; ++s) {
        arrive(s, 100, 65536);
        acknowledge(s);
        read(1 - s, 100'000, false);
      }
    }
    for (int s = 0; s < 2; ++s) {
      RC_ASSERT(way[s].read == way[s].written);
      RC_ASSERT(way[s].saw_end == way[s].ended);
    }
  }

  Wire w;
  End end[2];
  Direction way[2];

 private:
  bool all_arrived() const {
    for (const Direction& d : way)
      if (!d.in_flight.empty() || d.read.size() != d.written.size() || d.saw_end != d.ended)
        return false;
    return true;
  }
  void collect(int s) {
    for (Box::Entry& e : end[s].box->take()) {
      RC_ASSERT(e.head.kind == LAB_OUT_DATA || e.head.kind == LAB_OUT_FIN ||
                e.head.kind == LAB_OUT_WINDOW || e.head.kind == LAB_OUT_WANT);
      if (e.head.kind != LAB_OUT_WANT) way[s].in_flight.push_back(std::move(e));
    }
  }
  u32 x_next = 1;
};

void act(World& world, int kind, int s, u32 size) {
  switch (kind) {
    case 0:
    case 1:
      return world.write(s, size);
    case 2:
    case 3:
      return world.read(s, size, false);
    case 4:
      return world.read(s, size, true);
    case 5:
    case 6:
      return world.arrive(s, 1 + size % 5, 1 + size % 3000);
    case 7:
      return world.acknowledge(s);
    default:
      if (size % 8 == 0) world.shut(s);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(stream)

BOOST_AUTO_TEST_CASE(bytes_arrive_in_order_none_lost_none_invented) {
  const bool held = rc::check("two streams against a naive model", [] {
    World world;
    const auto steps = *rc::gen::container<std::vector<std::tuple<int, int, u32>>>(rc::gen::tuple(
        rc::gen::inRange(0, 9), rc::gen::inRange(0, 2),
        rc::gen::oneOf(rc::gen::inRange<u32>(1, 3000), rc::gen::inRange<u32>(1, 200'000))));
    for (const auto& [kind, s, size] : steps) {
      act(world, kind, s, size);
      world.check();
    }
    world.drain();
  });
  BOOST_TEST(held);
}

BOOST_AUTO_TEST_CASE(long_histories_fill_and_empty_every_buffer) {
  const bool held = rc::check("two thousand steps", [](u64 seed) {
    World world;
    u64 x = seed | 1;
    for (int i = 0; i < 2000; ++i) {
      x ^= x << 13;
      x ^= x >> 7;
      x ^= x << 17;
      const u32 size = (x >> 40) % 3 == 0 ? static_cast<u32>(x >> 20) % 150'000 + 1
                                          : static_cast<u32>(x >> 20) % 2000 + 1;
      act(world, static_cast<int>(x % 8), static_cast<int>(x >> 8 & 1), size);
      world.check();
    }
    world.shut(0);
    world.shut(1);
    world.drain();
  });
  BOOST_TEST(held);
}

BOOST_AUTO_TEST_CASE(a_full_window_stops_the_sender_and_opens_again) {
  World world;
  std::vector<u8> block(300'000, 1);
  const long first =
      world.w.a.call(nr::k_sendto, world.w.left, block.data(), block.size(), 0, 0, 0);
  BOOST_TEST(first == static_cast<long>(kTxBytes));  // the send buffer: nothing is acknowledged yet
  const Socket& s = Wire::socket_at(world.w.a, world.w.left);
  BOOST_TEST(s.want);  // it asks to be woken
  BOOST_TEST((poll_mask(world.w.a.k, index_of(world.w.a.k, open_of(world.w.a.k, world.w.left))) &
              lx::kOut) == 0u);
  int outstanding = 0;
  world.w.a.call(nr::k_ioctl, world.w.left, 0x5411, &outstanding);
  BOOST_TEST(outstanding == first);
}

BOOST_AUTO_TEST_CASE(a_fin_counts_one_until_it_is_acknowledged) {
  World world;
  world.write(0, 10);
  world.shut(0);
  const auto outstanding = [&] {
    int n = 0;
    world.w.a.call(nr::k_ioctl, world.w.left, 0x5411, &n);
    return n;
  };
  BOOST_TEST(outstanding() == 11);
  world.arrive(0, 1, 65536);
  world.acknowledge(0);
  BOOST_TEST(outstanding() == 1);
  world.arrive(0, 1, 65536);
  world.acknowledge(0);
  BOOST_TEST(outstanding() == 0);
}

BOOST_AUTO_TEST_CASE(a_full_socket_table_is_linuxs_answer) {
  Box box(1, 1);
  long fd = 0;
  u32 made = 0;
  for (; made < 5000 && (fd = box.call(nr::k_socket, lx::kInet, lx::kStream, 0)) >= 0; ++made) {
  }
  BOOST_TEST(made == kMaxSockets);
  BOOST_TEST(fd == -lx::kEnfile);
  BOOST_TEST(box.call(nr::k_close, 10) == 0);
  BOOST_TEST(box.call(nr::k_socket, lx::kInet, lx::kStream, 0) == 10);  // the lowest free one
}

BOOST_AUTO_TEST_SUITE_END()
