// SPDX-License-Identifier: Apache-2.0
// Reports of the window that runs and of the full one before it, which is what is shown. The two
// never share memory: what was shown does not change while the next window fills (the originals'
// does).
//
// Windows are three seconds from the directory's start; no timer turns them, whoever looks does.
// Bounds: rows and bytes a window, and of each source (topology/shares.h); what is more is refused.
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "src/prelude/instant.h"
#include "src/topology/shares.h"

namespace mix::directory {

template <class Row>
class MetricsWindow {
 public:
  struct Limits {
    Duration length = 3s;
    std::size_t rows = 8192;
    std::size_t bytes = 16 * 1024 * 1024;
    std::size_t sources = 4;
  };
  MetricsWindow(Limits limits, Instant start)
      : x_length(limits.length),
        x_start(start),
        x_rows(limits.rows, limits.sources),
        x_bytes(limits.bytes, limits.sources) {}

  Instant start() const { return x_start; }
  /// Of the window that runs, counted from the start: what `full` says is the same while this is.
  std::int64_t number(Instant now) {
    turn(now);
    return x_number;
  }
  /// False when the window is full, or the source's share of it. `bytes` is what the row weighs.
  bool add(Row row, std::size_t bytes, std::string_view source, Instant now) {
    turn(now);
    if (!x_rows.room_for(source, 1) || !x_bytes.room_for(source, bytes)) return false;
    x_rows.add(source, 1);
    x_bytes.add(source, bytes);
    x_running.push_back(std::move(row));
    return true;
  }
  /// The last full window's rows, in the order they came.
  const std::vector<Row>& full(Instant now) {
    turn(now);
    return x_full;
  }
  /// Those of the window that runs, likewise.
  const std::vector<Row>& running(Instant now) {
    turn(now);
    return x_running;
  }

 private:
  void turn(Instant now) {
    const std::int64_t number = (now - x_start) / x_length;
    if (number == x_number) return;
    x_full = number == x_number + 1 ? std::move(x_running) : std::vector<Row>();
    x_running = {};
    x_rows.clear();
    x_bytes.clear();
    x_number = number;
  }

  Duration x_length;
  Instant x_start;
  std::int64_t x_number = 0;
  std::vector<Row> x_running;
  std::vector<Row> x_full;
  topology::Shares x_rows, x_bytes;  // of the window that runs
};

}  // namespace mix::directory
