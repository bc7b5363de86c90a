// SPDX-License-Identifier: Apache-2.0
#include "src/mixnode/relay.h"

#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <limits>

namespace mix::mixnode {
namespace {

using record::DropReason;
using sphinx::NodeAddress;

NodeAddress at(std::uint16_t port) {
  return NodeAddress::ipv4({127, 0, 0, 1}, port);
}
Instant ms(std::int64_t n) {
  return Instant(n * 1ms);
}

/// Chance that repeats itself, for tests only.
class CountingEntropy final : public ports::Entropy {
 public:
  void fill(BytesSpan out) override {
    for (std::uint8_t& byte : out) {
      x_state = x_state * 6364136223846793005u + 1442695040888963407u;
      byte = static_cast<std::uint8_t>(x_state >> 56);
    }
  }

 private:
  std::uint64_t x_state = 42;
};

/// A mix of layer 1 of 3; the ports tell the layers: 2xx are layer 2, and so on, 4xx providers.
struct Fixture {
  CountingEntropy entropy;
  crypto::KeyPair own = crypto::KeyPair::generate(entropy);
  crypto::KeyPair other = crypto::KeyPair::generate(entropy);
  Relay relay{own.secret, {}};

  static std::vector<Listed> topology() {
    std::vector<Listed> nodes;
    for (unsigned layer = 1; layer <= 4; ++layer)
      for (std::uint16_t i = 0; i < 2; ++i)
        nodes.push_back({{at(static_cast<std::uint16_t>(100 * layer + i))}, layer, true});
    return nodes;
  }
  void join(Instant now = ms(0)) { relay.update_topology(topology(), now); }

  sphinx::Packet packet(const sphinx::AddressBytes& next, Duration delay) {
    const std::array route{sphinx::Hop{{}, own.public_key, delay},
                           sphinx::Hop{next, other.public_key, 0ns}};
    return sphinx::build(route, {}, as_bytes("hello"), entropy).value();
  }
  sphinx::Packet packet(std::uint16_t port, Duration delay) {
    return packet(at(port).encode(), delay);
  }
  /// The reason why the packet was refused at once; nothing when it was taken.
  std::optional<DropReason> refusal(const sphinx::Packet& packet, Instant now) {
    const auto taken = relay.take(packet, now);
    return taken ? std::nullopt : std::optional(taken.error().reason);
  }
  /// Ports of what leaves now, or 0 and the reason for what must not.
  std::vector<std::pair<std::uint16_t, std::optional<DropReason>>> leaving(Instant now) {
    std::vector<std::pair<std::uint16_t, std::optional<DropReason>>> out;
    relay.release(now, 1000, [&](const Held& held, std::optional<DropReason> reason) {
      out.emplace_back(held.next.port, reason);
    });
    return out;
  }
};

constexpr std::nullopt_t kSent = std::nullopt;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(relay, Fixture)

BOOST_AUTO_TEST_CASE(a_packet_leaves_when_its_delay_is_over_and_not_before) {
  join();
  const auto due = relay.take(packet(200, 70ms), ms(5));
  BOOST_TEST((due == ms(75)));
  BOOST_TEST((relay.next_due() == ms(75)));
  BOOST_TEST(leaving(ms(75) - 1ns).empty());
  const auto left = leaving(ms(75));
  BOOST_REQUIRE_EQUAL(left.size(), 1u);
  BOOST_TEST(left[0].first == 200);
  BOOST_TEST((left[0].second == kSent));
  BOOST_TEST(!relay.next_due().has_value());
}

BOOST_AUTO_TEST_CASE(what_leaves_is_the_packet_for_the_next_hop) {
  join();
  const sphinx::Packet in = packet(200, 0ms);
  BOOST_REQUIRE(relay.take(in, ms(0)));
  sphinx::Packet out{};
  relay.release(ms(0), 1, [&](const Held& held, auto) {
    out = held.packet;
    BOOST_TEST((held.received == ms(0)));
    BOOST_TEST((held.delay == 0ms));
  });
  const auto final = sphinx::Peeler(other.secret).peel(out);
  BOOST_REQUIRE(final);
  BOOST_TEST(as_text(std::get<sphinx::Final>(*final).message()) == "hello");
}

BOOST_AUTO_TEST_CASE(layers_cannot_be_skipped_repeated_or_reversed) {
  join();
  for (std::uint16_t port : {100, 101, 300, 301, 400, 401})  // the layer's own nodes among them
    BOOST_TEST((refusal(packet(port, 0ms), ms(0)) == DropReason::next_hop_not_next_layer), port);
  for (std::uint16_t port : {200, 201})
    BOOST_TEST((refusal(packet(port, 0ms), ms(0)) == kSent), port);
}

BOOST_AUTO_TEST_CASE(the_last_layer_sends_to_providers_only) {
  Relay last(own.secret, {.layer = 3, .layers = 3});
  last.update_topology(topology(), ms(0));
  for (std::uint16_t port : {100, 200, 300})
    BOOST_TEST((last.take(packet(port, 0ms), ms(0)).error().reason ==
                DropReason::next_hop_not_next_layer));
  BOOST_TEST(last.take(packet(400, 0ms), ms(0)).has_value());
}

BOOST_AUTO_TEST_CASE(bytes_behind_a_next_address_do_not_make_it_another_address) {
  join();
  auto next = at(200).encode();
  next.back() = 1;
  BOOST_TEST((refusal(packet(next, 0ms), ms(0)) == kSent));
  auto skipping = at(300).encode();
  skipping.back() = 1;
  BOOST_TEST((refusal(packet(skipping, 0ms), ms(0)) == DropReason::next_hop_not_next_layer));
}

BOOST_AUTO_TEST_CASE(an_unknown_next_hop_asks_for_a_refresh_and_is_judged_when_its_delay_is_over) {
  join();
  BOOST_TEST((refusal(packet(250, 100ms), ms(0)) == kSent));
  BOOST_TEST((refusal(packet(350, 100ms), ms(0)) == kSent));
  BOOST_TEST((refusal(packet(999, 100ms), ms(0)) == kSent));
  BOOST_TEST(relay.take_refresh_wish());
  BOOST_TEST(!relay.take_refresh_wish());
  auto fresh = topology();
  fresh.push_back({{at(250)}, 2, true});
  fresh.push_back({{at(350)}, 3, true});
  relay.update_topology(fresh, ms(50));
  relay.topology_is_of(ms(40));
  const auto left = leaving(ms(100));
  BOOST_REQUIRE_EQUAL(left.size(), 3u);
  BOOST_TEST((left[0].second == kSent));
  BOOST_TEST((left[1].second == DropReason::next_hop_not_next_layer));
  BOOST_TEST((left[2].second == DropReason::next_hop_unknown));
}

BOOST_AUTO_TEST_CASE(
    an_unknown_next_hop_waits_until_the_directory_was_asked_after_the_packet_came) {
  join();
  relay.topology_is_of(ms(0));
  BOOST_TEST((refusal(packet(250, 0ms), ms(10)) == kSent));
  BOOST_TEST((refusal(packet(999, 0ms), ms(10)) == kSent));
  BOOST_TEST(leaving(ms(10)).empty());
  BOOST_TEST(relay.take_refresh_wish());
  BOOST_TEST(relay.held() == 2u);
  relay.topology_is_of(ms(9));  // an answer to a question from before
  BOOST_TEST(leaving(ms(11)).empty());
  auto fresh = topology();
  fresh.push_back({{at(250)}, 2, true});
  relay.update_topology(fresh, ms(20));
  auto left = leaving(ms(20));
  BOOST_REQUIRE_EQUAL(left.size(), 1u);
  BOOST_TEST((left[0] == std::pair(std::uint16_t{250}, std::optional<DropReason>())));
  relay.topology_is_of(ms(12));
  left = leaving(ms(21));
  BOOST_REQUIRE_EQUAL(left.size(), 1u);
  BOOST_TEST((left[0].second == DropReason::next_hop_unknown));
  BOOST_TEST(relay.held() == 0u);
  // What is known of that moment is enough for whoever came before it.
  BOOST_TEST((refusal(packet(999, 0ms), ms(12)) == kSent));
  BOOST_TEST((leaving(ms(22)).at(0).second == DropReason::next_hop_unknown));
}

BOOST_AUTO_TEST_CASE(
    a_directory_that_does_not_answer_makes_an_unknown_next_hop_wait_three_seconds) {
  join();
  BOOST_TEST((refusal(packet(999, 0ms), ms(10)) == kSent));
  BOOST_TEST(leaving(ms(10)).empty());
  BOOST_TEST((relay.next_due() == ms(3010)));
  BOOST_TEST(leaving(ms(3010) - 1ns).empty());
  BOOST_TEST((leaving(ms(3010)).at(0).second == DropReason::next_hop_unknown));
  BOOST_TEST(!relay.next_due().has_value());
}

BOOST_AUTO_TEST_CASE(packets_that_wait_for_a_next_hop_are_bounded_and_hold_up_no_other) {
  Relay small(own.secret, {.max_undecided = 2});
  small.update_topology(topology(), ms(0));
  for (std::uint16_t port : {901, 902, 903, 200})
    BOOST_TEST(small.take(packet(port, 0ms), ms(1)).has_value());
  std::vector<std::pair<std::uint16_t, bool>> out;
  const auto note = [&](const Held& held, std::optional<DropReason> reason) {
    out.emplace_back(held.next.port, reason == DropReason::next_hop_unknown);
  };
  small.release(ms(1), 100, note);
  BOOST_TEST((out == std::vector<std::pair<std::uint16_t, bool>>{{903, true}, {200, false}}));
  std::vector<std::uint16_t> ports;
  small.abandon([&](const Held& held) { ports.push_back(held.next.port); });
  BOOST_TEST(ports == (std::vector<std::uint16_t>{901, 902}), boost::test_tools::per_element());
  BOOST_TEST(small.held() == 0u);
}

BOOST_AUTO_TEST_CASE(known_next_hops_ask_for_no_refresh) {
  join();
  (void)refusal(packet(200, 0ms), ms(0));
  (void)refusal(packet(300, 0ms), ms(0));
  BOOST_TEST(!relay.take_refresh_wish());
}

BOOST_AUTO_TEST_CASE(a_next_hop_that_left_meanwhile_is_judged_by_the_rule_of_sixty_seconds) {
  join();
  BOOST_TEST((refusal(packet(200, 30s), ms(0)) == kSent));
  BOOST_TEST((refusal(packet(200, 100s), ms(0)) == kSent));
  relay.update_topology({}, ms(1000));
  relay.topology_is_of(ms(1000));
  BOOST_TEST((leaving(Instant(30s)).at(0).second == kSent));
  BOOST_TEST((leaving(Instant(100s)).at(0).second == DropReason::next_hop_unknown));
}

BOOST_AUTO_TEST_CASE(before_the_first_topology_packets_wait_and_leave_in_order) {
  BOOST_TEST((refusal(packet(201, 20ms), ms(0)) == kSent));
  BOOST_TEST((refusal(packet(200, 10ms), ms(1)) == kSent));
  BOOST_TEST((refusal(packet(300, 10ms), ms(2)) == kSent));
  BOOST_TEST(!relay.next_due().has_value());
  BOOST_TEST(leaving(ms(1000)).empty());
  BOOST_TEST(relay.held() == 3u);
  join(ms(2000));
  const auto left = leaving(ms(2000));
  BOOST_REQUIRE_EQUAL(left.size(), 3u);
  BOOST_TEST((left[0] == std::pair(std::uint16_t{200}, std::optional<DropReason>())));
  BOOST_TEST((left[1].second == DropReason::next_hop_not_next_layer));
  BOOST_TEST((left[2] == std::pair(std::uint16_t{201}, std::optional<DropReason>())));
}

BOOST_AUTO_TEST_CASE(waiting_for_the_first_topology_is_bounded) {
  Relay small(own.secret, {.max_pending = 5, .max_before_topology = 2});
  BOOST_TEST(small.take(packet(200, 0ms), ms(0)).has_value());
  BOOST_TEST(small.take(packet(200, 0ms), ms(0)).has_value());
  BOOST_TEST((small.take(packet(200, 0ms), ms(0)).error().reason == DropReason::pending_full));
  small.update_topology(topology(), ms(0));
  for (int i = 0; i < 3; ++i)
    BOOST_TEST(small.take(packet(200, 0ms), ms(0)).has_value());
  BOOST_TEST((small.take(packet(200, 0ms), ms(0)).error().reason == DropReason::pending_full));
}

BOOST_AUTO_TEST_CASE(a_full_queue_costs_no_multiplication) {
  Relay none(own.secret, {.max_pending = 0});
  const sphinx::Packet in = packet(200, 0ms);
  const auto before = crypto::multiplications();
  BOOST_TEST((none.take(in, ms(0)).error().reason == DropReason::pending_full));
  BOOST_TEST(crypto::multiplications() == before);
}

BOOST_AUTO_TEST_CASE(a_resent_packet_is_refused_also_when_varied) {
  join();
  sphinx::Packet in = packet(200, 10ms);
  BOOST_TEST((refusal(in, ms(0)) == kSent));
  BOOST_TEST((refusal(in, ms(1)) == DropReason::replay));
  in[31] ^= 0x80;  // the bit of alpha that the curve ignores
  BOOST_TEST((refusal(in, ms(2)) == DropReason::replay));
  in.back() ^= 1;  // the payload is not part of it
  BOOST_TEST((refusal(in, ms(3)) == DropReason::replay));
  BOOST_TEST(leaving(ms(1000)).size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_packet_refused_for_its_route_is_a_resend_the_second_time) {
  join();
  const sphinx::Packet in = packet(300, 0ms);
  BOOST_TEST((refusal(in, ms(0)) == DropReason::next_hop_not_next_layer));
  BOOST_TEST((refusal(in, ms(0)) == DropReason::replay));
}

BOOST_AUTO_TEST_CASE(a_packet_whose_mac_does_not_hold_is_not_remembered) {
  join();
  const sphinx::Packet good = packet(200, 0ms);
  sphinx::Packet forged = good;
  forged[sphinx::kBetaAt] ^= 1;
  BOOST_TEST((refusal(forged, ms(0)) == DropReason::mac));
  BOOST_TEST((refusal(good, ms(0)) == kSent));
}

BOOST_AUTO_TEST_CASE(a_mix_is_no_last_hop) {
  join();
  const std::array route{sphinx::Hop{{}, own.public_key, 0ns}};
  const auto in = sphinx::build(route, {}, as_bytes("hello"), entropy).value();
  BOOST_TEST((refusal(in, ms(0)) == DropReason::final_at_mix));
}

BOOST_AUTO_TEST_CASE(a_next_hop_that_is_no_address_is_refused) {
  join();
  sphinx::AddressBytes nonsense{};
  BOOST_TEST((refusal(packet(nonsense, 0ms), ms(0)) == DropReason::bad_next_address));
  nonsense[0] = 5;
  BOOST_TEST((refusal(packet(nonsense, 0ms), ms(0)) == DropReason::bad_next_address));
}

BOOST_AUTO_TEST_CASE(an_hour_is_the_longest_delay) {
  join();
  BOOST_TEST((refusal(packet(200, 1h), ms(0)) == kSent));
  BOOST_TEST((refusal(packet(200, 1h + 1ns), ms(0)) == DropReason::delay_too_long));
  BOOST_TEST((refusal(packet(200, Duration::max()), ms(0)) == DropReason::delay_too_long));
}

BOOST_AUTO_TEST_CASE(long_delays_cannot_fill_the_queue) {
  Relay mix(own.secret, {.max_pending = 720});
  mix.update_topology(topology(), ms(0));
  const auto fill = [&](Duration delay) {
    std::size_t taken = 0;
    while (mix.take(packet(200, delay), ms(0)))
      ++taken;
    return taken;
  };
  BOOST_TEST(fill(1h) == 2u);                              // 720 / 361
  BOOST_TEST(fill(20s) == 240u - 2);                       // a third
  BOOST_TEST((refusal(packet(200, 1h), ms(0)) == kSent));  // of another mix, whose queue is empty
  BOOST_TEST((mix.take(packet(200, 1h), ms(0)).error().reason == DropReason::pending_full));
  BOOST_TEST(fill(10s) == 360u - 240);  // half
  BOOST_TEST(fill(1s) == 655u - 360);   // 720 * 10 / 11
  BOOST_TEST(fill(0s) == 720u - 655);
  BOOST_TEST(mix.held() == 720u);
}

BOOST_AUTO_TEST_CASE(the_longest_delay_and_a_full_queue_do_not_overflow) {
  static_assert(
      static_cast<std::uint64_t>((wire::kMaxDelay + wire::kDelayForHalfTheQueue).count()) <
      std::numeric_limits<std::uint64_t>::max() / wire::kMaxPendingPackets);
}

BOOST_AUTO_TEST_CASE(an_all_zero_alpha_is_refused) {
  join();
  sphinx::Packet in = packet(200, 0ms);
  std::memset(in.data(), 0, sphinx::kAlphaBytes);
  BOOST_TEST((refusal(in, ms(0)) == DropReason::zero_shared_secret));
}

BOOST_AUTO_TEST_CASE(any_bytes_get_a_reason_and_crash_nobody) {
  join();
  BOOST_TEST(rc::check([&] {
    sphinx::Packet in;
    for (std::uint8_t& byte : in)
      byte = *rc::gen::arbitrary<std::uint8_t>();
    RC_ASSERT(refusal(in, ms(0)).has_value());
  }));
}

BOOST_AUTO_TEST_CASE(a_refusal_tells_what_could_be_read) {
  join();
  const auto skipping = relay.take(packet(300, 7ms), ms(0));
  BOOST_TEST((skipping.error().next == at(300)));
  BOOST_TEST((skipping.error().delay == 7ms));
  sphinx::Packet forged = packet(200, 7ms);
  forged[sphinx::kGammaAt] ^= 1;
  BOOST_TEST(!relay.take(forged, ms(0)).error().next.has_value());
}

BOOST_AUTO_TEST_CASE(what_is_held_at_the_end_is_handed_out) {
  join();
  (void)refusal(packet(200, 1min), ms(0));
  (void)refusal(packet(201, 2min), ms(0));
  std::vector<std::uint16_t> ports;
  relay.abandon([&](const Held& held) { ports.push_back(held.next.port); });
  BOOST_TEST(ports == (std::vector<std::uint16_t>{200, 201}), boost::test_tools::per_element());
  BOOST_TEST(relay.held() == 0u);
}

/// Conservation, for any mixture of packets and times: in = sent + dropped + held.
BOOST_AUTO_TEST_CASE(every_packet_ends_in_exactly_one_way) {
  BOOST_TEST(rc::check([] {
    Fixture f;
    Relay mix(f.own.secret, {.max_pending = 6});
    std::size_t in = 0, refused = 0, sent = 0, dropped = 0;
    std::int64_t now = 0;
    const auto steps = *rc::gen::container<std::vector<std::tuple<int, int, int>>>(
        rc::gen::tuple(rc::gen::inRange(0, 5), rc::gen::inRange(0, 30), rc::gen::inRange(0, 30)));
    sphinx::Packet last = f.packet(200, 0ms);
    for (const auto& [what, delay, pause] : steps) {
      now += pause;
      if (what == 0) mix.update_topology(Fixture::topology(), ms(now));
      const std::uint16_t ports[] = {200, 201, 300, 999, 200};
      if (what != 4) last = f.packet(ports[what], delay * 1ms);
      ++in;
      if (!mix.take(last, ms(now))) ++refused;
      mix.release(ms(now), 100, [&](const Held& held, std::optional<DropReason> reason) {
        RC_ASSERT(held.received + held.delay <= ms(now));
        ++(reason ? dropped : sent);
      });
      RC_ASSERT(in == refused + sent + dropped + mix.held());
    }
  }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mix::mixnode
