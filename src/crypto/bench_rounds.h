// SPDX-License-Identifier: Apache-2.0
// Measuring on a machine whose speed changes meanwhile. For benchmarks only.
//
// Nothing is compared across time: a round runs everything that is compared in turn, a millisecond
// or so each, and gives one ratio; what counts is the median over many rounds. Time is the thread's
// CPU time, in microseconds.
#pragma once

#include <time.h>

#include <algorithm>
#include <functional>
#include <vector>

namespace mix::crypto {

inline double cpu_us() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) / 1e3;
}

/// The average of some runs in a row.
inline double us_of_one(const std::function<void()>& run, int repeats) {
  const double start = cpu_us();
  for (int i = 0; i < repeats; ++i)
    run();
  return (cpu_us() - start) / repeats;
}

/// Of at least one value.
inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace mix::crypto
