// SPDX-License-Identifier: Apache-2.0
// Chance in the lab: one named stream for each use, `stream(seed, purpose, entity)`. Two uses never
// share a stream, so one more draw in one place, or one node more, moves nothing elsewhere.
//
// Algorithm (part of the recording's format; a change of it changes every chain): xoshiro256**,
// its 256 bits of state the BLAKE2b-256 of "mixlab stream 1", the seed as u64 big-endian, then
// purpose and entity each preceded by its length as u32. Integers only. Not for keys: a stream is
// predictable on purpose.
//
// A purpose is a constant in code ("link.loss"); an entity a stable name ("mix-0->mix-1").
// Threads: a Stream belongs to one.
#pragma once

#include <string_view>

#include "harness/model/ratio.h"
#include "harness/model/virtual_time.h"
#include "src/prelude/bytes.h"

namespace lab {

class Stream {
 public:
  std::uint64_t u64();
  /// Uniform in [0, n), exactly (no modulo bias). n > 0.
  std::uint64_t below(std::uint64_t n);
  /// True with probability p exactly. Draws once even where p is 0 or 1, so that changing a
  /// probability does not shift the draws that follow.
  bool chance(Ratio p);
  void fill(mix::BytesSpan out);

  /// Uniform in [min, max], both ends possible. min <= max.
  Duration uniform(Duration min, Duration max);
  /// Exponential with this mean, to the nearest nanosecond; at most 44.4 means.
  Duration exponential(Duration mean);
  /// Normal, to the nearest nanosecond; may be negative where the law is. sd >= 0.
  Duration normal(Duration mean, Duration sd);

 private:
  friend Stream stream(std::uint64_t, std::string_view, std::string_view);
  std::array<std::uint64_t, 4> x_state{};
};

Stream stream(std::uint64_t seed, std::string_view purpose, std::string_view entity);

/// -ln(x / 2^64) as a fixed-point number with 32 fractional bits, right to 2^-31; x > 0. What the
/// samples above stand on: integer arithmetic, hence the same on every machine.
std::uint64_t minus_ln_q32(std::uint64_t x);

}  // namespace lab
