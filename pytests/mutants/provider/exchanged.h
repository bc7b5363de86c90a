// SPDX-License-Identifier: Apache-2.0
// Which promise this provider breaks. Everything else about the mutant is in exchanged.cc.
#pragma once

#include "pytests/mutants/provider/promises.h"

namespace mutants {

/// Once, before the provider begins.
void set_broken(Promise promise);

}  // namespace mutants
