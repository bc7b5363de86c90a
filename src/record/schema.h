// SPDX-License-Identifier: Apache-2.0
// The text of schema.sql, and what it takes to make a recording of it or to open one.
//
// Errors name the file. Threads: none of its own.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "src/ports/clock.h"
#include "src/sqlite/database.h"

namespace mix::record {

/// schema.sql, whole.
extern const std::string_view kSchema;
inline constexpr std::int64_t kSchemaVersion = 1;
inline constexpr std::string_view kToolVersion = "mixlab 0.1.0";

/// Opens the recording of a run on the system's clocks, to add rows. Where there is no file, or an
/// empty one, makes it (0600, WAL, pages of 16 KiB), with the row of `run`; several programs may
/// do so at once. Refused: a file that is no recording, or one of another version, or one begun
/// before this machine was started.
std::expected<sqlite::Database, std::string> open_recording(const std::string& path,
                                                            const ports::Clock& clock);

}  // namespace mix::record
