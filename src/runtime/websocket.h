// SPDX-License-Identifier: Apache-2.0
// Websockets: the server's side comes out of an HttpServer, the client's side connects.
//
// Pings are answered, and idle peers pinged, underneath. One task may read while others send; what
// is sent is queued in order. Bounds: Limits. Threads: the loop's.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "src/runtime/stream.h"

namespace mix::runtime {

struct WebSocketLimits {
  std::size_t max_message = 16 * 1024;  // a longer one ends the connection
  std::size_t max_queue = 256;          // messages waiting to be sent; one more ends the connection
  /// Bytes of those messages; one more ends the connection, too, unless it is alone.
  std::size_t max_queue_bytes = 256 * 1024 * 1024;
  /// Silence after which the peer is asked whether it lives. Another such time without an answer,
  /// or in which the question cannot even be written, ends the connection.
  Duration ping_interval = 54s;
};

class WebSocket {
 public:
  struct Message {
    bool is_text = true;
    std::string body;
  };
  enum class CloseCode : std::uint16_t { normal = 1000, unsupported = 1003, policy = 1008 };

  WebSocket();
  ~WebSocket();  // breaks the connection off if it is still open
  WebSocket(WebSocket&&) noexcept;
  WebSocket& operator=(WebSocket&&) noexcept;

  /// "ws://host:port/path". With an Origin header when `origin` is not empty.
  static Task<std::expected<WebSocket, std::string>> connect(Loop& loop, std::string url,
                                                             std::string origin = {},
                                                             WebSocketLimits limits = {});

  /// The next text or binary message; an error when the connection has ended.
  Task<Io<Message>> read();
  /// Queues a text; false when the connection has ended or the queue was full (which ends it).
  bool send(std::string text);
  /// The same; for a text that many are sent, of which one copy is then enough.
  bool send(std::shared_ptr<const std::string> text);
  /// The same, but a full queue leaves the connection as it is.
  bool offer(std::shared_ptr<const std::string> text);
  /// Until nothing waits to be sent, or the connection has ended.
  Task<> drained();
  /// Like send, and waits until everything queued so far was handed to the system.
  Task<Io<>> send_and_flush(std::string text);
  /// Sends a close frame behind what is queued, then ends the connection.
  Task<> close(CloseCode code, std::string reason = {});
  bool is_open() const;
  Address remote() const;

  struct Impl;  // for this folder only
  explicit WebSocket(std::shared_ptr<Impl> impl);

 private:
  std::shared_ptr<Impl> x;
};

}  // namespace mix::runtime
