// SPDX-License-Identifier: Apache-2.0
// The promises of a client that mutant-client can break.
#pragma once

#include "pytests/mutants/promise/promise.h"

// X(name, what the client does then)
#define MUTANT_CLIENT_PROMISES(X)                                                            \
  X(none, "keep them all, to see that the check passes")                                     \
  X(loop_mean, "ask mixes to hold loops three times as long as anything else")               \
  X(cut_delays, "never ask a mix for more than twice the mean delay")                        \
  X(even_delays, "draw delays evenly between nothing and twice the mean")                    \
  X(sleep_after_send, "count the next gap from a moment after the packet, a tenth of a gap") \
  X(metronome, "send at even gaps")                                                          \
  X(bunches, "send what fell due in the last 50 ms in one go")                               \
  X(catch_up, "make up for packets that were missed while it stood still")                   \
  X(other_routes, "draw routes of real packets from a generator of their own")               \
  X(eager, "send a user's message at once")                                                  \
  X(repeats, "let another packet follow each real one, as a retransmission would")           \
  X(hesitates, "send nothing for 30 ms after it answered its user")                          \
  X(pulls_on_fetch, "ask the provider once more when its user asked for what came")          \
  X(own_connections, "send each real packet on a connection of its own, and close it")

MUTANT_PROMISES_OF(MUTANT_CLIENT_PROMISES)
