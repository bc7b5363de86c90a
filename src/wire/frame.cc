// SPDX-License-Identifier: Apache-2.0
#include "src/wire/frame.h"

#include <algorithm>

#include "src/prelude/check.h"

namespace mix::wire {

void FrameReader::feed(BytesView chunk) {
  CHECK(x_chunk.empty(), x_chunk.size());
  x_chunk = chunk;
}

std::optional<PacketView> FrameReader::next() {
  if (x_kept == kPacketBytes) x_kept = 0;  // it was handed out by the last call
  if (x_kept == 0 && x_chunk.size() >= kPacketBytes) {
    const PacketView packet = x_chunk.first<kPacketBytes>();
    x_chunk = x_chunk.subspan(kPacketBytes);
    return packet;
  }
  if (x_chunk.empty()) {
    if (x_kept == 0) x_part.reset();
    return std::nullopt;
  }
  if (!x_part) x_part = std::make_unique<Packet>();
  const std::size_t taken = std::min(kPacketBytes - x_kept, x_chunk.size());
  std::ranges::copy(x_chunk.first(taken), x_part->begin() + static_cast<std::ptrdiff_t>(x_kept));
  x_chunk = x_chunk.subspan(taken);
  x_kept += taken;
  if (x_kept < kPacketBytes) return std::nullopt;
  return PacketView(*x_part);
}

}  // namespace mix::wire
