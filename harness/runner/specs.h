// SPDX-License-Identifier: Apache-2.0
// What the controller is told about a plan's hosts and programs: the same in a run, and where one
// program is fed alone. Pure but for finding binaries.
#pragma once

#include <string>

#include "harness/controller/controller.h"
#include "harness/scenario/plan.h"

namespace lab::runner {

controller::HostSpec host_spec(const scenario::Plan& plan, HostId host);

/// Everything but `start` and `folder`. `birth`: 0, 1 after a restart, ...: each has a stream of
/// entropy of its own. `path`: the binary's, as its argv[0].
controller::ProgramSpec program_spec_at(const scenario::Plan& plan, NodeId program, int birth,
                                        const std::string& path);

}  // namespace lab::runner
