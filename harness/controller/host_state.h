// SPDX-License-Identifier: Apache-2.0
// What the programs of one host share (kernel/state.h, Host), as bytes: the ports, file numbers and
// locks in use, and the counters. It is what a program can learn of its sisters without a message;
// fed back, it stands for them when one program runs alone (replay/solo.h).
//
// Left out: virtual files (the scenario's) and what the real file system calls a file, which is
// another in another run. Format: the tables' own layout, so a recording is read by the build that
// shares contract.h's version. Pure; one thread.
#pragma once

#include <vector>

#include "harness/kernel/state.h"
#include "harness/protocol/observer.h"

namespace lab::controller {

/// Replaces `out`.
void pack(const kernel::Host& host, mix::Bytes& out);
std::vector<FileNumber> file_numbers(const kernel::Host& host);

/// False: these are no such bytes; the host is then unchanged. File numbers that the host knows
/// already keep their real file; of the others, `files` tells it (else they match no file).
bool unpack(mix::BytesView bytes, std::span<const FileNumber> files, kernel::Host& host);

}  // namespace lab::controller
