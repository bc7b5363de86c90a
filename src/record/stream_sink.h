// SPDX-License-Identifier: Apache-2.0
// Rows to an inherited descriptor (`--record fd:N`) as record_stream.h says: one write(2) for the
// rows of a turn, no thread. The descriptor is made non-blocking; what it does not take waits in
// memory (at most kMaxWaitingBytes) for the next turn that has rows, or for close().
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "src/record/hop_log.h"

namespace mix::record {

std::expected<std::unique_ptr<Sink>, std::string> open_stream_sink(int fd);

}  // namespace mix::record
