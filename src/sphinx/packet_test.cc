// SPDX-License-Identifier: Apache-2.0
#include "src/sphinx/packet.h"

#include <rapidcheck/boost_test.h>
#include <boost/test/unit_test.hpp>
#include <set>

#include "src/crypto/agreement.h"
#include "src/sphinx/allocation_probe.h"
#include "src/sphinx/sample_route.h"

using namespace mix;
using namespace mix::sphinx;

namespace {

Bytes any_message() {
  const auto size = *rc::gen::inRange<std::size_t>(0, kMaxMessageBytes + 1);
  const Bytes bytes = *rc::gen::container<Bytes>(size, rc::gen::arbitrary<std::uint8_t>());
  return bytes;
}

SampleRoute any_route(std::size_t shortest = 1) {
  const auto length = *rc::gen::inRange<std::size_t>(shortest, kMaxHops + 1);
  SampleRoute route(length, *rc::gen::arbitrary<std::uint64_t>());
  for (Hop& hop : route.hops)
    hop.delay = Duration(*rc::gen::oneOf(
        rc::gen::inRange<std::int64_t>(0, std::numeric_limits<std::int64_t>::max()),
        rc::gen::element<std::int64_t>(0, 1, std::numeric_limits<std::int64_t>::max())));
  return route;
}

/// The packet that hop `from` received, as hop `to` receives it.
Packet carried(const SampleRoute& route, Packet packet, std::size_t from, std::size_t to) {
  for (std::size_t i = from; i < to; ++i)
    packet = std::get<Forward>(Peeler(route.keys[i]).peel(packet).value()).packet;
  return packet;
}

Packet carried_to(const SampleRoute& route, const Packet& packet, std::size_t at) {
  return carried(route, packet, 0, at);
}

/// Every run of 16 bytes.
std::set<ByteArray<16>> windows_of(const Packet& packet) {
  std::set<ByteArray<16>> windows;
  for (auto at = packet.begin(); packet.end() - at >= 16; ++at) {
    ByteArray<16> window;
    std::copy_n(at, window.size(), window.begin());
    windows.insert(window);
  }
  return windows;
}

void flip(Packet& packet, std::size_t bit) {
  packet[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
}

}  // namespace

RC_BOOST_PROP(a_message_arrives_over_any_route, ()) {
  const SampleRoute route = any_route();
  const Bytes message = any_message();
  Packet packet = route.build(message).value();
  std::set<Packet> seen{packet};
  std::set<Tag> tags;
  for (std::size_t i = 0; i + 1 < route.hops.size(); ++i) {
    Peeler peeler(route.keys[i]);
    const auto header = peeler.open_header(packet);
    RC_ASSERT(header.has_value());
    RC_ASSERT(!header->is_final());
    RC_ASSERT(header->address() == route.hops[i + 1].address);
    RC_ASSERT(header->delay() == route.hops[i].delay);
    tags.insert(header->tag());
    const auto peeled = header->finish(packet);
    RC_ASSERT(peeled.has_value());
    const Forward& forward = std::get<Forward>(*peeled);
    RC_ASSERT(forward.next_address == route.hops[i + 1].address);
    RC_ASSERT(forward.delay == route.hops[i].delay);
    packet = forward.packet;
    seen.insert(packet);
  }
  const auto peeled = Peeler(route.keys.back()).peel(packet);
  RC_ASSERT(peeled.has_value());
  const Final& final = std::get<Final>(*peeled);
  RC_ASSERT(final.destination.address == route.destination.address);
  RC_ASSERT(final.destination.surb_id == route.destination.surb_id);
  RC_ASSERT(equal(final.message(), message));
  RC_ASSERT(seen.size() == route.hops.size());
  RC_ASSERT(tags.size() == route.hops.size() - 1);
}

// Of the bits of beta, gamma and delta half differ, give or take six standard deviations. Alpha is
// only asked to differ: its top bit is always 0, and not every number is a u-coordinate.
RC_BOOST_PROP(nothing_of_a_packet_is_found_in_what_a_mix_makes_of_it, ()) {
  const SampleRoute route = any_route(2);
  const auto at = *rc::gen::inRange<std::size_t>(0, route.hops.size() - 1);
  const Packet in = carried_to(route, route.build(any_message()).value(), at);
  const Packet out = carried(route, in, at, at + 1);
  RC_ASSERT(
      !std::ranges::equal(std::span(in).first<kAlphaBytes>(), std::span(out).first<kAlphaBytes>()));
  const auto before = windows_of(in), after = windows_of(out);
  RC_ASSERT(before.size() == kPacketBytes - 15);  // no repetition within a packet either
  RC_ASSERT(std::ranges::none_of(after, [&](const auto& w) { return before.contains(w); }));
  int differing = 0;
  for (std::size_t i = kGammaAt; i < kPacketBytes; ++i)
    differing += __builtin_popcount(in[i] ^ out[i]);
  constexpr int kBits = 8 * (kPacketBytes - kGammaAt);
  RC_ASSERT(differing > kBits / 2 - 311 && differing < kBits / 2 + 311);
}

RC_BOOST_PROP(a_flipped_header_bit_is_refused_at_that_hop, ()) {
  const SampleRoute route = any_route();
  const auto at = *rc::gen::inRange<std::size_t>(0, route.hops.size());
  const auto bit = *rc::gen::inRange<std::size_t>(8 * kGammaAt, 8 * kPayloadAt);
  Packet packet = carried_to(route, route.build(any_message()).value(), at);
  flip(packet, bit);
  const auto peeled = Peeler(route.keys[at]).peel(packet);
  RC_ASSERT(!peeled.has_value());
  RC_ASSERT(peeled.error() == PeelError::bad_mac);
}

BOOST_AUTO_TEST_CASE(each_single_bit_of_gamma_and_beta_is_covered) {
  const SampleRoute route(3, 1);
  Packet packet = route.build({}).value();
  Peeler peeler(route.keys[0]);
  for (std::size_t bit = 8 * kGammaAt; bit < 8 * kPayloadAt; ++bit) {
    flip(packet, bit);
    const auto header = peeler.open_header(packet);
    BOOST_REQUIRE(!header.has_value());
    BOOST_REQUIRE(header.error() == PeelError::bad_mac);
    flip(packet, bit);
  }
  BOOST_TEST(peeler.open_header(packet).has_value());
}

RC_BOOST_PROP(a_flipped_payload_bit_passes_mixes_and_is_refused_at_the_end, ()) {
  const SampleRoute route = any_route();
  const auto at = *rc::gen::inRange<std::size_t>(0, route.hops.size());
  const auto bit = *rc::gen::inRange<std::size_t>(8 * kPayloadAt, 8 * kPacketBytes);
  Packet packet = carried_to(route, route.build(any_message()).value(), at);
  flip(packet, bit);
  for (std::size_t i = at; i + 1 < route.hops.size(); ++i) {
    const auto peeled = Peeler(route.keys[i]).peel(packet);
    RC_ASSERT(peeled.has_value());
    packet = std::get<Forward>(*peeled).packet;
  }
  const auto peeled = Peeler(route.keys.back()).peel(packet);
  RC_ASSERT(!peeled.has_value());
  RC_ASSERT(peeled.error() == PeelError::payload_zeros);
}

RC_BOOST_PROP(a_flipped_bit_of_alpha_below_the_top_is_refused, ()) {
  const SampleRoute route = any_route();
  Packet packet = route.build({}).value();
  flip(packet, *rc::gen::inRange<std::size_t>(0, 8 * kAlphaBytes - 1));
  RC_ASSERT(Peeler(route.keys[0]).peel(packet).error() == PeelError::bad_mac);
}

RC_BOOST_PROP(arbitrary_bytes_are_refused_and_never_crash, (std::uint64_t seed)) {
  const SampleRoute route(1, seed);
  const Bytes bytes = *rc::gen::container<Bytes>(kPacketBytes, rc::gen::arbitrary<std::uint8_t>());
  Packet packet;
  std::ranges::copy(bytes, packet.begin());
  RC_ASSERT(!Peeler(route.keys[0]).peel(packet).has_value());
}

RC_BOOST_PROP(another_nodes_packet_is_refused, (std::uint64_t seed)) {
  const SampleRoute route(2, seed);
  const Packet packet = route.build({}).value();
  RC_ASSERT(Peeler(route.keys[1]).peel(packet).error() == PeelError::bad_mac);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_built_is_an_error) {
  const SampleRoute six(6, 1), three(3, 1);
  const Bytes longest(kMaxMessageBytes), too_long(kMaxMessageBytes + 1);
  const auto why = [](const SampleRoute& route, BytesView message) {
    const auto packet = route.build(message);
    return packet ? std::string_view("built") : to_text(packet.error());
  };
  BOOST_TEST(why(three, longest) == "built");
  BOOST_TEST(why(three, too_long) == "message_too_long");
  BOOST_TEST(why(six, longest) == "too_many_hops");
  BOOST_TEST(why(SampleRoute(0, 1), longest) == "no_hops");
  SampleRoute early = three;
  early.hops[1].delay = Duration(-1);
  BOOST_TEST(why(early, {}) == "negative_delay");
  for (std::size_t hop = 0; hop < 3; ++hop) {
    SampleRoute hostile = three;
    hostile.hops[hop].key = crypto::PublicKey(ByteArray<32>{1});  // of order 4
    BOOST_TEST(why(hostile, {}) == "unusable_key");
  }
}

BOOST_AUTO_TEST_CASE(draws_do_not_depend_on_what_is_built) {
  crypto::Generator chance(ByteArray<32>{1}, "test");
  std::uint64_t before = 0;
  for (std::size_t hops = 0; hops <= 6; ++hops)
    for (std::size_t size : {std::size_t{0}, std::size_t{975}, std::size_t{976}}) {
      [[maybe_unused]] const auto packet =
          build(SampleRoute(hops, 1).hops, Destination{}, Bytes(size), chance);
      BOOST_TEST(chance.drawn() - before == 312u);
      before = chance.drawn();
    }
}

BOOST_AUTO_TEST_CASE(a_header_does_not_depend_on_the_message) {
  const SampleRoute route(4, 1);
  const Packet one = route.build(as_bytes("one")).value(), other = route.build({}).value();
  BOOST_TEST(equal(std::span(one).first<kHeaderBytes>(), std::span(other).first<kHeaderBytes>()));
  BOOST_TEST(one != other);
}

BOOST_AUTO_TEST_CASE(n_hops_cost_n_plus_one_multiplications_and_a_peel_two) {
  for (std::size_t hops = 1; hops <= kMaxHops; ++hops) {
    const SampleRoute route(hops, 1);
    std::uint64_t before = crypto::multiplications();
    Packet packet = route.build({}).value();
    BOOST_TEST(crypto::multiplications() - before == hops + 1);
    for (std::size_t i = 0; i < hops; ++i) {
      Peeler peeler(route.keys[i]);
      before = crypto::multiplications();
      const auto header = peeler.open_header(packet);
      BOOST_TEST(crypto::multiplications() - before == 1u);  // all that a resend costs a node
      const auto peeled = header->finish(packet);
      const bool last = i + 1 == hops;
      BOOST_TEST(crypto::multiplications() - before == (last ? 1u : 2u));
      if (!last) packet = std::get<Forward>(*peeled).packet;
    }
  }
}

BOOST_AUTO_TEST_CASE(neither_building_nor_peeling_allocates) {
  const SampleRoute route(4, 1);
  Builder builder;
  Peeler mix(route.keys[0]), provider(route.keys[3]);
  const Bytes message(500, 7);
  const Packet at_provider = carried_to(route, route.build(message).value(), 3);
  const auto once = [&] {
    const auto packet = builder.build(route.hops, route.destination, message, route.secrets);
    Packet broken = *packet;
    flip(broken, 8 * kBetaAt);
    return mix.peel(*packet).has_value() && !mix.peel(broken).has_value() &&
           provider.peel(at_provider).has_value();
  };
  BOOST_TEST(once());  // whatever libraries allocate at their first use
  const std::uint64_t before = allocations_done;
  bool fine = true;
  for (int i = 0; i < 10; ++i)
    fine = once() && fine;
  const std::uint64_t during = allocations_done - before;
  BOOST_TEST(fine);
  BOOST_TEST(during == 0u);
  const std::uint64_t at_control = allocations_done;
  delete[] new char[100];
  BOOST_TEST(allocations_done > at_control, "the probe does not count");
}
