// SPDX-License-Identifier: Apache-2.0
// The table syscalls.def as a value. Freestanding: the kernel library includes it.
#pragma once

#include <stdint.h>

namespace lab {

enum class Policy : uint8_t { refuse, simulate, pass };

struct CallRule {
  uint16_t number;
  Policy policy;
  const char* name;
  const char* reason;
};

inline constexpr CallRule kCallRules[] = {
#define LAB_CALL(number, name, policy, reason) {number, Policy::policy, #name, reason},
#include "harness/protocol/syscalls.def"
#undef LAB_CALL
};
inline constexpr uint32_t kCallRuleCount = sizeof(kCallRules) / sizeof(kCallRules[0]);

/// nullptr for a number that is not in the table.
constexpr const CallRule* rule_of(int64_t number) {
  // The table is sorted and dense up to 334: most look-ups hit at their own index.
  if (number >= 0 && number < kCallRuleCount && kCallRules[number].number == number)
    return &kCallRules[number];
  for (const CallRule& rule : kCallRules)
    if (rule.number == number) return &rule;
  return nullptr;
}
constexpr const char* call_name(int64_t number) {
  const CallRule* rule = rule_of(number);
  return rule ? rule->name : "call outside the table";
}

}  // namespace lab
