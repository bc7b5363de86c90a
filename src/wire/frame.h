// SPDX-License-Identifier: Apache-2.0
// Cuts a TCP stream into packets of exactly 1372 bytes, however its reads were cut.
//
// TCP carries bytes, not packets: one read may bring half a packet or ten and a half. (The
// originals take one read for one packet and lose whatever was cut elsewhere.) Knows nothing about
// what a packet says, and does no I/O.
//
// Bounds: keeps at most one unfinished packet, and only while there is one; whole packets are
// handed on where they lie in the chunk. Threads: none of its own.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "src/prelude/bytes.h"
#include "src/wire/limits.h"

namespace mix::wire {

using PacketView = std::span<const std::uint8_t, kPacketBytes>;

class FrameReader {
 public:
  /// The next bytes of the stream. The chunk must live until next() has answered nullopt, which it
  /// must have done before the next chunk.
  void feed(BytesView chunk);
  /// The next whole packet, valid until the following call of next() or feed(); nullopt when what
  /// is left does not make one.
  std::optional<PacketView> next();

  /// Bytes of an unfinished packet, once next() has answered nullopt. Not zero when the stream
  /// ends: the packet was cut off; not zero for long: the peer stalls.
  std::size_t unfinished() const { return x_kept; }

 private:
  using Packet = ByteArray<kPacketBytes>;

  BytesView x_chunk;
  std::unique_ptr<Packet> x_part;
  std::size_t x_kept = 0;
};

}  // namespace mix::wire
