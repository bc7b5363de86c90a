// SPDX-License-Identifier: Apache-2.0
// A program's folder as it found it, from a recording (tables folder_file and blob).
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "harness/protocol/observer.h"
#include "src/sqlite/database.h"

namespace lab::replay {

/// Empties `folder` and fills it with what the life that began at event `life` found. Returns the
/// lab's numbers of its files. Throws judge::QueryFailed when the recording cannot be read.
std::expected<std::vector<FileNumber>, std::string> restore_folder(mix::sqlite::Database& db,
                                                                   std::int64_t life,
                                                                   const std::string& folder);

}  // namespace lab::replay
