// SPDX-License-Identifier: Apache-2.0
#include "src/presence/watcher.h"

#include <algorithm>
#include <utility>

#include "src/prelude/log.h"
#include "src/presence/announcer.h"

namespace mix::presence {
namespace {

std::vector<std::string> hosts_of(const topology::Topology& topology) {
  std::vector<std::string> out;
  for (const auto& mix : topology.mixes())
    out.push_back(mix.host);
  for (const auto& provider : topology.providers()) {
    out.push_back(provider.mixnet_listener);
    out.push_back(provider.client_listener);
  }
  return out;
}

/// Two views differ when anything but the time of the last presence does.
bool same_but_for_time(const topology::Topology& a, const topology::Topology& b) {
  const auto like = [](const auto& x, const auto& y) { return topology::same_claim(x, y); };
  return std::ranges::equal(a.mixes(), b.mixes(), like) &&
         std::ranges::equal(a.providers(), b.providers(), like) &&
         std::ranges::equal(a.cocos(), b.cocos(), like);
}

}  // namespace

const Addresses& View::addresses_of(std::string_view host) const {
  static const Addresses none;
  const auto at = addresses.find(host);
  return at == addresses.end() ? none : at->second;
}

Watcher::Watcher(runtime::Loop& loop, Options options)
    : x_loop(loop),
      x_options(std::move(options)),
      x_client(loop, x_options.directory, {.time_out = 10s, .max_body = wire::kMaxTopologyBytes}),
      x_names(loop, x_options.resolve, x_options.patience),
      x_wake(loop) {}

void Watcher::start(std::function<void(const std::shared_ptr<const View>&)> on_view,
                    std::function<void(Instant)> on_answer) {
  x_on_view = std::move(on_view);
  x_on_answer = std::move(on_answer);
  x_loop.spawn(run());
}

void Watcher::refresh_soon() {
  if (std::exchange(x_wanted, true)) return;
  x_wake.notify();
}

runtime::Task<> Watcher::run() {
  Instant next = x_loop.now();
  // A network usually starts together: until everybody has had two chances to announce, a topology
  // is likely to lack a neighbour, and without one nothing can be sent at all.
  const Instant settled = next + 2 * x_options.interval;
  const Duration early = std::min(x_options.interval, x_options.refresh_gap);
  for (;;) {
    const Instant asked = x_loop.now();
    x_wanted = false;
    co_await fetch();
    // The timetable stands, whatever was asked for in between.
    while (next <= x_loop.now())
      next += x_view && next >= settled ? x_options.interval : early;
    while (!x_wanted && x_loop.now() < next)
      co_await x_wake.wait_until(next);
    if (x_loop.now() < asked + x_options.refresh_gap)
      co_await x_loop.sleep_until(std::min(next, asked + x_options.refresh_gap));
  }
}

runtime::Task<> Watcher::fetch() {
  const Instant asked = x_loop.now();
  const auto answer = co_await x_client.get(kTopologyPath, x_etag);
  if (!answer) co_return complain(answer.error());
  const std::string problem = co_await listen_to(*answer);
  if (!problem.empty()) co_return complain(problem);
  x_heard = x_loop.now();
  if (std::exchange(x_outage, false))
    log::info("topology: ", x_options.directory, " answers again");
  if (x_on_answer) x_on_answer(asked);
}

/// Answers what was wrong with it, or nothing.
runtime::Task<std::string> Watcher::listen_to(const runtime::HttpAnswer& answer) {
  if (answer.status == 304 && x_view) co_return "";
  if (answer.status != 200) co_return "status " + std::to_string(answer.status);
  co_return co_await take(answer.body, answer.etag);
}

runtime::Task<std::string> Watcher::take(const std::string& body, const std::string& etag) {
  auto read = topology::topology_from_json(body, x_options.accounts);
  if (!read) co_return read.error();
  auto view = std::make_shared<View>();
  view->topology = std::move(read->topology);
  view->accounts = read->accounts;
  Names::Found found = co_await x_names.find(hosts_of(view->topology));
  view->addresses = std::move(found.addresses);
  // A name that did not resolve is asked for again next time, though the topology be the same.
  x_etag = found.complete ? etag : std::string();
  if (read->skipped > 0 && read->first_problem != x_last_problem)
    log::warn("topology: skipped ", read->skipped, " entries nobody can use, the first being ",
              read->first_problem);
  x_last_problem = read->first_problem;
  if (x_view && same_but_for_time(x_view->topology, view->topology) &&
      x_view->accounts == view->accounts && x_view->addresses == view->addresses)
    co_return "";
  view->number = x_view ? x_view->number + 1 : 1;
  x_view = std::move(view);
  if (x_on_view) x_on_view(x_view);
  co_return "";
}

void Watcher::complain(const std::string& why) {
  if (std::exchange(x_outage, true)) return;
  log::warn("topology: nothing from ", x_options.directory, ": ", why,
            x_view ? "; the last one stays in force" : "; waiting for the first");
}

}  // namespace mix::presence
