// SPDX-License-Identifier: Apache-2.0
// Rows to a SQLite file (`--record FILE`) that other programs may be writing too. A thread of its
// own does all of SQLite: put() and flush() only hand over. A batch (kBatchInterval or
// kBatchRows, whichever comes first) is one transaction. A batch that the disk refuses is counted
// as lost and said once; the next is tried again.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "src/record/hop_log.h"

namespace mix::record {

inline constexpr Duration kBatchInterval = 100ms;
inline constexpr std::size_t kBatchRows = 4096;

std::expected<std::unique_ptr<Sink>, std::string> open_sqlite_sink(const std::string& path,
                                                                   const ports::Clock& clock);

}  // namespace mix::record
