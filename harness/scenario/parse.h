// SPDX-License-Identifier: Apache-2.0
// A scenario file to a plan: keys checked (document.h), names looked up, random choices drawn, the
// mixnet and the traffic expanded, faults put on the time line. All that is wrong is reported, each
// problem with file, line, column and key. Pure: who calls reads the file.
//
// The plan's `canonical` form parses to the same plan: that is a test.
#pragma once

#include <expected>

#include "harness/scenario/document.h"

namespace lab::scenario {

/// `settings` are the "key=value" of --set; "scenario.seed=7" is what --seed 7 means.
std::expected<Plan, std::vector<Problem>> parse(const std::string& file, std::string_view text,
                                                const Words& settings = {});

/// What will happen, in words: `mixlab check`.
std::string explain(const Plan& plan);

}  // namespace lab::scenario
