// SPDX-License-Identifier: Apache-2.0
// The promises of a mix that mutant-mixnode can break.
#pragma once

#include "pytests/mutants/promise/promise.h"

// X(name, what the node does then)
#define MUTANT_MIXNODE_PROMISES(X)                                                      \
  X(none, "keep them all, to see that the check passes")                                \
  X(layer_order, "send to whatever next hop the header names")                          \
  X(replay, "take packets it has taken before")                                         \
  X(tag_of_alpha, "know packets by the bytes of alpha: a flipped bit 255 is news")      \
  X(tag_before_mac, "remember a packet before its MAC was checked: forgeries poison")   \
  X(whole_reads, "take one read for one packet")                                        \
  X(early, "send after nine tenths of the delay")                                       \
  X(no_hold, "send at once, whatever the delay")                                        \
  X(coarse_timer, "round the end of a delay up to 10 ms")                               \
  X(silent_drop, "let every 10th packet vanish, without a record")                      \
  X(forgotten_row, "send every 10th packet without recording it")                       \
  X(false_row, "record every 10th packet as sent, and do not send it")                  \
  X(duplicate, "send every packet twice")                                               \
  X(tagging, "flip a bit of every payload")                                             \
  X(plain_payload, "send the payload as it came, undecrypted")                          \
  X(leak_address, "let the delay depend on where its memory lies: runs stop repeating") \
  X(leak_counter, "let the delay depend on the processor's cycle counter")

MUTANT_PROMISES_OF(MUTANT_MIXNODE_PROMISES)
