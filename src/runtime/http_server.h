// SPDX-License-Identifier: Apache-2.0
// Answering HTTP/1.1: exact paths, short handlers that do not wait, and websockets.
//
// Not here: TLS, files, chunked replies, trust in X-Forwarded-For (the peer is who holds the
// connection). Unknown path or method: 404 `404 page not found`, as the original answers.
// Bounds: HttpServerOptions; a connection that is slow with a header, a body or a reply is closed.
// Threads: the loop's. Handlers are called one at a time.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/runtime/stream.h"
#include "src/runtime/websocket.h"

namespace mix::runtime {

struct HttpRequest {
  std::string method;  // "GET"
  std::string path;    // without query; as sent, not decoded
  std::string query;   // without '?'
  std::string body;
  std::string if_none_match;
  std::string origin;
  std::string host;  // the Host header
  Address peer;
};

struct HttpReply {
  unsigned status = 200;
  std::string content_type = "application/json; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  /// In place of `body`: a text that many replies hold at once, and none of them copies.
  std::shared_ptr<const std::string> shared_body = nullptr;

  const std::string& content() const { return shared_body ? *shared_body : body; }
};

struct HttpServerOptions {
  std::size_t max_header = 8 * 1024;
  std::size_t max_body = 1024 * 1024;
  /// Of all connections together, as far as they have arrived; one sender's may take a quarter of
  /// what is left (body_budget.h). Small bodies (16 KiB) are not counted. What is more is answered
  /// 503.
  std::size_t max_bodies = 64 * 1024 * 1024;
  std::size_t max_connections = 4096;
  Duration exchange_time_out = 10s;  // from a request's first byte to the reply's last
  Duration idle_limit = 60s;         // a kept connection without a request
  /// On every reply, for instance CORS.
  std::vector<std::pair<std::string, std::string>> headers;
  /// Answers what no route takes; without one it is the 404 above.
  std::function<HttpReply(const HttpRequest&)> fallback;
  /// What a refused request (400, 408, 413, 431, 503) says; without one it is the text as JSON
  /// error.
  std::function<HttpReply(unsigned status, std::string_view text)> refusal;
};

class HttpServer {
 public:
  using Handler = std::function<HttpReply(const HttpRequest&)>;
  /// Whether the handshake is accepted; otherwise it is answered 403.
  using Admit = std::function<bool(const HttpRequest&)>;
  /// `asked` is the handshake, and lives until the session's task ends.
  using Session = std::function<Task<>(WebSocket, const HttpRequest& asked)>;

  HttpServer(Loop& loop, HttpServerOptions options = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  void route(std::string method, std::string path, Handler handler);
  /// Upgrades on `path` ("*": any path). The socket is closed when the session's task ends.
  void websocket(std::string path, Admit admit, Session session, WebSocketLimits limits = {});

  /// Listens from now on; call after the routes. The error names the address.
  std::expected<void, std::string> listen(Address at);
  /// Of the first listen(); its port is known only then if it was 0.
  Address local() const;

  struct Impl;  // for this folder only

 private:
  std::shared_ptr<Impl> x;
};

/// Whether an Origin header names a page from this machine: http(s) on localhost, 127.0.0.0/8 or
/// [::1], any port. "null" and everything else is not.
bool is_loopback_origin(std::string_view origin);
/// 127.0.0.0/8, ::1, and the former as mapped IPv6.
bool is_loopback(const Address& address);
/// Whether this machine asks, and no page of somebody else's that is open in a browser on it: the
/// peer is loopback, and so are the Origin and the Host, where there are any. (A stranger's page
/// has the Origin of its own, and a name that was made to mean this machine is in the Host.)
bool is_asked_here(const HttpRequest& request);

}  // namespace mix::runtime
