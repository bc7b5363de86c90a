// SPDX-License-Identifier: Apache-2.0
// Lets libsodium choose its fast implementations for this machine's CPU, once. Every entry into it
// from this folder comes through here, so no program has to remember to. Any thread.
#pragma once

namespace mix::crypto {

void ready();

}  // namespace mix::crypto
