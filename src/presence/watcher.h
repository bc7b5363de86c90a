// SPDX-License-Identifier: Apache-2.0
// Hears from a directory who is in: at start, then every few seconds with If-None-Match (every
// second while the network is still coming together), and at once when asked, but at most once a
// second. The last good topology stays in force whatever the
// directory does; an outage is said once. Names of mixes are resolved here (names.h), every address
// kept, so that what decides about packets compares addresses and never waits.
//
// An entry nobody can use is skipped and counted; entries that left are gone from the next view
// (whoever wants to remember them longer does). Threads: the loop's. Must outlive the loop's run().
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "src/prelude/instant.h"
#include "src/presence/names.h"
#include "src/runtime/event.h"
#include "src/runtime/http_client.h"
#include "src/runtime/loop.h"
#include "src/runtime/resolve.h"
#include "src/runtime/stream.h"
#include "src/topology/json.h"
#include "src/topology/topology.h"
#include "src/wire/limits.h"

namespace mix::presence {

/// One topology with its names resolved. Never changes once it is handed out.
struct View {
  topology::Topology topology;
  /// Of every `host` and listener in it, in the resolver's order; empty when a name did not
  /// resolve (in time).
  AddressBook addresses;
  std::size_t accounts = 0;  // registered clients of all providers, also if they were left out
  std::uint64_t number = 0;  // 1 for the first, then one more for each that differs

  const Addresses& addresses_of(std::string_view host) const;
};

class Watcher {
 public:
  struct Options {
    std::string directory;
    Duration interval = 5s;
    Duration refresh_gap = 1s;
    /// Left out, registered clients are in the view as a number only.
    topology::Accounts accounts = topology::Accounts::read;
    Names::Resolve resolve = runtime::resolve;
    Duration patience = wire::kResolvePatience;
  };
  Watcher(runtime::Loop& loop, Options options);
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  /// Once. `on_view` (may be empty) is called in the loop's thread for the first view and for each
  /// that differs from the one before; `on_answer` after it, for every good answer, with the time
  /// at which the directory was asked.
  void start(std::function<void(const std::shared_ptr<const View>&)> on_view = {},
             std::function<void(Instant)> on_answer = {});
  /// Null until the first good answer.
  std::shared_ptr<const View> view() const { return x_view; }
  /// Asks soon, unless asked within the last second; then when that is over. Cheap, at any rate.
  void refresh_soon();
  /// When the last good answer came (also one that said "unchanged"); nothing before the first.
  std::optional<Instant> heard() const { return x_heard; }

 private:
  runtime::Task<> run();
  runtime::Task<> fetch();
  runtime::Task<std::string> listen_to(const runtime::HttpAnswer& answer);
  runtime::Task<std::string> take(const std::string& body, const std::string& etag);
  void complain(const std::string& why);

  runtime::Loop& x_loop;
  Options x_options;
  runtime::HttpClient x_client;
  Names x_names;
  runtime::Event x_wake;
  std::function<void(const std::shared_ptr<const View>&)> x_on_view;
  std::function<void(Instant)> x_on_answer;
  std::shared_ptr<const View> x_view;
  std::string x_etag;
  std::optional<Instant> x_heard;
  bool x_wanted = false;
  bool x_outage = false;
  std::string x_last_problem;
};

}  // namespace mix::presence
