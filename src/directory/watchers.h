// SPDX-License-Identifier: Apache-2.0
// Who watches the directory: of /ws (mix reports, as in 0.4) and of /ws/live (feed.h), the latter
// from this machine or from afar. Nobody who watches is listened to.
//
// Bounds: wire::kMaxWatchers of both kinds together; of each, wire::kMaxWatcherQueue texts or
// wire::kMaxWatcherQueueBytes wait. Whoever is slower than what happens misses what comes until he
// has read those; then a watcher of /ws/live is told how much that was, and everything that a
// newcomer is told. Who reads nothing at all is ended by the socket's pings. All who wait for a
// text share one copy of it. Threads: the loop's. Must outlive the loop's run.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "src/directory/pace.h"
#include "src/runtime/http_server.h"
#include "src/runtime/websocket.h"
#include "src/wire/limits.h"

namespace mix::directory {

/// Whom a text of /ws/live is for. Client reports stay on the machine they were made on.
enum class Audience : std::uint8_t { everyone, this_machine };
/// Whether each is told, or so many a second and then their number: a stranger's refusals.
enum class Telling : std::uint8_t { each, paced };

class Watchers {
 public:
  enum class Kind : std::uint8_t { reports, live };
  /// What a newcomer to /ws/live is told first.
  using Opening = std::function<std::vector<std::string>(bool is_local)>;

  Watchers(runtime::Loop& loop, Opening opening)
      : x_loop(loop), x_opening(std::move(opening)), x_refusals(wire::kMaxRefusalsTold) {}

  bool full() const;
  std::size_t size() const { return x_all.size(); }
  /// Tells the opening, if any, and then whatever comes, for as long as the watcher stays.
  runtime::Task<> serve(runtime::WebSocket socket, Kind kind, bool is_local);

  void tell_reports(const std::string& text);
  /// `make` is called when there is somebody to hear it.
  void tell_live(Audience audience, Telling telling, const std::function<std::string()>& make);

 private:
  using Text = std::shared_ptr<const std::string>;
  struct Watcher {
    runtime::WebSocket socket;
    Kind kind;
    bool is_local;
    Instant opened{};          // when it was last told the opening
    std::uint64_t missed = 0;  // since its queue was full; nothing is queued until it is empty
  };
  using Held = std::shared_ptr<Watcher>;

  bool keeps_pace(Telling telling);
  void tell_more();
  void tell(const Held& watcher, const Text& text);
  runtime::Task<> catch_up(Held watcher);

  runtime::Loop& x_loop;
  Opening x_opening;
  Pace x_refusals;
  std::list<Held> x_all;  // in the order they came
};

}  // namespace mix::directory
