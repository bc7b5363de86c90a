// SPDX-License-Identifier: Apache-2.0
#include "harness/model/digest.h"

#include <bit>
#include <cstring>

#include "src/prelude/check.h"

namespace lab {
namespace {

constexpr std::array<std::uint64_t, 8> kInitial{
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

constexpr std::uint8_t kOrder[10][16] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                         {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
                                         {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
                                         {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
                                         {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
                                         {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
                                         {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
                                         {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
                                         {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
                                         {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

std::uint64_t little_endian(const std::uint8_t* bytes) {
  std::uint64_t value;
  std::memcpy(&value, bytes, 8);
  if constexpr (std::endian::native == std::endian::big) value = __builtin_bswap64(value);
  return value;
}

inline void mix_four(std::uint64_t& a, std::uint64_t& b, std::uint64_t& c, std::uint64_t& d,
                     std::uint64_t x, std::uint64_t y) {
  a += b + x;
  d = std::rotr(d ^ a, 32);
  c += d;
  b = std::rotr(b ^ c, 24);
  a += b + y;
  d = std::rotr(d ^ a, 16);
  c += d;
  b = std::rotr(b ^ c, 63);
}

// The order of the message words is a template argument, so that a round is straight code.
template <int kRound>
inline void round(std::uint64_t* v, const std::uint64_t* m) {
  constexpr const std::uint8_t* s = kOrder[kRound % 10];
  mix_four(v[0], v[4], v[8], v[12], m[s[0]], m[s[1]]);
  mix_four(v[1], v[5], v[9], v[13], m[s[2]], m[s[3]]);
  mix_four(v[2], v[6], v[10], v[14], m[s[4]], m[s[5]]);
  mix_four(v[3], v[7], v[11], v[15], m[s[6]], m[s[7]]);
  mix_four(v[0], v[5], v[10], v[15], m[s[8]], m[s[9]]);
  mix_four(v[1], v[6], v[11], v[12], m[s[10]], m[s[11]]);
  mix_four(v[2], v[7], v[8], v[13], m[s[12]], m[s[13]]);
  mix_four(v[3], v[4], v[9], v[14], m[s[14]], m[s[15]]);
}

}  // namespace

Hasher::Hasher(std::size_t size) : x_state(kInitial), x_size(size) {
  CHECK(size >= 1 && size <= 64, size);
  x_state[0] ^= 0x01010000 ^ size;  // no key, fan-out 1, depth 1
}

void Hasher::compress(const std::uint8_t* block, bool last) {
  std::uint64_t m[16];
  for (std::size_t i = 0; i < 16; ++i)
    m[i] = little_endian(block + 8 * i);
  std::uint64_t v[16];
  for (std::size_t i = 0; i < 8; ++i) {
    v[i] = x_state[i];
    v[i + 8] = kInitial[i];
  }
  v[12] ^= x_count;
  if (last) v[14] = ~v[14];
  round<0>(v, m), round<1>(v, m), round<2>(v, m), round<3>(v, m), round<4>(v, m), round<5>(v, m);
  round<6>(v, m), round<7>(v, m), round<8>(v, m), round<9>(v, m), round<10>(v, m), round<11>(v, m);
  for (std::size_t i = 0; i < 8; ++i)
    x_state[i] ^= v[i] ^ v[i + 8];
}

void Hasher::add(mix::BytesView bytes) {
  while (!bytes.empty()) {
    if (x_fill == x_block.size()) {  // only now is it known not to be the last block
      x_count += x_block.size();
      compress(x_block.data(), false);
      x_fill = 0;
    }
    if (x_fill == 0) {
      while (bytes.size() > x_block.size()) {
        x_count += x_block.size();
        compress(bytes.data(), false);
        bytes = bytes.subspan(x_block.size());
      }
    }
    const std::size_t n = std::min(bytes.size(), x_block.size() - x_fill);
    std::memcpy(x_block.data() + x_fill, bytes.data(), n);
    x_fill += n;
    bytes = bytes.subspan(n);
  }
}

void Hasher::digest(mix::BytesSpan out) const {
  CHECK(out.size() == x_size, out.size(), x_size);
  Hasher end = *this;
  std::memset(end.x_block.data() + end.x_fill, 0, end.x_block.size() - end.x_fill);
  end.x_count += end.x_fill;
  end.compress(end.x_block.data(), true);
  for (std::size_t i = 0; i < x_size; ++i)
    out[i] = static_cast<std::uint8_t>(end.x_state[i / 8] >> (8 * (i % 8)));
}

Digest digest_of(mix::BytesView bytes) {
  Hasher hasher(sizeof(Digest));
  hasher.add(bytes);
  Digest out;
  hasher.digest(out);
  return out;
}

Digest32 digest32_of(mix::BytesView bytes) {
  Hasher hasher(sizeof(Digest32));
  hasher.add(bytes);
  Digest32 out;
  hasher.digest(out);
  return out;
}

}  // namespace lab
