// SPDX-License-Identifier: Apache-2.0
// The directory on the network: routes, CORS, the watchers of /ws, and the timer by which entries
// expire though nobody asks.
#pragma once

#include <cstdint>
#include <expected>
#include <list>
#include <memory>
#include <string>

#include "src/directory/directory.h"
#include "src/runtime/http_server.h"
#include "src/runtime/loop.h"
#include "src/runtime/websocket.h"

namespace mix::directory {

class Server {
 public:
  Server(runtime::Loop& loop, Directory::Tell console);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::expected<void, std::string> listen(runtime::Address at) { return x_http.listen(at); }
  runtime::Address local() const { return x_http.local(); }
  std::size_t watchers() const { return x_watchers.size(); }

 private:
  using Watchers = std::list<std::shared_ptr<runtime::WebSocket>>;

  void routes();
  void tell_watchers(const std::string& text);
  runtime::Task<> watch(runtime::WebSocket socket);
  void expect_expiry();

  runtime::Loop& x_loop;
  Directory x_directory;
  Watchers x_watchers;  // in the order they came
  bool x_expiry_set = false;
  runtime::HttpServer x_http;
};

}  // namespace mix::directory
