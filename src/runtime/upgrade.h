// SPDX-License-Identifier: Apache-2.0
// Where an HTTP connection becomes a websocket. Internal to this folder (Beast's types).
#pragma once

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include "src/runtime/websocket.h"

namespace mix::runtime {

using BeastRequest = boost::beast::http::request<boost::beast::http::string_body>;

/// Answers the handshake; nothing when it was not a proper one.
Task<std::optional<WebSocket>> accept_websocket(Loop& loop, Stream stream, BeastRequest request,
                                                WebSocketLimits limits);

}  // namespace mix::runtime
