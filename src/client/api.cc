// SPDX-License-Identifier: Apache-2.0
#include "src/client/api.h"

#include <algorithm>

#include "src/client/tcp_protocol.h"
#include "src/client/ws_protocol.h"
#include "src/wire/limits.h"

namespace mix::client {

using runtime::Address;
using runtime::HttpRequest;
using runtime::Stream;
using runtime::Task;
using runtime::WebSocket;

namespace {

Address loopback(std::uint16_t port) {
  return Address::ipv4({127, 0, 0, 1}, port);
}

}  // namespace

WebsocketApi::WebsocketApi(runtime::Loop& loop, Service& service,
                           std::vector<std::string> allowed_origins)
    : x_loop(loop),
      x_service(service),
      x_allowed(std::move(allowed_origins)),
      x_server(loop, {.max_connections = wire::kMaxApiConnections,
                      .headers = {},
                      .fallback = {},
                      .refusal = {}}) {
  const auto admit = [this](const HttpRequest& request) {
    return request.origin.empty() || runtime::is_loopback_origin(request.origin) ||
           std::ranges::find(x_allowed, request.origin) != x_allowed.end();
  };
  x_server.websocket(
      "*", admit, [this](WebSocket socket, const HttpRequest&) { return serve(std::move(socket)); },
      {.max_message = wire::kMaxWebsocketMessageBytes});
}

std::expected<void, std::string> WebsocketApi::listen(std::uint16_t port) {
  return x_server.listen(loopback(port));
}

Task<> WebsocketApi::serve(WebSocket socket) {
  while (auto request = co_await socket.read()) {
    if (!request->is_text) {
      x_loop.refusals().add(runtime::Refusal::bad_request);
      co_await socket.close(WebSocket::CloseCode::unsupported, kBinaryRefused);
      co_return;
    }
    // One reply is on its way before the next request is read: whoever does not read waits.
    if (!co_await socket.send_and_flush(answer_json(request->body, x_service, &x_loop.refusals())))
      co_return;
  }
}

std::expected<void, std::string> TcpApi::listen(std::uint16_t port) {
  auto listener = runtime::Listener::open(
      x_loop, loopback(port), {.max_connections = wire::kMaxApiConnections, .make_room = false});
  if (!listener) return std::unexpected(listener.error());
  x_listener = std::move(*listener);
  x_listener->serve([this](Stream stream) { return serve(std::move(stream)); });
  return {};
}

/// A browser's: any page may send one to this machine, and its body would be further requests.
bool is_http(BytesView request) {
  for (const std::string_view method :
       {"GET ", "HEAD ", "POST ", "PUT ", "DELETE ", "OPTIONS ", "PATCH ", "CONNECT ", "TRACE "})
    if (as_text(request).starts_with(method)) return true;
  return false;
}

Task<> TcpApi::serve(Stream stream) {
  ByteArray<wire::kMaxSocketRequestBytes> buffer;
  for (;;) {
    const auto size = co_await stream.read_some(buffer);
    if (!size || *size == 0) co_return;
    const bool last = is_http(BytesView(buffer).first(*size));
    const Bytes reply = answer_bytes(BytesView(buffer).first(*size), x_service, &x_loop.refusals());
    // Whoever asks and does not read is let go, with the reply that is kept for it.
    stream.set_deadline(x_loop.now() + wire::kWriteTimeout);
    if (!co_await stream.write_all(reply) || last) co_return;
    stream.set_deadline(std::nullopt);
  }
}

std::string check_origin(const std::string& text) {
  const auto wrong = "'" + text + "' is no origin: expected scheme://host or scheme://host:port";
  const auto at = text.find("://");
  if (at == std::string::npos || at == 0) return wrong;
  const std::string_view rest = std::string_view(text).substr(at + 3);
  if (rest.empty() || rest.find_first_of("/ ?#") != std::string_view::npos) return wrong;
  return {};
}

}  // namespace mix::client
