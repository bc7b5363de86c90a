// SPDX-License-Identifier: Apache-2.0
#include "harness/model/sha256.h"

#include <bit>
#include <cstdio>
#include <memory>

namespace lab {
namespace {

// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
constexpr std::array<std::uint32_t, 64> kRound = [] {
  std::array<std::uint32_t, 64> out{};
  int found = 0;
  for (std::uint64_t n = 2; found < 64; ++n) {
    bool prime = true;
    for (std::uint64_t d = 2; d * d <= n; ++d)
      prime = prime && n % d != 0;
    if (!prime) continue;
    __extension__ typedef unsigned __int128 Wide;
    std::uint64_t low = 0, high = std::uint64_t{8} << 32;  // the root as a number of 2^-32
    while (high - low > 1) {
      const std::uint64_t middle = (low + high) / 2;
      const bool fits = static_cast<Wide>(middle) * middle * middle <= static_cast<Wide>(n) << 96;
      (fits ? low : high) = middle;
    }
    out[static_cast<std::size_t>(found++)] = static_cast<std::uint32_t>(low);
  }
  return out;
}();

}  // namespace

void Sha256::compress(const std::uint8_t* block) {
  std::uint32_t w[64];
  for (std::size_t i = 0; i < 16; ++i)
    w[i] = static_cast<std::uint32_t>(block[4 * i]) << 24 |
           static_cast<std::uint32_t>(block[4 * i + 1]) << 16 |
           static_cast<std::uint32_t>(block[4 * i + 2]) << 8 | block[4 * i + 3];
  for (std::size_t i = 16; i < 64; ++i) {
    const std::uint32_t a = w[i - 15], b = w[i - 2];
    w[i] = w[i - 16] + (std::rotr(a, 7) ^ std::rotr(a, 18) ^ a >> 3) + w[i - 7] +
           (std::rotr(b, 17) ^ std::rotr(b, 19) ^ b >> 10);
  }
  auto [a, b, c, d, e, f, g, h] = x_state;
  for (std::size_t i = 0; i < 64; ++i) {
    const std::uint32_t one = h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) +
                              ((e & f) ^ (~e & g)) + kRound[i] + w[i];
    const std::uint32_t two =
        (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + one, d = c, c = b, b = a, a = one + two;
  }
  const std::array<std::uint32_t, 8> turn{a, b, c, d, e, f, g, h};
  for (std::size_t i = 0; i < 8; ++i)
    x_state[i] += turn[i];
}

void Sha256::add(mix::BytesView bytes) {
  x_bytes += bytes.size();
  while (!bytes.empty()) {
    const std::size_t n = std::min(bytes.size(), x_block.size() - x_fill);
    std::ranges::copy(bytes.first(n), x_block.begin() + static_cast<std::ptrdiff_t>(x_fill));
    x_fill += n;
    bytes = bytes.subspan(n);
    if (x_fill < x_block.size()) continue;
    compress(x_block.data());
    x_fill = 0;
  }
}

mix::ByteArray<32> Sha256::digest() {
  const std::uint64_t bits = x_bytes * 8;
  const std::uint8_t one = 0x80, zero = 0;
  add({&one, 1});
  while (x_fill != 56)
    add({&zero, 1});
  mix::ByteArray<8> length;
  for (std::size_t i = 0; i < 8; ++i)
    length[i] = static_cast<std::uint8_t>(bits >> (56 - 8 * i));
  add(length);
  mix::ByteArray<32> out;
  for (std::size_t i = 0; i < 32; ++i)
    out[i] = static_cast<std::uint8_t>(x_state[i / 4] >> (24 - 8 * (i % 4)));
  return out;
}

std::optional<std::string> sha256_of_file(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             std::fclose);
  if (!file) return std::nullopt;
  Sha256 sum;
  std::vector<std::uint8_t> buffer(1 << 16);
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), file.get()))
    sum.add({buffer.data(), n});
  if (std::ferror(file.get()) != 0) return std::nullopt;
  return mix::to_hex(sum.digest());
}

}  // namespace lab
