// SPDX-License-Identifier: Apache-2.0
// What a run stood on and the chain does not hash: binaries, libraries, files read outside the
// nodes' folders with their SHA-256, the machine, and what this machine cannot make deterministic.
// JSON.
#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <string>
#include <vector>

#include "harness/controller/controller.h"

namespace lab::runner {

/// What it says of machine and settings. Before a run: its controller pins the thread to a CPU.
boost::json::object surroundings(const controller::Options& options);
/// `programs`: name to the path of its binary.
std::string manifest(boost::json::object surroundings, const std::vector<std::string>& mapped,
                     const std::map<std::string, std::uint64_t>& files_read,
                     const std::map<std::string, std::string>& programs);

}  // namespace lab::runner
