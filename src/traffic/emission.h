// SPDX-License-Identifier: Apache-2.0
// When a client sends: two independent Poisson streams, one of loops and one of real packets (or
// fillers in their place). Decides when, never what, and knows nothing of queues, applications or
// connections: that is what keeps them from showing on the wire.
//
// Deadline to deadline: the next tick of a stream is its last deadline plus one gap, however late
// the tick was served and however long its packet took to build. So the deadlines are a function
// of the start, the means and the two generators alone.
//
// Does not catch up: after a stall (a suspended machine, a stopped process) ticks older than
// kMaxLateness are skipped and counted, because a burst is a signal to whoever watches the link.
// What remains is the same Poisson process, seen from then on. Pure; one thread.
#pragma once

#include <cstdint>
#include <optional>

#include "src/ports/entropy.h"
#include "src/prelude/instant.h"

namespace mix::traffic {

enum class Stream : std::uint8_t { loop, real };

/// Beyond what a busy machine is late in serving a timer, below what looks like a pause.
inline constexpr Duration kMaxLateness = 100ms;

struct Tick {
  Stream stream;
  Instant due;
  auto operator<=>(const Tick&) const = default;
};

class Emission {
 public:
  struct Means {
    Duration loop;  // zero: no loops
    Duration real;
  };

  /// Draws the first gap of each stream. The generators must outlive this object and serve nothing
  /// else.
  Emission(const Means& means, ports::Entropy& loop_gaps, ports::Entropy& real_gaps, Instant start);

  /// When the next tick of either stream is due.
  Instant next() const { return earliest().due; }
  /// The earliest tick that is due at `now`, loops first in a tie; nothing when none is. Draws one
  /// gap from the tick's own generator (8 bytes), and one for every tick skipped.
  std::optional<Tick> take(Instant now);
  /// Ticks that came too late to be sent.
  std::uint64_t skipped() const { return x_skipped; }

 private:
  struct Line {
    Duration mean;
    ports::Entropy& gaps;
    Instant due;
    void step();
  };
  Tick earliest() const;

  Line x_loop;
  Line x_real;
  std::uint64_t x_skipped = 0;
};

}  // namespace mix::traffic
