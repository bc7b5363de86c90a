// SPDX-License-Identifier: Apache-2.0
#include "src/crypto/generator.h"

#include "src/crypto/cipher.h"
#include "src/prelude/check.h"

namespace mix::crypto {
namespace {

Secret<Generator::kKeyBytes> draw_key(ports::Entropy& root) {
  Secret<Generator::kKeyBytes> key;
  root.fill(key.mutable_bytes());
  return key;
}

}  // namespace

Generator::Generator(ports::Entropy& root, std::string_view purpose)
    : Generator(draw_key(root).bytes(), purpose) {}

Generator::Generator(std::span<const std::uint8_t, kKeyBytes> key, std::string_view purpose) {
  CHECK(!purpose.empty() && purpose.size() <= 64, purpose);
  ByteArray<kKeyBytes> derived = keyed_blake2b(key, as_bytes(purpose));
  std::ranges::copy(derived, x_key.mutable_bytes().begin());
  wipe(derived);
}

void Generator::fill(BytesSpan out) {
  x_drawn += out.size();
  while (!out.empty()) {
    if (x_used == kBufferBytes) refill();
    const std::size_t n = std::min(out.size(), kBufferBytes - x_used);
    const BytesSpan served = x_buffer.mutable_bytes().subspan(x_used, n);
    std::ranges::copy(served, out.begin());
    wipe(served);
    x_used += n;
    out = out.subspan(n);
  }
}

void Generator::refill() {
  const std::span buffer = x_buffer.mutable_bytes();
  std::ranges::fill(buffer, std::uint8_t{0});
  xor_chacha20(x_key.bytes(), buffer);
  std::ranges::copy(buffer.first<kKeyBytes>(), x_key.mutable_bytes().begin());
  wipe(buffer.first<kKeyBytes>());
  x_used = kKeyBytes;
}

std::uint64_t Generator::below(std::uint64_t n) {
  CHECK(n > 0);
  // The draws above the largest multiple of n would favour small results: drawn again.
  const std::uint64_t biased = (~std::uint64_t{0} % n + 1) % n;  // 2^64 modulo n
  std::uint64_t draw = u64();
  while (draw > ~std::uint64_t{0} - biased)
    draw = u64();
  return draw % n;
}

}  // namespace mix::crypto
