// SPDX-License-Identifier: Apache-2.0
// The numbers of syscalls.def by name: nr::read, nr::openat.
#pragma once

namespace lab::kernel::nr {

enum : long {
#define LAB_CALL(number, name, policy, reason) k_##name = number,
#include "harness/protocol/syscalls.def"
#undef LAB_CALL
};

}  // namespace lab::kernel::nr
