// SPDX-License-Identifier: Apache-2.0
// The TCP socket's language, as the original client has it: what one read brought is one request,
// what is returned is one write. Errors are bare text that an application cannot tell from data:
// the websocket is the better door, this one carries bytes.
//
//   01 recipient(32) message(1..975)   "ok"
//   02                                 u16 count, count times u16 length, the messages
//   03                                 addresses of 32 bytes, no count
//   04                                 32 bytes: our own address
//
// Bytes behind 02, 03 and 04 are ignored. No I/O. A stranger's bytes give an error text, never a
// crash. Threads: the service's.
#pragma once

#include "src/client/service.h"
#include "src/runtime/refusals.h"

namespace mix::client {

/// Errors are counted in `refusals`, if given.
Bytes answer_bytes(BytesView request, Service& service, runtime::Refusals* refusals = nullptr);

}  // namespace mix::client
