// SPDX-License-Identifier: Apache-2.0
// Every program of a run that stands still, for people: what it waits in, its timers, sockets and
// queues.
#pragma once

#include <string>

#include "harness/runner/runner.h"

namespace lab::cli {

std::string state_text(const runner::Standing& standing);

}  // namespace lab::cli
