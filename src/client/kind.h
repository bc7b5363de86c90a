// SPDX-License-Identifier: Apache-2.0
// What a packet is for. Nobody but its sender may be able to tell.
#pragma once

#include <cstdint>

namespace mix::client {

enum class Kind : std::uint8_t {
  loop,   // of the loop stream, to oneself
  cover,  // of the real stream when nothing waits, to oneself
  real,   // carries what a user wrote
};

}  // namespace mix::client
