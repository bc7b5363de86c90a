// SPDX-License-Identifier: Apache-2.0
// "mix@layer2", "any(mix, 2)", "client-0.talk": from words to hosts and programs of a plan.
//
//   list     = one {"," one}
//   one      = "*" | role | role "[" n "]" | role "@layer" n | "any(" one ["," n] ")" | name
//   wires    = "link(" list "->" list ")"
//
// A role is directory, mix, provider or client; a name is a host's or a program's. What is chosen
// comes in the plan's order, each once; any() draws from the stream it is handed. Pure.
#pragma once

#include "harness/model/stream.h"
#include "harness/scenario/plan.h"
#include "harness/scenario/units.h"

namespace lab::scenario {

struct Selection {
  std::vector<HostId> hosts;
  std::vector<NodeId> programs;  // named themselves; of a host that is named, none are listed
  std::string text;              // the selector with its random choices written out
  bool random = false;           // there was an any()
};

struct Wires {
  Selection from, to;
};

Read<Selection> select(const Plan& plan, std::string_view selector, Stream& chance);
bool is_wires(std::string_view selector);
Read<Wires> select_wires(const Plan& plan, std::string_view selector, Stream& chance);

}  // namespace lab::scenario
