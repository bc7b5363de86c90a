// SPDX-License-Identifier: Apache-2.0
// Which promise this client breaks. Everything else about the mutant is in exchanged.cc.
#pragma once

#include "pytests/mutants/client/promises.h"

namespace mutants {

/// Once, before the client begins.
void set_broken(Promise promise);

}  // namespace mutants
