// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/plan.h"

#include <algorithm>

namespace lab::scenario {

const char* to_text(Role role) {
  switch (role) {
    case Role::directory:
      return "directory";
    case Role::mix:
      return "mix";
    case Role::provider:
      return "provider";
    case Role::client:
      return "client";
    case Role::other:
      return "other";
  }
  return "?";
}

const char* to_text(Verb verb) {
  switch (verb) {
    case Verb::crash:
      return "crash";
    case Verb::restart:
      return "restart";
    case Verb::stop:
      return "stop";
    case Verb::pause:
      return "pause";
    case Verb::resume:
      return "resume";
    case Verb::partition:
      return "partition";
    case Verb::heal:
      return "heal";
    case Verb::set_link:
      return "set-link";
    case Verb::step_clock:
      return "step-clock";
  }
  return "?";
}

bool is_own(const Program& program) {
  return program.command[0].starts_with("nym-") || program.command[0].starts_with("mixlab-");
}

bool Plan::own_programs_only() const {
  return std::ranges::all_of(programs, is_own);
}

const std::string& Plan::link_between(HostId from, HostId to) const {
  static const std::string kDefault = "default";
  const auto has = [](const std::vector<HostId>& set, HostId id) {
    return std::ranges::find(set, id) != set.end();
  };
  for (auto c = connects.rbegin(); c != connects.rend(); ++c)
    if ((has(c->from, from) && has(c->to, to)) ||
        (!c->directed && has(c->from, to) && has(c->to, from)))
      return c->link;
  return kDefault;
}

}  // namespace lab::scenario
