// SPDX-License-Identifier: Apache-2.0
#include "src/prelude/check.h"

#include <cstdio>
#include <cstdlib>

namespace mix::detail {

void check_failed(const char* file, int line, const char* condition, const std::string& values) {
  std::fprintf(stderr, "%s:%d: CHECK failed: %s%s%s\n", file, line, condition,
               values.empty() ? "" : " with", values.c_str());
  std::abort();
}

}  // namespace mix::detail
