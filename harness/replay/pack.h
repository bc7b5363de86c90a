// SPDX-License-Identifier: Apache-2.0
// FILE.pack: the binaries and libraries of a recording's manifest, beside the recording. That is
// how a run is had again when the machine has moved on.
//
//   FILE.pack/bin/  programs, the shim, and mixlab itself
//   FILE.pack/lib/  libraries under the names that programs ask for, and the dynamic loader
//
// A packed program is run as a copy that names the packed loader through a descriptor; the loader
// looks for libraries in FILE.pack/lib first. Nothing in the program's environment or on its stack
// differs from a run without a pack (controller/process.cc).
#pragma once

#include <expected>
#include <map>
#include <optional>
#include <string>

#include "harness/replay/recording.h"
#include "harness/runner/runner.h"

namespace lab::replay {

/// Whether a file is one of this project's own: found beside mixlab, and promised to give one chain
/// on any machine.
bool is_own(const std::string& name);

class Pack {
 public:
  /// Makes it anew, or completes it. Every file is checked against the manifest's SHA-256; own
  /// programs are looked for in `bin` where they are not where they were.
  static std::expected<Pack, std::string> make(const Recorded& recorded, const std::string& bin);
  /// nullopt: there is none beside the recording.
  static std::optional<Pack> beside(const Recorded& recorded);

  const std::string& folder() const { return x_folder; }
  /// The packed file for a path of the manifest; nullopt: it is not in the pack.
  std::optional<std::string> file(const std::string& manifest_path) const;
  /// `work` takes the copies that name the packed loader.
  std::expected<runner::Binary, std::string> binary(const Recorded& recorded,
                                                    const std::string& program,
                                                    const std::string& work) const;
  std::size_t files() const { return x_files.size(); }

 private:
  explicit Pack(std::string folder) : x_folder(std::move(folder)) {}
  void add(const Recorded& recorded);
  std::string x_folder;
  std::map<std::string, std::string> x_files;  // path of the manifest -> packed file
};

/// The manifest's list `key` ("binaries", "files", "lab"): path to SHA-256.
std::map<std::string, std::string> sums_of(const Recorded& recorded, const char* key);
/// The recorded path of a program's binary.
std::optional<std::string> recorded_path(const Recorded& recorded, const std::string& program);

/// What a replay runs for a program: the pack's, else the recorded file where it is still there and
/// not one of ours, else the one that a run would find now. `work` takes a pack's copies.
std::expected<runner::Binary, std::string> find_binary(const Recorded& recorded,
                                                       const std::optional<Pack>& pack,
                                                       const scenario::Program& program,
                                                       const std::string& bin,
                                                       const std::string& work);

/// Something that is not as it was when the run was recorded.
struct Fact {
  std::string text;
  bool matters = false;  // for programs that are not our own
};
std::vector<Fact> differences(const Recorded& recorded, const std::optional<Pack>& pack,
                              const std::string& bin, const controller::Options& options);

}  // namespace lab::replay
