// SPDX-License-Identifier: Apache-2.0
// What a run stood on and the chain does not hash: binaries, libraries, files read outside the
// nodes' folders with their SHA-256, the machine, and what this machine cannot make deterministic.
// JSON.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/controller/controller.h"

namespace lab::runner {

std::string manifest(const controller::Options& options, const std::vector<std::string>& mapped,
                     const std::map<std::string, std::uint64_t>& files_read);

}  // namespace lab::runner
