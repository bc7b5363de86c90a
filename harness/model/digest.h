// SPDX-License-Identifier: Apache-2.0
// BLAKE2b (RFC 7693, unkeyed), the lab's only hash: the digest of a packet's bytes (16 bytes, equal
// to the digest the programs record, so that the two sides join), the chain of events, the
// manifest's sums of the lab's own structures, and the seeds of the random streams.
//
// Why BLAKE2b and why here: a chain has to resist accidents *and* people who look for two runs with
// one chain, so it is a cryptographic hash; the recording's format fixes BLAKE2b for packets
// already; and harness/ may not lean on the mixnet's crypto, so that one wrong library cannot fool
// both the program and its judge. Portable integer code, about 3.1 cycles a byte: a 1372-byte
// packet costs 1.1 us, once, where its bytes are copied off the sender (events then carry the 16
// bytes).
//
// Threads: a Hasher belongs to one thread. Nothing allocates, nothing fails.
#pragma once

#include "src/prelude/bytes.h"

namespace lab {

using Digest = mix::ByteArray<16>;
using Digest32 = mix::ByteArray<32>;

class Hasher {
 public:
  /// `size` bytes of digest, 1 to 64. Two sizes are two different functions, not a prefix.
  explicit Hasher(std::size_t size = sizeof(Digest));
  void add(mix::BytesView bytes);
  /// Writes `size` bytes. Works on a copy: the hasher can go on (that is what a checkpoint is).
  void digest(mix::BytesSpan out) const;

 private:
  void compress(const std::uint8_t* block, bool last);

  std::array<std::uint64_t, 8> x_state;
  std::uint64_t x_count = 0;  // bytes compressed; 2^64 are enough for any run
  std::array<std::uint8_t, 128> x_block;
  std::size_t x_fill = 0;
  std::size_t x_size;
};

Digest digest_of(mix::BytesView bytes);
Digest32 digest32_of(mix::BytesView bytes);

}  // namespace lab
