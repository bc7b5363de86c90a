// SPDX-License-Identifier: Apache-2.0
// The two doors of a running client on 127.0.0.1: a websocket (JSON texts) and a bare TCP socket.
// What is said through them is in ws_protocol.h and tcp_protocol.h.
//
// A web page may open a websocket to any address: a handshake whose Origin is not this machine's
// own is refused with 403, unless that origin was allowed by name. Programs send no Origin.
// Bounds: connections (who is in stays in, the one too many is closed), bytes of a request, replies
// queued, time to take a reply. Threads: the loop's.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "src/client/service.h"
#include "src/runtime/http_server.h"
#include "src/runtime/loop.h"
#include "src/runtime/stream.h"

namespace mix::client {

/// Port 0 takes a free one: see local(). The error names the address.
class WebsocketApi {
 public:
  WebsocketApi(runtime::Loop& loop, Service& service, std::vector<std::string> allowed_origins);
  std::expected<void, std::string> listen(std::uint16_t port);
  runtime::Address local() const { return x_server.local(); }

 private:
  runtime::Task<> serve(runtime::WebSocket socket);

  runtime::Loop& x_loop;
  Service& x_service;
  std::vector<std::string> x_allowed;
  runtime::HttpServer x_server;
};

class TcpApi {
 public:
  TcpApi(runtime::Loop& loop, Service& service) : x_loop(loop), x_service(service) {}
  std::expected<void, std::string> listen(std::uint16_t port);
  runtime::Address local() const { return x_listener->local(); }

 private:
  runtime::Task<> serve(runtime::Stream stream);

  runtime::Loop& x_loop;
  Service& x_service;
  std::optional<runtime::Listener> x_listener;
};

/// What --allow-origin takes: "https://app.example" (scheme, host, perhaps a port, no path). An
/// empty string, or what is wrong.
std::string check_origin(const std::string& text);

}  // namespace mix::client
