// SPDX-License-Identifier: Apache-2.0
//
// A packet is an onion with a header and a payload.
//
//     alpha 32 | gamma 16 | beta 300 | delta 1024                                     1372 bytes
//
// Keys. The sender picks a secret x and sends only alpha = [x]B. The first hop, with secret a and
// public key A = [a]B, computes [a]alpha, the sender [x]A: the same point, out of which both derive
// four keys (hop_keys.h). One of them, the blinding b, changes alpha for the next hop: alpha' =
// [b]alpha, which is [x b]B. So the sender goes on with x b against the next hop's key, and so
// forth: one multiplication per hop, plus one for the first alpha. Nobody can tell alpha and alpha'
// to belong together without b.
//
// Header. Each hop's beta decrypts to its own record (where next, how long to wait) followed by
// gamma and beta of the next hop; what it shifts out on the left it fills up on the right from its
// stream, so that the length never tells how far a packet has come (header.cc).
//
// Payload. The sender wraps the block once per hop in a wide-block cipher, each hop takes one layer
// off. There is no MAC: a changed bit passes every mix and makes the last hop's block random, where
// its zeros give it away (payload.h).
//
// Replays. Beta is covered by gamma, and alpha decides the keys; but bit 255 of alpha, and a point
// of small order added to it, leave the shared secret as it is. So a packet's tag hangs on the
// shared secret alone. It is a hash keyed with the node's secret: senders, who know the shared
// secret, could otherwise choose tags that crowd one corner of the tag memory.
#include "src/sphinx/packet.h"

#include <array>

#include "src/sphinx/payload.h"

namespace mix::sphinx {
namespace {

constexpr std::string_view kTagKeyPurpose = "replay tags of this node";

template <std::size_t At, std::size_t Count>
std::span<const std::uint8_t, Count> field(const Packet& packet) {
  return std::span<const std::uint8_t, kPacketBytes>(packet).template subspan<At, Count>();
}
template <std::size_t At, std::size_t Count>
std::span<std::uint8_t, Count> field(Packet& packet) {
  return std::span<std::uint8_t, kPacketBytes>(packet).template subspan<At, Count>();
}

crypto::Point alpha_of(const Packet& packet) {
  crypto::Point alpha;
  std::ranges::copy(field<kAlphaAt, kAlphaBytes>(packet), alpha.begin());
  return alpha;
}

std::expected<void, BuildError> check_request(std::span<const Hop> route, BytesView message) {
  if (route.empty()) return std::unexpected(BuildError::no_hops);
  if (route.size() > kMaxHops) return std::unexpected(BuildError::too_many_hops);
  if (message.size() > kMaxMessageBytes) return std::unexpected(BuildError::message_too_long);
  for (const Hop& hop : route)
    if (hop.delay < Duration::zero()) return std::unexpected(BuildError::negative_delay);
  return {};
}

using RouteKeys = std::array<HopKeys, kMaxHops>;

/// The keys of every hop, and alpha for the first. False when a hop's key is of small order.
bool agree(std::span<const Hop> route, crypto::Scalar secret,
           std::span<std::uint8_t, kAlphaBytes> alpha, RouteKeys& keys) {
  if (!crypto::Multiplier(secret).multiply_base(alpha)) return false;
  for (std::size_t i = 0; i < route.size(); ++i) {
    crypto::Secret<crypto::kPointBytes> shared;
    if (!crypto::Multiplier(secret).multiply(route[i].key.bytes(), shared.mutable_bytes()))
      return false;
    keys[i] = HopKeys(shared.bytes());
    if (i + 1 < route.size()) secret = secret * keys[i].blinding();
  }
  return true;
}

}  // namespace

BuildSecrets BuildSecrets::draw(ports::Entropy& entropy) {
  BuildSecrets secrets;
  entropy.fill(secrets.initial.mutable_bytes());
  entropy.fill(secrets.final_padding.mutable_bytes());
  return secrets;
}

std::expected<Packet, BuildError> Builder::build(std::span<const Hop> route,
                                                 const Destination& destination, BytesView message,
                                                 const BuildSecrets& secrets) {
  if (auto fine = check_request(route, message); !fine) return std::unexpected(fine.error());
  Packet packet;
  RouteKeys keys;
  if (!agree(route, crypto::Scalar::reduce(secrets.initial.bytes()),
             field<kAlphaAt, kAlphaBytes>(packet), keys))
    return std::unexpected(BuildError::unusable_key);
  build_routing(route, keys, destination, secrets.final_padding.bytes(), x_stream,
                field<kGammaAt, kGammaBytes + kBetaBytes>(packet));
  const auto payload = field<kPayloadAt, kPayloadBytes>(packet);
  write_payload(destination.address, message, payload);
  for (std::size_t i = route.size(); i-- > 0;)
    crypto::lioness_encrypt(keys[i].payload(), payload);
  return packet;
}

std::expected<Packet, BuildError> build(std::span<const Hop> route, const Destination& destination,
                                        BytesView message, ports::Entropy& entropy) {
  return Builder().build(route, destination, message, entropy);
}

Peeler::Peeler(const crypto::PrivateKey& key)
    : x_key(key.scalar()),
      x_tag_key(crypto::keyed_blake2b(key.bytes(), as_bytes(kTagKeyPurpose))) {}

std::expected<OpenedHeader, PeelError> Peeler::open_header(const Packet& packet) {
  crypto::Secret<crypto::kPointBytes> shared;
  if (!x_key.multiply(alpha_of(packet), shared.mutable_bytes()))
    return std::unexpected(PeelError::zero_secret);
  OpenedHeader header;
  header.x_keys = HopKeys(shared.bytes());
  const auto beta = field<kBetaAt, kBetaBytes>(packet);
  if (!crypto::equal_in_constant_time(mac_of(header.x_keys, beta),
                                      field<kGammaAt, kGammaBytes>(packet)))
    return std::unexpected(PeelError::bad_mac);

  const auto routing = read_routing(header.x_keys, beta, x_stream);
  if (!routing) return std::unexpected(routing.error());
  header.x_routing = *routing;
  const ByteArray<32> tag = crypto::keyed_blake2b(x_tag_key.bytes(), shared.bytes());
  std::ranges::copy(std::span(tag).first<sizeof(Tag)>(), header.x_tag.begin());
  return header;
}

std::expected<Peeled, PeelError> Peeler::peel(const Packet& packet) {
  const auto header = open_header(packet);
  if (!header) return std::unexpected(header.error());
  return header->finish(packet);
}

std::expected<Peeled, PeelError> OpenedHeader::finish(const Packet& same_packet) const {
  return x_routing.is_final ? finish_final(same_packet) : finish_forward(same_packet);
}

std::expected<Peeled, PeelError> OpenedHeader::finish_forward(const Packet& in) const {
  std::expected<Peeled, PeelError> peeled(std::in_place, std::in_place_type<Forward>);
  Forward& forward = std::get<Forward>(*peeled);
  forward.next_address = x_routing.address;
  forward.delay = x_routing.delay;
  const crypto::Multiplier blinding(x_keys.blinding());
  if (!blinding.multiply(alpha_of(in), field<kAlphaAt, kAlphaBytes>(forward.packet)))
    return std::unexpected(PeelError::zero_secret);
  std::ranges::copy(x_routing.next, forward.packet.begin() + kGammaAt);
  const auto payload = field<kPayloadAt, kPayloadBytes>(forward.packet);
  std::ranges::copy(field<kPayloadAt, kPayloadBytes>(in), payload.begin());
  crypto::lioness_decrypt(x_keys.payload(), payload);
  return peeled;
}

std::expected<Peeled, PeelError> OpenedHeader::finish_final(const Packet& in) const {
  std::expected<Peeled, PeelError> peeled(std::in_place, std::in_place_type<Final>);
  Final& final = std::get<Final>(*peeled);
  final.destination = {x_routing.address, x_routing.surb_id};
  std::ranges::copy(field<kPayloadAt, kPayloadBytes>(in), final.x_plain.begin());
  crypto::lioness_decrypt(x_keys.payload(), final.x_plain);
  const auto message_bytes = check_payload(final.x_plain, x_routing.address);
  if (!message_bytes) return std::unexpected(message_bytes.error());
  final.x_message_bytes = *message_bytes;
  return peeled;
}

}  // namespace mix::sphinx
