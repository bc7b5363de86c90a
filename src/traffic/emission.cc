// SPDX-License-Identifier: Apache-2.0
#include "src/traffic/emission.h"

#include "src/traffic/poisson.h"

namespace mix::traffic {

void Emission::Line::step() {
  if (mean > 0ns) due += exponential(gaps, mean);
}

Emission::Emission(const Means& means, ports::Entropy& loop_gaps, ports::Entropy& real_gaps,
                   Instant start)
    : x_loop{means.loop, loop_gaps, means.loop > 0ns ? start : Instant::max()},
      x_real{means.real, real_gaps, start} {
  x_loop.step();
  x_real.step();
}

Tick Emission::earliest() const {
  if (x_loop.due <= x_real.due) return {Stream::loop, x_loop.due};
  return {Stream::real, x_real.due};
}

std::optional<Tick> Emission::take(Instant now) {
  for (;;) {
    const Tick tick = earliest();
    if (tick.due > now) return std::nullopt;
    (tick.stream == Stream::loop ? x_loop : x_real).step();
    if (now - tick.due <= kMaxLateness) return tick;
    ++x_skipped;
  }
}

}  // namespace mix::traffic
