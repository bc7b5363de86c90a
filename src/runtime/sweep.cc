// SPDX-License-Identifier: Apache-2.0
#include "src/runtime/sweep.h"

#include <algorithm>

namespace mix::runtime {

void Sweep::expect(Instant due) {
  const Instant next = std::max(due, x_loop.now() + kInterval);
  if (x_next && *x_next <= next) return;
  x_loop.cancel(x_timer);
  x_next = next;
  x_timer = x_loop.call_at(next, [this] { run(); });
}

void Sweep::run() {
  x_next.reset();
  const Instant now = x_loop.now();
  std::optional<Instant> earliest;
  for (Swept* swept : x_swept) {
    std::optional<Instant> due = swept->due();
    if (due && *due <= now) {
      swept->time_out();
      due = swept->due();
    }
    if (due && (!earliest || *due < *earliest)) earliest = due;
  }
  if (earliest) expect(*earliest);
}

}  // namespace mix::runtime
