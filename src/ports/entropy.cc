// SPDX-License-Identifier: Apache-2.0
#include "src/ports/entropy.h"

#include <sys/random.h>

#include <cerrno>

#include "src/prelude/check.h"

namespace mix::ports {

void SystemEntropy::fill(BytesSpan out) {
  while (!out.empty()) {
    const ssize_t got = ::getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    CHECK(got > 0, "getrandom failed, errno", errno);
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace mix::ports
