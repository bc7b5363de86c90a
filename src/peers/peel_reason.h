// SPDX-License-Identifier: Apache-2.0
// What a failed peel is called where packets are counted.
#pragma once

#include "src/record/drop_reason.h"
#include "src/sphinx/errors.h"

namespace mix::peers {

record::DropReason reason_of(sphinx::PeelError error);

}  // namespace mix::peers
