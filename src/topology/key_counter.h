// SPDX-License-Identifier: Apache-2.0
// How many keys the objects of a JSON text have, before any of them is stored: for a text that a
// stranger wrote.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace mix::topology {

/// Objects may have so many keys; one of a text may have more (a mix's report: its next hops).
inline constexpr std::size_t kFewKeys = 64;

/// What is wrong with the text, for people, when one of its objects has more than `most` keys, or
/// two have more than kFewKeys; whatever else is wrong with it, others say.
std::optional<std::string> too_many_keys(std::string_view text, std::size_t most = kFewKeys);

}  // namespace mix::topology
