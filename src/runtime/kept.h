// SPDX-License-Identifier: Apache-2.0
// The connections that all HttpClients of one program keep open between questions: one a server, so
// that a node that asks a directory for several things costs it one connection. For this folder
// only. Threads: the loop's.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "src/runtime/stream.h"

namespace mix::runtime {

class Kept {
 public:
  /// The one to that server ("host:port") that nobody uses now; none: it has to be made.
  Stream take(const std::string& server) {
    const auto found = x_idle.find(server);
    return found == x_idle.end() ? Stream() : std::exchange(found->second, Stream());
  }
  /// It is kept if there is none; else it is closed.
  void give(const std::string& server, Stream stream) {
    Stream& place = x_idle[server];
    if (!place || !place.is_open()) place = std::move(stream);
  }

 private:
  std::map<std::string, Stream> x_idle;
};

}  // namespace mix::runtime
