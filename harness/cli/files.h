// SPDX-License-Identifier: Apache-2.0
// What the commands read and make on the real machine: scenario files, recordings to look at, names
// for new ones, and a folder that is gone when the run is.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/scenario/plan.h"
#include "src/sqlite/database.h"

namespace lab::cli {

/// Says on standard error what is wrong, every problem with file, line, column and key.
std::optional<scenario::Plan> read_plan(const std::string& file,
                                        const std::vector<std::string>& settings);

/// What the scenario names and is not there (programs, sources of files), said on standard error.
bool all_there(const scenario::Plan& plan);

/// A recording that is only read.
struct Looked {
  mix::sqlite::Database db;
  std::string doubt;  // why it may not say what happened; empty: it is whole
};
/// Says on standard error what it is instead of a recording, or what is doubtful about it.
std::optional<Looked> look_at(const std::string& file);

/// `stem`.sqlite, or the first of `stem`-2.sqlite, `stem`-3.sqlite .. that is free or holds the
/// very run: this canonical scenario, with this chain, on this manifest where it has a pack.
std::string free_name(const std::string& stem, const std::string& canonical,
                      const std::string& chain, const std::string& manifest);

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
/// This program as the user called it, as a word of a shell command: what a hint begins with.
std::string called();
void remember_call(const char* name);

}  // namespace lab::cli
