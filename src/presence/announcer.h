// SPDX-License-Identifier: Apache-2.0
// Says to a directory "I am here": at start and then every five seconds, on a fixed timetable.
//
// A directory that does not answer, or refuses, is said once per outage in the log, and once more
// when it takes the presence again; it never stops a node. Nothing is unsaid at the end: the entry
// expires. Threads: the loop's. Must outlive the loop's run().
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "src/prelude/instant.h"
#include "src/runtime/http_client.h"
#include "src/runtime/loop.h"

namespace mix::presence {

class Announcer {
 public:
  struct Options {
    std::string directory;  // "http://localhost:8080", checked (settings.h)
    std::string path;       // "/api/presence/mixnodes"
    std::string what;       // for the log: "presence"
    Duration interval = 5s;
    bool at_once = true;  // the first post at start; else after one interval
  };
  /// `body` makes the JSON of each post; an empty one is not posted.
  Announcer(runtime::Loop& loop, Options options, std::function<std::string()> body);
  Announcer(const Announcer&) = delete;
  Announcer& operator=(const Announcer&) = delete;

  /// Once.
  void start();
  /// Posts taken by the directory so far.
  std::uint64_t taken() const { return x_taken; }

 private:
  runtime::Task<> run();
  runtime::Task<> post();

  runtime::Loop& x_loop;
  Options x_options;
  std::function<std::string()> x_body;
  runtime::HttpClient x_client;
  bool x_outage = false;
  std::uint64_t x_taken = 0;
};

inline constexpr const char* kMixPresencePath = "/api/presence/mixnodes";
inline constexpr const char* kProviderPresencePath = "/api/presence/mixproviders";
inline constexpr const char* kMixMetricsPath = "/api/metrics/mixes";
inline constexpr const char* kClientMetricsPath = "/api/metrics/clients";
inline constexpr const char* kTopologyPath = "/api/presence/topology";

}  // namespace mix::presence
