// SPDX-License-Identifier: Apache-2.0
// The seal of a finished recording: a digest of the whole file, written into the file last (table
// `seal`). It finds damage and later changes, wherever they are; it is no signature: whoever can
// write the file can seal it again.
//
// Threads: any; the file must not be open for writing elsewhere.
#pragma once

#include <expected>
#include <string>

namespace lab::recorder {

enum class Broken {
  unreadable,  ///< the file cannot be read
  unsealed,    ///< it has no seal: it was not written to its end, or by an older mixlab
  changed      ///< its bytes are others than those that were sealed
};

/// The error is a sentence that names the file.
std::expected<void, std::string> seal(const std::string& path);
std::expected<void, Broken> check_seal(const std::string& path);

}  // namespace lab::recorder
