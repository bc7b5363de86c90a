// SPDX-License-Identifier: Apache-2.0
// The promises of a mix that mutant-mixnode can break, one list for flags and help. The names are
// stable: tests and scenarios use them.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace mutants {

// X(name, what the node does then)
#define MUTANT_PROMISES(X)                                                              \
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

enum class Promise {
#define X(name, what) name,
  MUTANT_PROMISES(X)
#undef X
};

struct PromiseText {
  std::string_view name;
  std::string_view what;
};
inline constexpr auto kPromises = std::to_array<PromiseText>({
#define X(name, what) {#name, what},
    MUTANT_PROMISES(X)
#undef X
});

constexpr std::optional<Promise> promise_named(std::string_view name) {
  for (std::size_t i = 0; i < kPromises.size(); ++i)
    if (kPromises[i].name == name) return static_cast<Promise>(i);
  return std::nullopt;
}

}  // namespace mutants
