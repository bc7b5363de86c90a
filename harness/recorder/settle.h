// SPDX-License-Identifier: Apache-2.0
// The lab's last word on packets that a program cannot account for: what had been delivered to a
// node and was not read, or was held, when the lab killed it; and what came after it was asked to
// stop. Anything else without a receipt stays open: the judge calls it lost in silence.
//
// A run ends at one instant. The lab then asks every program to stop, so that each says what it
// still held; that is how things stood, not a fault: what a mix held it would have forwarded, and
// what was under way stays under way. No drop is made by the end of a run.
#pragma once

#include "harness/recorder/recorder.h"
#include "src/sqlite/database.h"

namespace lab::recorder {

/// `end`: when the run ended, in ns. Once, when everything is written.
mix::sqlite::Result<void> settle(mix::sqlite::Database& db, std::vector<Ending> endings,
                                 std::int64_t end_ns);

}  // namespace lab::recorder
