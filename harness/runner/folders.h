// SPDX-License-Identifier: Apache-2.0
// The hosts' folders: what they start with, and the digest of what is left in them.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "harness/model/digest.h"
#include "harness/recorder/sources.h"
#include "harness/scenario/plan.h"

namespace lab::runner {

/// "<work>/<host>".
std::string folder_of(const scenario::Plan& plan, const std::string& work, HostId host);
/// What all programs' `files` name, read from the scenario's folder.
std::expected<std::vector<recorder::Source>, std::string> read_sources(const scenario::Plan& plan);
/// Makes a host's folder, 0700, and puts a program's sources and `contents` there.
std::expected<void, std::string> prepare(const scenario::Plan& plan, const std::string& work,
                                         const scenario::Program& program,
                                         const std::vector<recorder::Source>& sources);
/// Copies what `program` fetches from the folders of others.
std::expected<void, std::string> fetch(const scenario::Plan& plan, const std::string& work,
                                       const scenario::Program& program);

struct FolderDigest {
  Digest32 digest{};
  std::uint64_t files = 0;
};
/// Of every regular file's path and bytes, in order of path.
FolderDigest digest_folder(const std::string& folder);

/// Where a command's program is: beside mixlab, as a path from the scenario's folder, or on PATH.
std::expected<std::string, std::string> find_program(const std::string& word,
                                                     const std::string& bin,
                                                     const std::string& scenario_file);

/// What the plan names and is not there: programs, and sources of `files`. A line each, with its
/// place in the scenario.
std::vector<std::string> missing(const scenario::Plan& plan, const std::string& bin);

}  // namespace lab::runner
