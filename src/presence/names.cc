// SPDX-License-Identifier: Apache-2.0
#include "src/presence/names.h"

#include <utility>

#include "src/runtime/event.h"
#include "src/runtime/resolve.h"
#include "src/wire/limits.h"

namespace mix::presence {

/// What questions share with whoever put them; a question may be answered after many a find().
struct Names::State {
  State(runtime::Loop& of, Resolve how, Duration patience)
      : loop(of), resolve(std::move(how)), answered(of), book(patience) {}

  runtime::Loop& loop;
  Resolve resolve;
  runtime::Event answered;
  NameBook book;  // names only
};

Names::Names(runtime::Loop& loop, Resolve resolve, Duration patience)
    : x(std::make_shared<State>(loop, std::move(resolve), patience)), x_patience(patience) {}

runtime::Task<> Names::ask(std::shared_ptr<State> state, std::string host) {
  const auto split = runtime::split_host_port(host);
  auto answer = co_await state->resolve(state->loop, split->host, split->port);
  const Instant now = state->loop.now();
  state->book.answered(host, answer ? std::move(*answer) : Addresses(), now);
  state->answered.notify();
  ask_next(state, now);
}

void Names::ask_next(const std::shared_ptr<State>& state, Instant now) {
  while (auto host = state->book.next(now))
    state->loop.spawn(ask(state, std::move(*host)));
}

runtime::Task<Names::Found> Names::find(std::vector<std::string> hosts) {
  Found out;
  std::vector<std::string> names;
  for (std::string& host : hosts) {
    if (out.addresses.contains(host)) continue;
    const auto split = runtime::split_host_port(host);
    Addresses at_once = split ? runtime::resolve_now(split->host, split->port) : Addresses();
    if (at_once.empty() && split) names.push_back(host);
    out.complete = out.complete && split.has_value();
    out.addresses.emplace(std::move(host), std::move(at_once));
  }

  const Instant began = x->loop.now();
  x->book.list(names, began);
  ask_next(x, began);
  for (Instant now = began; !x->book.settled(now); now = x->loop.now()) {
    const bool in_time = co_await x->answered.wait_until(began + x_patience);
    if (!in_time) break;
  }
  for (const std::string& name : names)
    out.addresses[name] = x->book.addresses_of(name);
  out.complete = out.complete && x->book.complete() && names.size() <= wire::kMaxNamesListed;
  co_return out;
}

}  // namespace mix::presence
