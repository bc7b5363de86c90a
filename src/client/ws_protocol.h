// SPDX-License-Identifier: Apache-2.0
// The websocket's language: one JSON text asks, one JSON text answers, fields and error texts as
// the original client has them. Unknown fields are ignored. A message that is not UTF-8 is fetched
// as "", because JSON cannot carry it: use the TCP socket for bytes.
//
// No I/O; whoever owns the connection keeps requests below wire::kMaxWebsocketMessageBytes.
// A stranger's text gives an error reply, never a crash. Threads: the service's.
#pragma once

#include <string>
#include <string_view>

#include "src/client/service.h"
#include "src/runtime/refusals.h"

namespace mix::client {

/// Error replies are counted in `refusals`, if given.
std::string answer_json(std::string_view request, Service& service,
                        runtime::Refusals* refusals = nullptr);

/// The close reason of a binary message (with code 1003).
inline constexpr const char* kBinaryRefused = "binary messages aren't yet supported";

/// Well-formed UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(BytesView bytes);

}  // namespace mix::client
