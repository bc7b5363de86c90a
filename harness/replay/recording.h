// SPDX-License-Identifier: Apache-2.0
// A recording as somebody who wants its run again sees it: the scenario, the seed, what it stood
// on. Everything that is not one says so in a sentence of its own.
#pragma once

#include <boost/json/object.hpp>
#include <expected>
#include <string>
#include <vector>

#include "harness/controller/controller.h"
#include "harness/recorder/sources.h"
#include "harness/scenario/plan.h"

namespace lab::replay {

struct Recorded {
  std::string file;
  std::string scenario;  // canonical TOML
  std::int64_t seed = 0;
  std::string chain;  // hex
  boost::json::object manifest;
  std::vector<recorder::Source> sources;
  std::string remark;  // not empty: the seal is broken, and it was opened anyway
};

/// The error names the file and what it is instead: missing, incomplete, no database, truncated, a
/// devnet's, changed after its run. `anyway`: a broken seal is only remarked.
std::expected<Recorded, std::string> open_recording(const std::string& file, bool anyway);

/// For who only reads a recording: what makes it doubtful (cut, unfinished, without a seal, changed
/// after its run), as a sentence; empty for a whole one, and for a devnet's, which has no seal. The
/// error names a file that is no recording at all.
std::expected<std::string, std::string> doubt_about(const std::string& file);

/// How the lab was set when it was recorded: trap, CPU, interposition, addresses. `bin`: where the
/// shim is.
controller::Options options_of(const Recorded& recorded, const scenario::Plan& plan,
                               const std::string& bin);

}  // namespace lab::replay
