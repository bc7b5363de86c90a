// SPDX-License-Identifier: Apache-2.0
//
// Beast speaks the protocol over a socket taken from one of our streams. Three things share the
// connection: the reader (the owner's task), the writer (a task that lives while something is
// queued), and a timer that pings a silent peer and breaks off when nothing comes back. All hold
// the Impl, so the owner may go at any time; closing the socket ends the other two.
#include "src/runtime/websocket.h"

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <deque>
#include <random>
#include <utility>

#include "src/ports/entropy.h"
#include "src/runtime/event.h"
#include "src/runtime/resolve.h"
#include "src/runtime/socket.h"
#include "src/runtime/upgrade.h"

namespace mix::runtime {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace ws = boost::beast::websocket;

namespace {

/// What Beast reports of a peer that breaks RFC 6455, or whose message is too long.
bool breaks_protocol(const beast::error_code& failure) {
  return failure == ws::condition::protocol_violation || failure == ws::error::message_too_big;
}

}  // namespace

struct WebSocket::Impl : std::enable_shared_from_this<WebSocket::Impl> {
  // A stream without deflate: messages are short, and less can go wrong.
  using Wire = ws::stream<Socket, false>;

  Impl(Loop& of, Stream stream, WebSocketLimits given)
      : loop(of),
        limits(given),
        remote(stream.remote()),
        wire(stream.impl()->give_away()),
        changed(of) {
    wire.read_message_max(limits.max_message);
    wire.control_callback([this](ws::frame_type, beast::string_view) { heard(); });
  }

  void heard() { pinged = false; }
  void break_off() {
    open = false;
    loop.cancel(std::exchange(timer, TimerId{}));
    boost::system::error_code ignored;
    wire.next_layer().close(ignored);
    changed.notify();
  }
  void started() {
    open = true;
    watch();
  }
  /// Silence for one interval asks the peer, for a second one ends the connection. So does a whole
  /// interval in which the question could not be written, however much the peer says: Beast takes
  /// one ping at a time, and who reads nothing would keep what waits for him for ever.
  void watch() {
    timer = loop.call_at(loop.now() + limits.ping_interval, [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self || !self->open) return;
      if (std::exchange(self->pinged, true)) return self->end_for(Refusal::timed_out);
      if (std::exchange(self->pinging, true)) return self->end_for(Refusal::slow_reader);
      self->loop.spawn(ping(self));
      self->watch();
    });
  }
  static Task<> ping(std::shared_ptr<Impl> self) {
    boost::system::error_code failure;
    co_await self->wire.async_ping({}, asio::redirect_error(asio::use_awaitable, failure));
    self->pinging = false;
    if (failure) self->break_off();
  }
  void end_for(Refusal why) {
    loop.refusals().add(why);
    break_off();
  }

  bool has_room(std::size_t bytes) const {
    return queue.empty() ||
           (queue.size() < limits.max_queue && queued_bytes + bytes <= limits.max_queue_bytes);
  }
  bool send(std::shared_ptr<const std::string> text) {
    if (open && !closing && !has_room(text->size())) end_for(Refusal::slow_reader);
    return enqueue(std::move(text));
  }
  bool enqueue(std::shared_ptr<const std::string> text) {
    if (!open || closing || !has_room(text->size())) return false;
    queued_bytes += text->size();
    queue.push_back(std::move(text));
    if (!std::exchange(writing, true)) loop.spawn(write_queue(shared_from_this()));
    return open;
  }
  static Task<> write_queue(std::shared_ptr<Impl> self) {
    while (self->open && !self->queue.empty()) {
      self->wire.text(true);
      boost::system::error_code failure;
      co_await self->wire.async_write(asio::buffer(*self->queue.front()),
                                      asio::redirect_error(asio::use_awaitable, failure));
      if (failure) {
        self->break_off();
        break;
      }
      self->queued_bytes -= self->queue.front()->size();
      self->queue.pop_front();
      ++self->sent;
    }
    self->writing = false;
    self->changed.notify();
  }
  /// Until the queue is empty or the connection has ended.
  static Task<> flushed(std::shared_ptr<Impl> self) {
    while (self->open && (self->writing || !self->queue.empty()))
      co_await self->changed.wait();
    self->changed.notify();  // for whoever waits for the same
  }

  static Task<Io<Message>> read(std::shared_ptr<Impl> self);
  static Task<Io<>> flush(std::shared_ptr<Impl> self, std::string text);
  static Task<> close(std::shared_ptr<Impl> self, CloseCode code, std::string reason);

  Loop& loop;
  WebSocketLimits limits;
  Address remote;
  Wire wire;
  beast::flat_buffer unread;
  std::deque<std::shared_ptr<const std::string>> queue;
  std::size_t queued_bytes = 0;
  Event changed;
  TimerId timer{};
  std::uint64_t sent = 0;
  bool open = false;
  bool writing = false;
  bool closing = false;
  bool pinged = false;   // and heard nothing since
  bool pinging = false;  // the ping waits to be written
};

Task<Io<WebSocket::Message>> WebSocket::Impl::read(std::shared_ptr<Impl> self) {
  if (!self->open) co_return std::unexpected(IoError{IoError::Kind::closed, 0});
  boost::system::error_code failure;
  co_await self->wire.async_read(self->unread, asio::redirect_error(asio::use_awaitable, failure));
  if (failure) {
    const bool by_peer = failure == ws::error::closed;
    if (breaks_protocol(failure)) self->loop.refusals().add(Refusal::websocket);
    self->break_off();
    co_return std::unexpected(by_peer ? IoError{IoError::Kind::closed, 0} : to_error(failure));
  }
  self->heard();
  Message message{self->wire.got_text(), beast::buffers_to_string(self->unread.data())};
  self->unread.consume(self->unread.size());
  co_return message;
}

Task<Io<>> WebSocket::Impl::flush(std::shared_ptr<Impl> self, std::string text) {
  if (!self->send(std::make_shared<const std::string>(std::move(text))))
    co_return std::unexpected(IoError{IoError::Kind::closed, 0});
  co_await flushed(self);
  if (!self->open) co_return std::unexpected(IoError{IoError::Kind::closed, 0});
  co_return Io<>();
}

Task<> WebSocket::Impl::close(std::shared_ptr<Impl> self, CloseCode code, std::string reason) {
  if (!self->open || std::exchange(self->closing, true)) co_return;
  co_await flushed(self);
  if (!self->open) co_return;
  const TimerId limit = self->loop.call_at(self->loop.now() + 5s, [weak = std::weak_ptr(self)] {
    if (const auto late = weak.lock()) late->break_off();
  });
  boost::system::error_code failure;
  const ws::close_reason why(static_cast<ws::close_code>(code), reason);
  co_await self->wire.async_close(why, asio::redirect_error(asio::use_awaitable, failure));
  self->loop.cancel(limit);
  self->break_off();
}

WebSocket::WebSocket() = default;
WebSocket::WebSocket(std::shared_ptr<Impl> impl) : x(std::move(impl)) {}
WebSocket::WebSocket(WebSocket&&) noexcept = default;
WebSocket& WebSocket::operator=(WebSocket&& other) noexcept {
  if (x) x->break_off();
  x = std::move(other.x);
  return *this;
}
WebSocket::~WebSocket() {
  if (x) x->break_off();
}

Task<Io<WebSocket::Message>> WebSocket::read() {
  return Impl::read(x);
}
bool WebSocket::send(std::string text) {
  return x->send(std::make_shared<const std::string>(std::move(text)));
}
bool WebSocket::send(std::shared_ptr<const std::string> text) {
  return x->send(std::move(text));
}
bool WebSocket::offer(std::shared_ptr<const std::string> text) {
  return x->enqueue(std::move(text));
}
Task<> WebSocket::drained() {
  return Impl::flushed(x);
}
Task<Io<>> WebSocket::send_and_flush(std::string text) {
  return Impl::flush(x, std::move(text));
}
Task<> WebSocket::close(CloseCode code, std::string reason) {
  return Impl::close(x, code, std::move(reason));
}
bool WebSocket::is_open() const {
  return x && x->open;
}
Address WebSocket::remote() const {
  return x->remote;
}

// ---- Beginnings ----------------------------------------------------------------------------

namespace {

constexpr Duration kHandshakeTimeOut = 10s;

/// Breaks off a handshake that takes too long.
struct HandshakeLimit {
  Loop& loop;
  TimerId timer;
  HandshakeLimit(const std::shared_ptr<WebSocket::Impl>& socket)
      : loop(socket->loop),
        timer(loop.call_at(loop.now() + kHandshakeTimeOut, [weak = std::weak_ptr(socket)] {
          if (const auto late = weak.lock()) late->break_off();
        })) {}
  HandshakeLimit(const HandshakeLimit&) = delete;
  HandshakeLimit& operator=(const HandshakeLimit&) = delete;
  ~HandshakeLimit() { loop.cancel(timer); }
};

}  // namespace

Task<std::optional<WebSocket>> accept_websocket(Loop& loop, Stream stream, std::string request,
                                                WebSocketLimits limits) {
  auto socket = std::make_shared<WebSocket::Impl>(loop, std::move(stream), limits);
  boost::system::error_code failure;
  {
    const HandshakeLimit limit(socket);
    co_await socket->wire.async_accept(asio::buffer(request),
                                       asio::redirect_error(asio::use_awaitable, failure));
  }
  if (failure) {
    loop.refusals().add(Refusal::handshake);
    co_return std::nullopt;
  }
  socket->started();
  co_return WebSocket(std::move(socket));
}

namespace {

/// A client masks what it sends with numbers from Beast's own generator, which would seed itself
/// with std::random_device (an instruction of the CPU, where there is one). It gets the system's
/// entropy instead, like everything else here.
void seed_masks_once() {
  static const bool seeded = [] {
    ports::SystemEntropy entropy;
    std::array<std::uint32_t, 8> words;
    for (std::uint32_t& word : words)
      word = static_cast<std::uint32_t>(entropy.u64());
    std::seed_seq seed(words.begin(), words.end());
    ws::seed_prng(seed);
    return true;
  }();
  static_cast<void>(seeded);
}

Task<std::expected<WebSocket, std::string>> connect_websocket(Loop& loop, std::string url,
                                                              std::string origin,
                                                              WebSocketLimits limits) {
  seed_masks_once();
  const auto parsed = boost::urls::parse_uri(url);
  if (!parsed || parsed->scheme() != "ws" || parsed->host().empty())
    co_return std::unexpected("'" + url + "' is not a ws:// URL");
  const std::string host(parsed->host_address());
  const std::string authority(parsed->encoded_host_and_port());
  std::string target(parsed->encoded_target());
  if (target.empty()) target = "/";
  const auto addresses =
      co_await resolve(loop, host, parsed->has_port() ? parsed->port_number() : 80);
  if (!addresses) co_return std::unexpected(addresses.error());
  std::string why;
  for (const Address& address : *addresses) {
    auto stream = co_await Stream::connect(loop, address, kHandshakeTimeOut);
    if (!stream) {
      why = address.to_text() + ": " + stream.error().text();
      continue;
    }
    auto socket = std::make_shared<WebSocket::Impl>(loop, std::move(*stream), limits);
    if (!origin.empty())
      socket->wire.set_option(ws::stream_base::decorator([origin](ws::request_type& request) {
        request.set(beast::http::field::origin, origin);
      }));
    boost::system::error_code failure;
    {
      const HandshakeLimit limit(socket);
      co_await socket->wire.async_handshake(authority, target,
                                            asio::redirect_error(asio::use_awaitable, failure));
    }
    if (failure) co_return std::unexpected(address.to_text() + ": " + failure.message());
    socket->started();
    co_return WebSocket(std::move(socket));
  }
  co_return std::unexpected("connecting to " + why);
}

}  // namespace

Task<std::expected<WebSocket, std::string>> WebSocket::connect(Loop& loop, std::string url,
                                                               std::string origin,
                                                               WebSocketLimits limits) {
  return connect_websocket(loop, std::move(url), std::move(origin), limits);
}

}  // namespace mix::runtime
