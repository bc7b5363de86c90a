// SPDX-License-Identifier: Apache-2.0
// What the mutants share: each has one list of the promises that it can break, from which come an
// enumeration, the texts for its help, and the way from a name to a promise.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mutants {

struct PromiseText {
  std::string_view name;
  std::string_view what;  // the mutant does then
};

/// The place of that name in the list.
std::optional<std::size_t> place_of(std::span<const PromiseText> promises, std::string_view name);

/// A line for each, for a help text.
std::string lines_of(std::span<const PromiseText> promises);

/// For a program whose command line is `--break NAME` and then another's: the place of the promise,
/// or nothing, and then the usage has been said.
struct Words {
  std::string_view mutant, original;
  std::string_view kind;  // "A client"
};
std::optional<std::size_t> asked_to_break(int argc, char** argv, const Words& words,
                                          std::span<const PromiseText> promises);

}  // namespace mutants

#define MUTANT_NAME(name, what) name,
#define MUTANT_TEXT(name, what) {#name, what},

/// Of a list of X(name, what it does then). The names are stable: tests and scenarios use them.
#define MUTANT_PROMISES_OF(LIST)                                                     \
  namespace mutants {                                                                \
  enum class Promise { LIST(MUTANT_NAME) };                                          \
  inline constexpr auto kPromises = std::to_array<PromiseText>({LIST(MUTANT_TEXT)}); \
  inline std::optional<Promise> promise_named(std::string_view name) {               \
    const auto place = place_of(kPromises, name);                                    \
    return place ? std::optional(static_cast<Promise>(*place)) : std::nullopt;       \
  }                                                                                  \
  }
