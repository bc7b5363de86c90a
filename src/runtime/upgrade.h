// SPDX-License-Identifier: Apache-2.0
// Where an HTTP connection becomes a websocket. Internal to this folder.
#pragma once

#include <optional>
#include <string>

#include "src/runtime/websocket.h"

namespace mix::runtime {

/// Answers the handshake that `request` is, the whole header as it came; nothing when it was not a
/// proper one.
Task<std::optional<WebSocket>> accept_websocket(Loop& loop, Stream stream, std::string request,
                                                WebSocketLimits limits);

}  // namespace mix::runtime
