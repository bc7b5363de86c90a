// SPDX-License-Identifier: Apache-2.0
// For benchmarks: lines of figures, those with a bound judged.
#pragma once

#include <cstdio>

namespace mix::program {

class Report {
 public:
  void title(const char* text) { std::printf("\n%s\n", text); }
  void line(const char* what, double value, const char* unit = "") {
    std::printf("  %-58s %10.2f %s\n", what, value, unit);
    std::fflush(stdout);
  }
  void at_least(const char* what, double value, double bound) {
    judge(what, value, "", "at least", bound, value >= bound);
  }
  void at_most(const char* what, double value, double bound, const char* unit) {
    judge(what, value, unit, "at most", bound, value <= bound);
  }
  /// The exit status.
  int end() const {
    if (x_bounds > 0) std::printf("\n%d of %d bounds met\n", x_bounds - x_missed, x_bounds);
    return x_missed > 0 ? 1 : 0;
  }

 private:
  void judge(const char* what, double value, const char* unit, const char* side, double bound,
             bool met) {
    std::printf("  %-58s %10.2f %-4s %s %.2f  %s\n", what, value, unit, side, bound,
                met ? "PASS" : "MISS");
    std::fflush(stdout);
    ++x_bounds;
    if (!met) ++x_missed;
  }

  int x_bounds = 0, x_missed = 0;
};

}  // namespace mix::program
