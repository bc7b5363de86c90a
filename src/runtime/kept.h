// SPDX-License-Identifier: Apache-2.0
// The connections that all HttpClients of one program keep open between questions: one a server, so
// that a node that asks a directory for several things costs it one connection. Who asks while
// another's question is open waits for its turn. For this folder only. Threads: the loop's.
#pragma once

#include <map>
#include <string>

#include "src/runtime/event.h"
#include "src/runtime/stream.h"

namespace mix::runtime {

class Kept {
 public:
  explicit Kept(Loop& loop) : x_loop(loop) {}

  struct Server {
    explicit Server(Loop& loop) : free(loop) {}
    Stream stream;  // may be none, or closed
    bool busy = false;
    Event free;
  };
  /// By "host:port". Lives as long as the loop.
  Server& server(const std::string& authority) {
    return x_servers.try_emplace(authority, x_loop).first->second;
  }

 private:
  Loop& x_loop;
  std::map<std::string, Server> x_servers;
};

/// One question at a time: from when begin() has ended until this dies.
class Turn {
 public:
  explicit Turn(Kept::Server& server) : x_server(server) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    if (!x_mine) return;
    x_server.busy = false;
    x_server.free.notify();
  }
  Task<> begin() {
    while (x_server.busy)
      co_await x_server.free.wait();
    x_server.busy = x_mine = true;
  }

 private:
  Kept::Server& x_server;
  bool x_mine = false;
};

}  // namespace mix::runtime
