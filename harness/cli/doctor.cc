// SPDX-License-Identifier: Apache-2.0
// What this machine can and cannot make deterministic, and every system call's policy.
#include <boost/json.hpp>
#include <iostream>

#include "harness/cli/commands.h"
#include "harness/controller/controller.h"
#include "harness/protocol/syscalls.h"

namespace lab::cli {
namespace {

namespace json = boost::json;

const char* to_text(Policy policy) {
  return policy == Policy::simulate ? "simulate" : policy == Policy::pass ? "pass" : "refuse";
}

int list_calls(bool as_json) {
  json::array all;
  for (const CallRule& rule : kCallRules) {
    if (as_json) {
      all.push_back(json::object{{"number", rule.number},
                                 {"name", rule.name},
                                 {"policy", to_text(rule.policy)},
                                 {"reason", rule.reason}});
      continue;
    }
    std::cout << rule.number << "\t" << to_text(rule.policy) << "\t" << rule.name << "\t"
              << rule.reason << "\n";
  }
  if (as_json)
    std::cout << json::serialize(all) << "\n";
  else
    std::cout << "(a number that is not listed is refused)\n";
  return kHolds;
}

}  // namespace

int doctor(bool calls, bool as_json) {
  if (calls) return list_calls(as_json);
  json::array all;
  for (const controller::Ability& ability : controller::probe_machine()) {
    if (as_json)
      all.push_back(json::object{{"name", ability.name},
                                 {"available", ability.available},
                                 {"detail", ability.detail},
                                 {"advice", ability.advice}});
    else
      std::cout << (ability.available ? "yes   " : "open  ") << ability.name << ": "
                << ability.detail << "\n"
                << (ability.advice.empty() ? "" : "      What to do: " + ability.advice + ".\n");
  }
  if (as_json) std::cout << json::serialize(all) << "\n";
  return kHolds;
}

}  // namespace lab::cli
