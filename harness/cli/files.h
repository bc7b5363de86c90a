// SPDX-License-Identifier: Apache-2.0
// What the commands read and make on the real machine: scenario files, and a folder that is gone
// when the run is.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/scenario/plan.h"

namespace lab::cli {

/// Says on standard error what is wrong, every problem with file, line, column and key.
std::optional<scenario::Plan> read_plan(const std::string& file,
                                        const std::vector<std::string>& settings);

/// A fresh folder, 0700, removed with all it holds.
class WorkFolder {
 public:
  WorkFolder();
  ~WorkFolder();
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  /// Empty when it could not be made.
  const std::string& path() const { return x_path; }

 private:
  std::string x_path;
};

/// A text as one word of a shell command.
std::string shell_word(const std::string& text);

}  // namespace lab::cli
