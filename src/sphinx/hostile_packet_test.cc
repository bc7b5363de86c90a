// SPDX-License-Identifier: Apache-2.0
// Packets that a plain sender never makes: variants of alpha that leave the shared secret alone,
// and headers and payloads that are wrong although their MAC is right.
#include <rapidcheck/boost_test.h>
#include <boost/test/unit_test.hpp>
#include <functional>

#include "src/crypto/reference_curve.h"
#include "src/sphinx/payload.h"
#include "src/sphinx/sample_route.h"
#include "src/sphinx/tag_memory.h"

using namespace mix;
using namespace mix::sphinx;
namespace reference = mix::crypto::reference;

namespace {

using Record = std::span<std::uint8_t, kBetaBytes>;
using Block = std::span<std::uint8_t, kPayloadBytes>;

crypto::Point alpha_of(const Packet& packet) {
  crypto::Point alpha;
  std::ranges::copy(std::span(packet).first<kAlphaBytes>(), alpha.begin());
  return alpha;
}

Packet with_alpha(Packet packet, const crypto::Point& alpha) {
  std::ranges::copy(alpha, packet.begin() + kAlphaAt);
  return packet;
}

/// A point of order 8: [l]Q for a point Q that has such a part.
reference::Edwards torsion_generator() {
  const ByteArray<32> order = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                               0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                               0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
  for (std::uint8_t u = 2;; ++u) {
    const auto q = reference::Edwards::from_u(ByteArray<32>{u});
    if (!q) continue;
    reference::Edwards multiple;
    for (std::size_t bit = 253; bit-- > 0;) {
      multiple = multiple + multiple;
      if (order[bit / 8] >> (bit % 8) & 1) multiple = multiple + *q;
    }
    const reference::Edwards twice = multiple + multiple;
    if (!(twice + twice == reference::Edwards{})) return multiple;
  }
}

/// What the sender and the first hop share.
HopKeys first_keys(const SampleRoute& route) {
  crypto::Secret<crypto::kPointBytes> shared;
  const crypto::Multiplier secret(crypto::Scalar::reduce(route.secrets.initial.bytes()));
  BOOST_REQUIRE(secret.multiply(route.hops[0].key.bytes(), shared.mutable_bytes()));
  return HopKeys(shared.bytes());
}

/// Lets `change` at the first hop's record in clear, and gives the packet a MAC that holds.
Packet with_record(const SampleRoute& route, const std::function<void(Record)>& change) {
  Packet packet = route.build({}).value();
  const HopKeys keys = first_keys(route);
  const Record beta = std::span(packet).subspan<kBetaAt, kBetaBytes>();
  crypto::AesCtr cipher;
  cipher.xor_stream(keys.stream(), beta);
  change(beta);
  cipher.xor_stream(keys.stream(), beta);
  std::ranges::copy(mac_of(keys, beta), packet.begin() + kGammaAt);
  return packet;
}

/// A packet of one hop whose payload block is `change`d in clear; message "hello".
Packet with_payload(const SampleRoute& route, const std::function<void(Block)>& change) {
  Packet packet = route.build(as_bytes("hello")).value();
  const HopKeys keys = first_keys(route);
  const Block block = std::span(packet).subspan<kPayloadAt, kPayloadBytes>();
  crypto::lioness_decrypt(keys.payload(), block);
  change(block);
  crypto::lioness_encrypt(keys.payload(), block);
  return packet;
}

}  // namespace

RC_BOOST_PROP(variants_of_alpha_are_one_packet_to_the_tag_memory, (std::uint64_t seed)) {
  static const reference::Edwards torsion = torsion_generator();
  const SampleRoute route(3, seed);
  const Packet packet = route.build(as_bytes("once")).value();
  Peeler peeler(route.keys[0]);
  TagMemory memory(1 << 16);
  RC_ASSERT(memory.remember(peeler.open_header(packet)->tag()));
  const auto expected = std::get<Forward>(peeler.peel(packet).value()).packet;

  std::vector<crypto::Point> variants{alpha_of(packet)};
  const auto alpha = reference::Edwards::from_u(variants[0]);
  RC_ASSERT(alpha.has_value());
  reference::Edwards sum = *alpha;
  for (int order = 1; order < 8; ++order)
    variants.push_back((sum = sum + torsion).u());
  for (std::size_t i = 0; i < 8; ++i) {
    variants.push_back(variants[i]);
    variants.back()[31] |= 0x80;
  }
  std::ranges::sort(variants);
  RC_ASSERT(std::ranges::adjacent_find(variants) == variants.end());
  for (const crypto::Point& variant : variants) {
    const Packet resent = with_alpha(packet, variant);
    const auto header = peeler.open_header(resent);
    RC_ASSERT(header.has_value());
    RC_ASSERT(!memory.remember(header->tag()));
    RC_ASSERT(std::get<Forward>(header->finish(resent).value()).packet == expected);
  }
}

BOOST_AUTO_TEST_CASE(an_alpha_above_the_prime_is_the_same_packet_too) {
  SampleRoute route(2, 1);
  std::ranges::fill(route.secrets.initial.mutable_bytes(), std::uint8_t{0});
  route.secrets.initial.mutable_bytes()[0] = 1;  // alpha is the base point
  const Packet packet = route.build({}).value();
  BOOST_TEST(alpha_of(packet) == crypto::Point{9});
  crypto::Point above;
  above.fill(0xff);
  above[0] = 0xed + 9;
  above[31] = 0x7f;
  Peeler peeler(route.keys[0]);
  const auto header = peeler.open_header(with_alpha(packet, above));
  BOOST_REQUIRE(header.has_value());
  BOOST_TEST(header->tag() == peeler.open_header(packet)->tag());
}

BOOST_AUTO_TEST_CASE(an_alpha_of_small_order_is_refused) {
  const SampleRoute route(2, 1);
  const Packet packet = route.build({}).value();
  Peeler peeler(route.keys[0]);
  reference::Edwards sum;
  const reference::Edwards torsion = torsion_generator();
  BOOST_TEST(to_text(peeler.peel(with_alpha(packet, {})).error()) == "zero_secret");
  for (int order = 1; order < 8; ++order) {
    sum = sum + torsion;
    BOOST_TEST(to_text(peeler.peel(with_alpha(packet, sum.u())).error()) == "zero_secret");
  }
}

BOOST_AUTO_TEST_CASE(a_packet_has_another_tag_at_another_node_with_the_same_shared_secret) {
  // Two nodes never share a secret; what stands in for it is that tags are not a plain hash of it.
  const SampleRoute route(1, 1);
  const auto tag = Peeler(route.keys[0]).open_header(route.build({}).value())->tag();
  crypto::Secret<crypto::kPointBytes> shared;
  const crypto::Multiplier secret(crypto::Scalar::reduce(route.secrets.initial.bytes()));
  BOOST_REQUIRE(secret.multiply(route.hops[0].key.bytes(), shared.mutable_bytes()));
  BOOST_TEST(tag != crypto::digest16(shared.bytes()));
}

BOOST_AUTO_TEST_CASE(an_unknown_flag_under_a_right_mac_is_an_error) {
  for (std::size_t hops : {1, 2}) {
    const SampleRoute route(hops, 1);
    Peeler peeler(route.keys[0]);
    for (int flag = 0; flag < 256; ++flag) {
      const Packet packet =
          with_record(route, [&](Record record) { record[0] = static_cast<std::uint8_t>(flag); });
      const auto header = peeler.open_header(packet);
      BOOST_TEST(header.has_value() == (flag == kForwardFlag || flag == kFinalFlag));
      if (!header) BOOST_TEST(to_text(header.error()) == "unknown_flag");
    }
  }
}

BOOST_AUTO_TEST_CASE(version_bytes_mean_nothing) {
  const SampleRoute route(2, 1);
  const Packet packet =
      with_record(route, [](Record record) { record[1] = record[2] = record[3] = 0xff; });
  BOOST_TEST(Peeler(route.keys[0]).peel(packet).has_value());
}

BOOST_AUTO_TEST_CASE(a_delay_beyond_what_a_duration_holds_is_the_longest_one) {
  const SampleRoute route(2, 1);
  const auto delay_for = [&](std::uint8_t first_byte) {
    const Packet packet = with_record(route, [&](Record record) {
      std::ranges::fill(record.subspan<36, 8>(), std::uint8_t{0});
      record[36] = first_byte;
    });
    return Peeler(route.keys[0]).open_header(packet)->delay();
  };
  BOOST_TEST((delay_for(0xff) == Duration::max()));
  BOOST_TEST((delay_for(0x80) == Duration::max()));
  BOOST_TEST((delay_for(0x40) == Duration(std::int64_t{1} << 62)));
}

BOOST_AUTO_TEST_CASE(a_payload_is_judged_by_all_its_parts) {
  const SampleRoute route(1, 1);
  constexpr std::size_t kMessageAt = kLeadingZeroBytes + kAddressBytes;
  constexpr std::size_t kMarkerAt = kMessageAt + 5;
  const auto verdict = [&](const std::function<void(Block)>& change) {
    const auto peeled = Peeler(route.keys[0]).peel(with_payload(route, change));
    return peeled ? "accepted with " + std::string(as_text(std::get<Final>(*peeled).message()))
                  : std::string(to_text(peeled.error()));
  };
  BOOST_TEST(verdict([](Block) {}) == "accepted with hello");
  for (std::size_t i = 0; i < kLeadingZeroBytes; ++i)
    BOOST_TEST(verdict([&](Block block) { block[i] = 1; }) == "payload_zeros");
  for (std::size_t i = kLeadingZeroBytes; i < kMessageAt; ++i)
    BOOST_TEST(verdict([&](Block block) { block[i] ^= 1; }) == "payload_destination");
  for (std::size_t i = kMarkerAt + 1; i < kPayloadBytes; ++i)
    BOOST_REQUIRE(verdict([&](Block block) { block[i] = 2; }) == "payload_padding");
  BOOST_TEST(verdict([&](Block block) { block[kMarkerAt] = 2; }) == "payload_padding");
  BOOST_TEST(verdict([&](Block block) {
               std::ranges::fill(block.subspan<kMessageAt>(), std::uint8_t{0});
             }) == "payload_padding");
  // The last marker counts, so a message may hold some.
  BOOST_TEST(verdict([&](Block block) { block[kMarkerAt + 1] = 1; }) == "accepted with hello\1");
}

BOOST_AUTO_TEST_CASE(a_header_whose_destination_differs_from_the_payloads_is_refused) {
  const SampleRoute route(1, 1);
  const Packet packet = with_record(route, [](Record record) { record[4] ^= 1; });
  BOOST_TEST(to_text(Peeler(route.keys[0]).peel(packet).error()) == "payload_destination");
}
