// SPDX-License-Identifier: Apache-2.0
// Chance for one purpose: a ChaCha20 stream of its own, so that one more draw for one purpose
// ("loop gaps") moves nothing for another ("packet secrets").
//
// Key of the stream = keyed BLAKE2b(32 bytes from the system's entropy, the purpose). Every refill
// replaces the key by the stream's own first bytes and served bytes are wiped: who reads the memory
// later cannot tell what was drawn before. The bytes drawn depend on the key and the purpose only.
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <string_view>

#include "src/crypto/secret.h"
#include "src/ports/entropy.h"

namespace mix::crypto {

class Generator final : public ports::Entropy {
 public:
  static constexpr std::size_t kKeyBytes = 32;

  /// Draws 32 bytes from `root`, once. The purpose is 1 to 64 characters.
  Generator(ports::Entropy& root, std::string_view purpose);
  /// The same stream again for the same key and purpose.
  Generator(std::span<const std::uint8_t, kKeyBytes> key, std::string_view purpose);
  /// Two generators at one place of one stream would draw the same: no copies, no moves.
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;

  void fill(BytesSpan out) override;
  /// Exactly uniform in [0, n); n > 0 (CHECKed). Draws 8 bytes, again with probability below
  /// n/2^64.
  std::uint64_t below(std::uint64_t n);

  /// Bytes handed out so far.
  std::uint64_t drawn() const { return x_drawn; }

 private:
  static constexpr std::size_t kBufferBytes = 512;
  void refill();

  Secret<kKeyBytes> x_key;
  Secret<kBufferBytes> x_buffer;
  std::size_t x_used = kBufferBytes;  // bytes of the buffer already handed out
  std::uint64_t x_drawn = 0;
};

}  // namespace mix::crypto
