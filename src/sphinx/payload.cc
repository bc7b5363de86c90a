// SPDX-License-Identifier: Apache-2.0
#include "src/sphinx/payload.h"

#include "src/prelude/check.h"

namespace mix::sphinx {
namespace {

constexpr std::size_t kMessageAt = kLeadingZeroBytes + kAddressBytes;

bool is_zero(std::uint8_t byte) {
  return byte == 0;
}

}  // namespace

void write_payload(const AddressBytes& destination, BytesView message,
                   std::span<std::uint8_t, kPayloadBytes> block) {
  CHECK(message.size() <= kMaxMessageBytes, message.size());
  std::ranges::fill(block, std::uint8_t{0});
  std::ranges::copy(destination, block.begin() + kLeadingZeroBytes);
  std::ranges::copy(message, block.begin() + kMessageAt);
  block[kMessageAt + message.size()] = kMarker;
}

std::expected<std::size_t, PeelError> check_payload(const PayloadBlock& block,
                                                    const AddressBytes& destination) {
  const BytesView bytes(block);
  if (!std::ranges::all_of(bytes.first(kLeadingZeroBytes), is_zero))
    return std::unexpected(PeelError::payload_zeros);
  if (!equal(bytes.subspan(kLeadingZeroBytes, kAddressBytes), destination))
    return std::unexpected(PeelError::payload_destination);
  std::size_t end = kPayloadBytes;
  while (end > kMessageAt && is_zero(bytes[end - 1]))
    --end;
  if (end == kMessageAt || bytes[end - 1] != kMarker)
    return std::unexpected(PeelError::payload_padding);
  return end - 1 - kMessageAt;
}

}  // namespace mix::sphinx
