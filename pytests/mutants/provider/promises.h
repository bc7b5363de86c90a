// SPDX-License-Identifier: Apache-2.0
// The promises of a provider that mutant-provider can break.
#pragma once

#include "pytests/mutants/promise/promise.h"

// X(name, what the provider does then)
#define MUTANT_PROVIDER_PROMISES(X)                                            \
  X(none, "keep them all, to see that the check passes")                       \
  X(bare_replies, "answer a pull with the messages there are, and no dummies") \
  X(forgets_tags, "know no packet from before its start")                      \
  X(deletes_early, "delete a message when it is handed out, arrived or not")   \
  X(hands_out_twice, "delete a message only when it arrived for the second time")

MUTANT_PROMISES_OF(MUTANT_PROVIDER_PROMISES)
