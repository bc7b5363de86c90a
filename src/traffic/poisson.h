// SPDX-License-Identifier: Apache-2.0
// The one law of waiting: exponential gaps, which make a Poisson process, and exponential delays.
//
// Every sample costs the same 8 bytes of entropy, whatever comes out, and is rounded to integer
// nanoseconds at once: two machines whose logarithms differ in the last bit still agree (doubles
// are never summed). Does not read a clock. Pure; threads as the entropy handed in.
#pragma once

#include "src/ports/entropy.h"
#include "src/prelude/instant.h"

namespace mix::traffic {

/// Longer means are a mistake in the settings. A sample is at most 38 means (2^-54 is the smallest
/// chance there is), so deadlines stay far inside 64 bits.
inline constexpr Duration kMaxMean = 24h;

/// One sample of Exp(1 / mean). 0 < mean <= kMaxMean (CHECKed).
Duration exponential(ports::Entropy& chance, Duration mean);

/// The mean gap of a stream of `per_second` events: 1 s / per_second, rounded to a nanosecond.
/// 0 < per_second <= 1,000,000 and no longer gap than kMaxMean (CHECKed).
Duration mean_gap(double per_second);

}  // namespace mix::traffic
