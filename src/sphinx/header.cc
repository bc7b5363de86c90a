// SPDX-License-Identifier: Apache-2.0
#include "src/sphinx/header.h"

#include <array>
#include <limits>

#include "src/prelude/check.h"

namespace mix::sphinx {
namespace {

using Stream = crypto::Secret<kStreamBytes>;
using Streams = std::array<Stream, kMaxHops>;

Stream stream_of(const HopKeys& keys, crypto::AesCtr& cipher) {
  Stream stream;
  cipher.xor_stream(keys.stream(), stream.mutable_bytes());
  return stream;
}

void xor_onto(BytesSpan data, BytesView mask) {
  for (std::size_t i = 0; i < data.size(); ++i)
    data[i] ^= mask[i];
}

/// Copies to the front of `rest` and moves past it.
void put(BytesSpan& rest, BytesView bytes) {
  std::ranges::copy(bytes, rest.begin());
  rest = rest.subspan(bytes.size());
}
template <std::size_t N>
ByteArray<N> take(BytesView& rest) {
  ByteArray<N> out;
  std::ranges::copy(rest.first(N), out.begin());
  rest = rest.subspan(N);
  return out;
}

/// Each hop shifts beta left by one step and fills the gap from its own stream. The filler is what
/// those gaps have become by the time the last hop sees them, so that its MAC can cover it.
std::size_t make_filler(std::size_t hops, const Streams& streams, BytesSpan filler) {
  std::size_t size = 0;
  for (std::size_t i = 0; i + 1 < hops; ++i) {
    size += kStepBytes;  // the new bytes are zero
    xor_onto(filler.first(size), BytesView(streams[i].bytes()).last(size));
  }
  return size;
}

void put_prefix(BytesSpan& rest, std::uint8_t flag, const AddressBytes& address) {
  put(rest, BytesView(&flag, 1));
  put(rest, kVersion);
  put(rest, address);
}

ByteArray<kDelayBytes> delay_bytes(Duration delay) {
  auto ns = static_cast<std::uint64_t>(delay.count());
  ByteArray<kDelayBytes> out;
  for (std::size_t i = kDelayBytes; i-- > 0; ns >>= 8)
    out[i] = static_cast<std::uint8_t>(ns);
  return out;
}

Duration delay_of(const ByteArray<kDelayBytes>& bytes) {
  std::uint64_t ns = 0;
  for (std::uint8_t byte : bytes)
    ns = ns << 8 | byte;
  constexpr std::uint64_t kMost = std::numeric_limits<Duration::rep>::max();
  return Duration(static_cast<Duration::rep>(std::min(ns, kMost)));
}

}  // namespace

Gamma mac_of(const HopKeys& keys, std::span<const std::uint8_t, kBetaBytes> beta) {
  const ByteArray<32> whole = crypto::hmac_sha256(keys.mac(), beta);
  Gamma gamma;
  std::ranges::copy(std::span(whole).first<kGammaBytes>(), gamma.begin());
  return gamma;
}

void build_routing(std::span<const Hop> route, std::span<const HopKeys> keys,
                   const Destination& destination, BytesView final_padding, crypto::AesCtr& stream,
                   std::span<std::uint8_t, kGammaBytes + kBetaBytes> out) {
  const std::size_t hops = route.size();
  CHECK(hops >= 1 && hops <= kMaxHops && keys.size() >= hops, hops, keys.size());
  CHECK(final_padding.size() >= final_padding_bytes(hops), final_padding.size(), hops);
  Streams streams;
  for (std::size_t i = 0; i < hops; ++i)
    streams[i] = stream_of(keys[i], stream);

  ByteArray<kStepBytes*(kMaxHops - 1)> filler{};
  const std::size_t filler_bytes = make_filler(hops, streams, filler);

  Beta beta;
  BytesSpan rest(beta);
  put_prefix(rest, kFinalFlag, destination.address);
  put(rest, destination.surb_id);
  put(rest, final_padding.first(final_padding_bytes(hops)));
  xor_onto(std::span(beta).first(kBetaBytes - filler_bytes), streams[hops - 1].bytes());
  put(rest, std::span(filler).first(filler_bytes));
  CHECK(rest.empty(), rest.size());
  Gamma gamma = mac_of(keys[hops - 1], beta);

  for (std::size_t i = hops - 1; i-- > 0;) {
    std::ranges::copy_backward(std::span(beta).first(kBetaBytes - kStepBytes), beta.end());
    rest = beta;
    put_prefix(rest, kForwardFlag, route[i + 1].address);
    put(rest, delay_bytes(route[i].delay));
    put(rest, gamma);
    xor_onto(beta, streams[i].bytes());
    gamma = mac_of(keys[i], beta);
  }
  rest = out;
  put(rest, gamma);
  put(rest, beta);
}

std::expected<Routing, PeelError> read_routing(const HopKeys& keys,
                                               std::span<const std::uint8_t, kBetaBytes> beta,
                                               crypto::AesCtr& stream) {
  ByteArray<kStreamBytes> raw{};
  std::ranges::copy(beta, raw.begin());
  stream.xor_stream(keys.stream(), raw);

  Routing routing;
  BytesView rest(raw);
  const std::uint8_t flag = take<kFlagBytes>(rest)[0];
  if (flag != kForwardFlag && flag != kFinalFlag) return std::unexpected(PeelError::unknown_flag);
  routing.is_final = flag == kFinalFlag;
  take<kVersionBytes>(rest);  // means nothing to a receiver
  routing.address = take<kAddressBytes>(rest);
  if (routing.is_final) {
    routing.surb_id = take<kSurbIdBytes>(rest);
  } else {
    routing.delay = delay_of(take<kDelayBytes>(rest));
    routing.next = take<kGammaBytes + kBetaBytes>(rest);
  }
  return routing;
}

}  // namespace mix::sphinx
