// SPDX-License-Identifier: Apache-2.0
// Hears from a directory who is in: at start, then every few seconds with If-None-Match (every
// second while the network is still coming together), and at once when asked, but at most once a
// second. The last good topology stays in force whatever the
// directory does; an outage is said once. Names of mixes are resolved here, every address kept, so
// that what decides about packets compares addresses and never waits.
//
// An entry nobody can use is skipped and counted; entries that left are gone from the next view
// (whoever wants to remember them longer does). Threads: the loop's. Must outlive the loop's run().
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "src/prelude/instant.h"
#include "src/runtime/event.h"
#include "src/runtime/http_client.h"
#include "src/runtime/loop.h"
#include "src/runtime/stream.h"
#include "src/topology/topology.h"

namespace mix::presence {

/// One topology with its names resolved. Never changes once it is handed out.
struct View {
  topology::Topology topology;
  /// Of every `host` and listener in it, in the resolver's order; empty when a name did not
  /// resolve.
  std::map<std::string, std::vector<runtime::Address>, std::less<>> addresses;
  std::uint64_t number = 0;  // 1 for the first, then one more for each that differs

  const std::vector<runtime::Address>& addresses_of(std::string_view host) const;
};

class Watcher {
 public:
  struct Options {
    std::string directory;
    Duration interval = 5s;
    Duration refresh_gap = 1s;
  };
  Watcher(runtime::Loop& loop, Options options);
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  /// Once. `on_view` (may be empty) is called in the loop's thread for the first view and for each
  /// that differs from the one before.
  void start(std::function<void(const std::shared_ptr<const View>&)> on_view = {});
  /// Null until the first good answer.
  std::shared_ptr<const View> view() const { return x_view; }
  /// Asks soon, unless asked within the last second; then when that is over. Cheap, at any rate.
  void refresh_soon();
  /// When the last good answer came (also one that said "unchanged"); nothing before the first.
  std::optional<Instant> heard() const { return x_heard; }

 private:
  runtime::Task<> run();
  runtime::Task<> fetch();
  runtime::Task<> take(const std::string& body, const std::string& etag);
  void complain(const std::string& why);

  runtime::Loop& x_loop;
  Options x_options;
  runtime::HttpClient x_client;
  runtime::Event x_wake;
  std::function<void(const std::shared_ptr<const View>&)> x_on_view;
  std::shared_ptr<const View> x_view;
  std::string x_etag;
  std::optional<Instant> x_heard;
  bool x_wanted = false;
  bool x_outage = false;
  std::string x_last_problem;
};

}  // namespace mix::presence
