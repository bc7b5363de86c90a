// SPDX-License-Identifier: Apache-2.0
#include "src/runtime/refusals.h"

namespace mix::runtime {

std::string Refusals::to_text() const {
  std::string text;
  for (std::size_t i = 0; i < kRefusalNames.size(); ++i) {
    if (x_counts[i] == 0) continue;
    if (!text.empty()) text += ", ";
    text.append(kRefusalNames[i]).append(" ").append(std::to_string(x_counts[i]));
  }
  return text.empty() ? "none" : text;
}

}  // namespace mix::runtime
