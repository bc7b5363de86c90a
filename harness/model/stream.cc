// SPDX-License-Identifier: Apache-2.0
#include "harness/model/stream.h"

#include <bit>

#include "harness/model/digest.h"
#include "src/prelude/check.h"
#include "src/prelude/cursor.h"

namespace lab {
namespace {

__extension__ typedef unsigned __int128 Wide;
__extension__ typedef __int128 SignedWide;

constexpr std::uint64_t kLn2Q64 = 0xb17217f7d1cf79ac;  // ln 2 * 2^64
constexpr int kLogBits = 40;                           // fractional bits of the binary logarithm

/// -log2(x / 2^64) with kLogBits fractional bits: the exponent, then one bit for each squaring.
std::uint64_t minus_log2(std::uint64_t x) {
  const int zeros = std::countl_zero(x);
  std::uint64_t m = x << zeros;  // mantissa in [1, 2) as a number of 2^63
  std::uint64_t fraction = 0;
  for (int bit = 0; bit < kLogBits; ++bit) {
    const Wide square = static_cast<Wide>(m) * m;  // in [2^126, 2^128)
    const bool two = (square >> 127) != 0;
    fraction = fraction << 1 | static_cast<std::uint64_t>(two);
    m = static_cast<std::uint64_t>(square >> (two ? 64 : 63));
  }
  // log2(x / 2^64) = (63 - zeros + fraction) - 64
  return (static_cast<std::uint64_t>(zeros + 1) << kLogBits) - fraction;
}

std::uint64_t square_root(Wide x) {
  Wide low = 0, high = static_cast<Wide>(1) << 64;  // low^2 <= x < high^2
  while (high - low > 1) {
    const Wide middle = (low + high) / 2;
    (middle * middle <= x ? low : high) = middle;
  }
  return static_cast<std::uint64_t>(low);
}

/// a * b / 2^bits to the nearest, half away from zero.
std::int64_t scaled(std::int64_t a, std::int64_t b, int bits) {
  const SignedWide product = static_cast<SignedWide>(a) * b;
  const SignedWide half = static_cast<SignedWide>(1) << (bits - 1);
  return static_cast<std::int64_t>(product >= 0 ? (product + half) >> bits
                                                : -((-product + half) >> bits));
}

}  // namespace

std::uint64_t minus_ln_q32(std::uint64_t x) {
  CHECK(x > 0);
  const Wide product = static_cast<Wide>(minus_log2(x)) * kLn2Q64;  // Q(40 + 64)
  return static_cast<std::uint64_t>((product + (static_cast<Wide>(1) << 71)) >> 72);
}

Stream stream(std::uint64_t seed, std::string_view purpose, std::string_view entity) {
  mix::Bytes name;
  mix::Writer(name)
      .bytes(mix::as_bytes("mixlab stream 1"))
      .u64(seed)
      .u32(static_cast<std::uint32_t>(purpose.size()))
      .bytes(mix::as_bytes(purpose))
      .u32(static_cast<std::uint32_t>(entity.size()))
      .bytes(mix::as_bytes(entity));
  const Digest32 digest = digest32_of(name);
  mix::Reader in(digest);
  Stream out;
  for (std::uint64_t& word : out.x_state)
    word = in.u64();
  return out;
}

std::uint64_t Stream::u64() {
  auto& s = x_state;
  const std::uint64_t out = std::rotl(s[1] * 5, 7) * 9;
  const std::uint64_t t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = std::rotl(s[3], 45);
  return out;
}

std::uint64_t Stream::below(std::uint64_t n) {
  CHECK(n > 0);
  Wide product = static_cast<Wide>(u64()) * n;
  if (static_cast<std::uint64_t>(product) < n) {
    const std::uint64_t reject = (0 - n) % n;
    while (static_cast<std::uint64_t>(product) < reject)
      product = static_cast<Wide>(u64()) * n;
  }
  return static_cast<std::uint64_t>(product >> 64);
}

bool Stream::chance(Ratio p) {
  return below(p.den) < p.num;
}

void Stream::fill(mix::BytesSpan out) {
  for (std::size_t at = 0; at < out.size(); at += 8) {
    const std::uint64_t word = u64();
    for (std::size_t i = 0; i < 8 && at + i < out.size(); ++i)
      out[at + i] = static_cast<std::uint8_t>(word >> (8 * i));
  }
}

Duration Stream::uniform(Duration min, Duration max) {
  CHECK(min <= max, min.count(), max.count());
  return min + Duration(below(static_cast<std::uint64_t>((max - min).count()) + 1));
}

Duration Stream::exponential(Duration mean) {
  const std::uint64_t x = u64() | 1;  // never zero; the lowest bit moves no sample by a nanosecond
  return Duration(scaled(mean.count(), static_cast<std::int64_t>(minus_ln_q32(x)), 32));
}

// Marsaglia's polar method: a point of the unit disc, (u, v), s = u^2 + v^2; then
// u * sqrt(-2 ln s / s) is a standard normal sample. u and v are numbers of 2^-31.
Duration Stream::normal(Duration mean, Duration sd) {
  while (true) {
    const std::uint64_t draw = u64();
    const auto u = static_cast<std::int64_t>(static_cast<std::int32_t>(draw >> 32));
    const auto v = static_cast<std::int64_t>(static_cast<std::int32_t>(draw));
    const std::uint64_t s =  // Q62
        static_cast<std::uint64_t>(u * u) + static_cast<std::uint64_t>(v * v);
    if (s < 1 << 24 || s >= std::uint64_t{1} << 62) continue;  // below: once in 2^38, too wide
    const Wide twice_ln = static_cast<Wide>(minus_ln_q32(s << 2)) * 2;     // Q32
    const Wide quotient = ((twice_ln << 60) / s) << 30;                    // Q(32+60-62+30) = Q60
    const auto factor = static_cast<std::int64_t>(square_root(quotient));  // Q30
    const std::int64_t z = scaled(u, factor, 29);                          // Q32
    return mean + Duration(scaled(sd.count(), z, 32));
  }
}

}  // namespace lab
