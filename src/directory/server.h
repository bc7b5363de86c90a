// SPDX-License-Identifier: Apache-2.0
// The directory on the network: routes, CORS, the dashboard's files, the watchers of /ws and
// /ws/live, and the timer by which entries expire though nobody asks.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "src/directory/directory.h"
#include "src/directory/watchers.h"
#include "src/runtime/http_server.h"
#include "src/runtime/loop.h"
#include "src/wire/limits.h"

namespace mix::directory {

class Server {
 public:
  /// A watcher that reads nothing is let go after up to two `ping_interval`s.
  Server(runtime::Loop& loop, Directory::Tell console,
         Duration ping_interval = wire::kWatcherPingInterval);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::expected<void, std::string> listen(runtime::Address at) { return x_http.listen(at); }
  runtime::Address local() const { return x_http.local(); }
  std::size_t watchers() const { return x_watchers.size(); }

 private:
  void routes();
  void watching(Duration ping_interval);
  Directory::Reply plain_page(const Directory::Request& request);
  void expect_expiry();

  runtime::Loop& x_loop;
  Watchers x_watchers;
  Directory x_directory;
  bool x_expiry_set = false;
  std::optional<Directory::Reply> x_plain;  // its text is shared by everybody who asks for it
  Instant x_plain_made;
  runtime::HttpServer x_http;
};

}  // namespace mix::directory
