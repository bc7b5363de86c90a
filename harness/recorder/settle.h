// SPDX-License-Identifier: Apache-2.0
// The lab's last word on packets that a program cannot account for: what had been delivered to a
// node and was not read, or was held, when the lab killed it; and what came after it was asked to
// stop. Anything else without a receipt stays open: the judge calls it lost in silence.
#pragma once

#include "harness/recorder/recorder.h"
#include "src/sqlite/database.h"

namespace lab::recorder {

mix::sqlite::Result<void> settle(mix::sqlite::Database& db, std::vector<Ending> endings);

}  // namespace lab::recorder
