// SPDX-License-Identifier: Apache-2.0
// The table `source`: files from outside that a scenario puts into its programs' folders, kept in
// the recording, so that it can be replayed where they are not.
#pragma once

#include <string>
#include <vector>

#include "src/sqlite/database.h"

namespace lab::recorder {

struct Source {
  std::string program;  // its name
  std::string path;     // in its folder
  std::int64_t mode = 0600;
  mix::Bytes bytes;
};

mix::sqlite::Result<void> keep_sources(mix::sqlite::Database& db,
                                       const std::vector<Source>& sources);
/// In the order of program and path.
mix::sqlite::Result<std::vector<Source>> kept_sources(mix::sqlite::Database& db);

}  // namespace lab::recorder
