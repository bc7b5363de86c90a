// SPDX-License-Identifier: Apache-2.0
// A stranger's bytes at a node, in three ways, chosen by the first byte:
//   0  as they are: a packet
//   1  in clear: the routing record, then the payload block. They are encrypted and given the MAC
//   that
//      holds, so that everything behind the MAC is reached
//   2  as changes to an honest packet: XORed onto it
// Input that is too short is continued with zeros, so that small seeds stay small.

#include "src/prelude/check.h"
#include "src/sphinx/payload.h"
#include "src/sphinx/sample_route.h"

using namespace mix;
using namespace mix::sphinx;

namespace {

struct Node {
  SampleRoute route{1, 1};
  Peeler peeler{route.keys[0]};
  Packet honest = route.build(as_bytes("hello")).value();
  HopKeys keys = shared_keys();
  crypto::AesCtr cipher;

  HopKeys shared_keys() const {
    crypto::Secret<crypto::kPointBytes> shared;
    const crypto::Multiplier secret(crypto::Scalar::reduce(route.secrets.initial.bytes()));
    CHECK(secret.multiply(route.hops[0].key.bytes(), shared.mutable_bytes()));
    return HopKeys(shared.bytes());
  }
};

Packet padded(BytesView bytes, std::size_t at) {
  Packet packet{};
  std::ranges::copy(bytes.first(std::min(bytes.size(), kPacketBytes - at)),
                    packet.begin() + static_cast<std::ptrdiff_t>(at));
  return packet;
}

void peel_as_it_is(Node& node, BytesView bytes) {
  const auto peeled = node.peeler.peel(padded(bytes, 0));
  CHECK(!peeled || equal(padded(bytes, 0), node.honest), "a packet was forged");
}

void judge_forward(const Forward& forward, const PayloadBlock& block) {
  CHECK(equal(std::span(forward.packet).last<kPayloadBytes>(), block));
  CHECK(forward.delay >= Duration::zero());
  if (const auto next = NodeAddress::decode(forward.next_address)) {
    const auto read = NodeAddress::from_text(next->to_text());
    CHECK(read && *read == *next, next->to_text());
  }
}

void judge_final(const Final& final, const PayloadBlock& block) {
  PayloadBlock again;
  write_payload(final.destination.address, final.message(), again);
  CHECK(again == block, "an accepted payload is one that a sender writes");
}

void peel_behind_the_mac(Node& node, BytesView bytes) {
  Packet packet = padded(bytes, kBetaAt);
  std::ranges::copy(std::span(node.honest).first<kAlphaBytes>(), packet.begin());
  const auto beta = std::span(packet).subspan<kBetaAt, kBetaBytes>();
  const auto payload = std::span(packet).subspan<kPayloadAt, kPayloadBytes>();
  const std::uint8_t flag = beta[0];
  PayloadBlock block;
  std::ranges::copy(payload, block.begin());
  node.cipher.xor_stream(node.keys.stream(), beta);
  std::ranges::copy(mac_of(node.keys, beta), packet.begin() + kGammaAt);
  crypto::lioness_encrypt(node.keys.payload(), payload);

  const auto peeled = node.peeler.peel(packet);
  if (!peeled) {
    CHECK(peeled.error() != PeelError::bad_mac && peeled.error() != PeelError::zero_secret);
    CHECK((peeled.error() == PeelError::unknown_flag) ==
          (flag != kForwardFlag && flag != kFinalFlag));
  } else if (const auto* forward = std::get_if<Forward>(&*peeled)) {
    judge_forward(*forward, block);
  } else {
    judge_final(std::get<Final>(*peeled), block);
  }
}

void peel_with_changes(Node& node, BytesView bytes) {
  Packet packet = padded(bytes, 0);
  packet[kAlphaBytes - 1] &= 0x7f;  // the top bit of alpha may change
  const bool changed = std::ranges::any_of(packet, [](std::uint8_t b) { return b != 0; });
  for (std::size_t i = 0; i < kPacketBytes; ++i)
    packet[i] ^= node.honest[i];
  CHECK(node.peeler.peel(packet).has_value() == !changed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Node node;
  if (size == 0) return 0;
  const BytesView rest(data + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      peel_as_it_is(node, rest);
      break;
    case 1:
      peel_behind_the_mac(node, rest);
      break;
    default:
      peel_with_changes(node, rest);
      break;
  }
  return 0;
}
