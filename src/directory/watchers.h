// SPDX-License-Identifier: Apache-2.0
// Who watches the directory: of /ws (mix reports, as in 0.4) and of /ws/live (feed.h), the latter
// from this machine or from afar. Nobody who watches is listened to.
//
// Bounds: wire::kMaxWatchers of both kinds together; a watcher that does not read is disconnected
// when wire::kMaxWatcherQueue texts or wire::kMaxWatcherQueueBytes wait for it. All who wait for a
// text share one copy of it. Threads: the loop's. Must outlive the loop's run.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "src/runtime/http_server.h"
#include "src/runtime/websocket.h"

namespace mix::directory {

/// Whom a text of /ws/live is for. Client reports stay on the machine they were made on.
enum class Audience : std::uint8_t { everyone, this_machine };

class Watchers {
 public:
  enum class Kind : std::uint8_t { reports, live };

  bool full() const;
  std::size_t size() const { return x_all.size(); }
  /// Tells `first` and then whatever comes, for as long as the watcher stays.
  runtime::Task<> serve(runtime::WebSocket socket, Kind kind, std::vector<std::string> first);

  void tell_reports(const std::string& text);
  /// `make` is called when there is somebody to hear it.
  void tell_live(Audience audience, const std::function<std::string()>& make);

 private:
  struct Watcher {
    runtime::WebSocket socket;
    Kind kind;
    bool is_local;
  };
  std::list<std::shared_ptr<Watcher>> x_all;  // in the order they came
};

}  // namespace mix::directory
