// SPDX-License-Identifier: Apache-2.0
#include "src/presence/names.h"

#include <algorithm>
#include <deque>
#include <set>
#include <utility>

#include "src/runtime/event.h"
#include "src/runtime/resolve.h"
#include "src/wire/limits.h"

namespace mix::presence {

/// What questions share with whoever put them; a question may be answered after many a find().
struct Names::State {
  State(runtime::Loop& of, Resolve how) : loop(of), resolve(std::move(how)), answered(of) {}

  runtime::Loop& loop;
  Resolve resolve;
  runtime::Event answered;
  std::map<std::string, Known, std::less<>> known;  // names only
  std::deque<std::string> waiting;
  std::size_t asking = 0;
};

Names::Names(runtime::Loop& loop, Resolve resolve, Duration patience)
    : x(std::make_shared<State>(loop, std::move(resolve))), x_patience(patience) {}

runtime::Task<> Names::ask(std::shared_ptr<State> state, std::string host) {
  const auto split = runtime::split_host_port(host);
  auto answer = co_await state->resolve(state->loop, split->host, split->port);
  --state->asking;
  if (const auto found = state->known.find(host); found != state->known.end()) {
    Known& known = found->second;
    known.asking = false;
    known.fresh = true;
    known.addresses = answer ? std::move(*answer) : Addresses();
  }
  state->answered.notify();
  ask_next(state);
}

void Names::ask_next(const std::shared_ptr<State>& state) {
  while (!state->waiting.empty() && state->asking < wire::kMaxNamesAsked) {
    const std::string host = std::move(state->waiting.front());
    state->waiting.pop_front();
    const auto found = state->known.find(host);
    if (found == state->known.end() || found->second.asking) continue;
    found->second.asking = true;
    found->second.asked = state->loop.now();
    ++state->asking;
    state->loop.spawn(ask(state, host));
  }
}

runtime::Task<Names::Found> Names::find(std::vector<std::string> hosts) {
  Found out;
  std::set<std::string, std::less<>> names;
  for (std::string& host : hosts) {
    if (out.addresses.contains(host)) continue;
    const auto split = runtime::split_host_port(host);
    Addresses at_once = split ? runtime::resolve_now(split->host, split->port) : Addresses();
    if (at_once.empty() && split) names.insert(host);
    out.complete = out.complete && split.has_value();
    out.addresses.emplace(std::move(host), std::move(at_once));
  }

  std::erase_if(x->known, [&](const auto& one) { return !names.contains(one.first); });
  for (const std::string& name : names)
    x->known[name].fresh = false;
  x->waiting.assign(names.begin(), names.end());
  std::ranges::stable_sort(x->waiting, {}, [&](const auto& name) { return x->known[name].asked; });
  ask_next(x);

  const auto all_fresh = [&] {
    return std::ranges::all_of(x->known, [](const auto& one) { return one.second.fresh; });
  };
  const Instant deadline = x->loop.now() + x_patience;
  while (!all_fresh()) {
    const bool in_time = co_await x->answered.wait_until(deadline);
    if (!in_time) break;
  }
  x->waiting.clear();  // what is being asked is asked on; the rest has its turn at the next find()
  for (const auto& [name, known] : x->known) {
    out.addresses[name] = known.addresses;
    out.complete = out.complete && known.fresh && !known.addresses.empty();
  }
  co_return out;
}

}  // namespace mix::presence
