// SPDX-License-Identifier: Apache-2.0
#include "src/traffic/poisson.h"

#include <cmath>

#include "src/prelude/check.h"

namespace mix::traffic {

Duration exponential(ports::Entropy& chance, Duration mean) {
  CHECK(mean > 0ns && mean <= kMaxMean, mean.count());
  // 53 bits fill a double exactly; the half keeps u away from both 0 and 1 and the law unbiased.
  const double u = (static_cast<double>(chance.u64() >> 11) + 0.5) * 0x1p-53;
  return Duration(std::llround(-std::log(u) * static_cast<double>(mean.count())));
}

Duration mean_gap(double per_second) {
  CHECK(per_second > 0 && per_second <= 1e6, per_second);
  const Duration gap(std::llround(1e9 / per_second));
  CHECK(gap <= kMaxMean, per_second);
  return gap;
}

}  // namespace mix::traffic
