// SPDX-License-Identifier: Apache-2.0
#include "src/record/drop_reason.h"

#include <algorithm>
#include <numeric>

namespace mix::record {
namespace {

constexpr auto kMeanings = std::to_array<std::string_view>({
#define X(name, meaning) meaning,
    MIX_DROP_REASONS(X)
#undef X
});

}  // namespace

std::string_view meaning_of(DropReason reason) {
  return kMeanings[static_cast<std::size_t>(reason)];
}

std::optional<DropReason> drop_reason_named(std::string_view name) {
  const auto found = std::ranges::find(kDropReasonNames, name);
  if (found == kDropReasonNames.end()) return std::nullopt;
  return static_cast<DropReason>(found - kDropReasonNames.begin());
}

std::uint64_t DropCounts::total() const {
  return std::accumulate(x_counts.begin(), x_counts.end(), std::uint64_t{0});
}

std::string DropCounts::to_text() const {
  std::string text;
  for (std::size_t i = 0; i < kDropReasons; ++i) {
    if (x_counts[i] == 0) continue;
    if (!text.empty()) text += ", ";
    text.append(kDropReasonNames[i]).append(" ").append(std::to_string(x_counts[i]));
  }
  return text.empty() ? "none" : text;
}

}  // namespace mix::record
