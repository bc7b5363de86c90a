// SPDX-License-Identifier: Apache-2.0
// The promises of a provider that mutant-provider can break, one list for flags and help. The names
// are stable: tests and scenarios use them.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace mutants {

// X(name, what the provider does then)
#define MUTANT_PROVIDER_PROMISES(X)                                            \
  X(none, "keep them all, to see that the check passes")                       \
  X(bare_replies, "answer a pull with the messages there are, and no dummies") \
  X(forgets_tags, "know no packet from before its start")                      \
  X(deletes_early, "delete a message when it is handed out, arrived or not")   \
  X(hands_out_twice, "delete a message only when it arrived for the second time")

enum class Promise {
#define X(name, what) name,
  MUTANT_PROVIDER_PROMISES(X)
#undef X
};

struct PromiseText {
  std::string_view name;
  std::string_view what;
};
inline constexpr auto kPromises = std::to_array<PromiseText>({
#define X(name, what) {#name, what},
    MUTANT_PROVIDER_PROMISES(X)
#undef X
});

constexpr std::optional<Promise> promise_named(std::string_view name) {
  for (std::size_t i = 0; i < kPromises.size(); ++i)
    if (kPromises[i].name == name) return static_cast<Promise>(i);
  return std::nullopt;
}

}  // namespace mutants
