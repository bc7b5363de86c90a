// SPDX-License-Identifier: Apache-2.0
// For tests: runs a loop until one task has ended.
#pragma once

#include "src/runtime/loop.h"

namespace mix::runtime {

inline Task<> then_stop(Loop& loop, Task<> task) {
  co_await std::move(task);
  loop.stop();
}

/// A test that hangs is ended by ctest; nothing here is timed.
inline void run_task(Loop& loop, Task<> task) {
  loop.spawn(then_stop(loop, std::move(task)));
  loop.run();
}

}  // namespace mix::runtime
