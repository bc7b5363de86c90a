// SPDX-License-Identifier: Apache-2.0
// Inboxes and outboxes in words, for people who look at one activation.
#pragma once

#include <string>
#include <vector>

#include "src/prelude/bytes.h"
#include "src/sqlite/database.h"

namespace lab::replay {

/// One line for each entry of an inbox or outbox (contract.h): "data on socket 5: 1372 bytes,
/// a1b2...". Written text is shown as text.
std::vector<std::string> words_of(mix::BytesView box);
/// Bytes of streams in an inbox.
std::size_t stream_bytes(mix::BytesView inbox);
/// What the recording tells of a node's output in an activation at that time: segments, log lines,
/// hop records. Throws judge::QueryFailed.
std::vector<std::string> recorded_outputs(mix::sqlite::Database& db, std::int64_t node,
                                          std::int64_t time_ns);

}  // namespace lab::replay
