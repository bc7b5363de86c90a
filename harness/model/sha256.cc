// SPDX-License-Identifier: Apache-2.0
#include "harness/model/sha256.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

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

void compress_plain(std::array<std::uint32_t, 8>& state, const std::uint8_t* block) {
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
  auto [a, b, c, d, e, f, g, h] = state;
  for (std::size_t i = 0; i < 64; ++i) {
    const std::uint32_t one = h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) +
                              ((e & f) ^ (~e & g)) + kRound[i] + w[i];
    const std::uint32_t two =
        (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + one, d = c, c = b, b = a, a = one + two;
  }
  const std::array<std::uint32_t, 8> turn{a, b, c, d, e, f, g, h};
  for (std::size_t i = 0; i < 8; ++i)
    state[i] += turn[i];
}

#if defined(__x86_64__)
// Asked before main: a controller makes CPUID fault in its own thread later.
const bool kHasSha = [] {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_SSE4_1) == 0 || (c & bit_SSSE3) == 0)
    return false;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
}();

// The state lies in two registers, (a b e f) and (c d g h); four rounds a step, the message
// schedule four words at a time.
__attribute__((target("sha,sse4.1,ssse3"))) void compress_fast(std::array<std::uint32_t, 8>& state,
                                                               const std::uint8_t* data,
                                                               std::size_t count) {
  const auto load = [](const void* at) { return _mm_loadu_si128(static_cast<const __m128i*>(at)); };
  const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  __m128i badc = _mm_shuffle_epi32(load(&state[0]), 0xb1);
  __m128i one = _mm_shuffle_epi32(load(&state[4]), 0x1b);
  __m128i zero = _mm_alignr_epi8(badc, one, 8);
  one = _mm_blend_epi16(one, badc, 0xf0);
  for (; count > 0; --count, data += 64) {
    const __m128i zero_before = zero, one_before = one;
    __m128i w[4];
    for (std::size_t i = 0; i < 16; ++i) {
      __m128i& now = w[i & 3];
      const __m128i last = w[(i + 3) & 3];
      if (i < 4)
        now = _mm_shuffle_epi8(load(data + 16 * i), swap);
      else
        now = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(now, w[(i + 1) & 3]),
                                                 _mm_alignr_epi8(last, w[(i + 2) & 3], 4)),
                                   last);
      const __m128i sum = _mm_add_epi32(now, load(&kRound[4 * i]));
      one = _mm_sha256rnds2_epu32(one, zero, sum);
      zero = _mm_sha256rnds2_epu32(zero, one, _mm_shuffle_epi32(sum, 0x0e));
    }
    zero = _mm_add_epi32(zero, zero_before);
    one = _mm_add_epi32(one, one_before);
  }
  const __m128i low = _mm_shuffle_epi32(zero, 0x1b), high = _mm_shuffle_epi32(one, 0xb1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(&state[0]), _mm_blend_epi16(low, high, 0xf0));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(&state[4]), _mm_alignr_epi8(high, low, 8));
}
#else
constexpr bool kHasSha = false;
void compress_fast(std::array<std::uint32_t, 8>&, const std::uint8_t*, std::size_t) {}
#endif

}  // namespace

bool Sha256::can_be_fast() {
  return kHasSha;
}

Sha256 Sha256::portable() {
  Sha256 out;
  out.x_fast = false;
  return out;
}

void Sha256::compress(const std::uint8_t* blocks, std::size_t count) {
  if (x_fast) return compress_fast(x_state, blocks, count);
  for (; count > 0; --count, blocks += 64)
    compress_plain(x_state, blocks);
}

void Sha256::add(mix::BytesView bytes) {
  x_bytes += bytes.size();
  while (!bytes.empty()) {
    if (x_fill == 0 && bytes.size() >= 64) {
      compress(bytes.data(), bytes.size() / 64);
      bytes = bytes.subspan(bytes.size() / 64 * 64);
      continue;
    }
    const std::size_t n = std::min(bytes.size(), x_block.size() - x_fill);
    std::ranges::copy(bytes.first(n), x_block.begin() + static_cast<std::ptrdiff_t>(x_fill));
    x_fill += n;
    bytes = bytes.subspan(n);
    if (x_fill < x_block.size()) continue;
    compress(x_block.data(), 1);
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
