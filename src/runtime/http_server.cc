// SPDX-License-Identifier: Apache-2.0
//
// One task per connection: read until a request is whole, answer, again. Bytes are fed to Beast's
// parser from our own streams, so that limits and time-outs are those of every other connection and
// one read buffer serves them all. Replies are written with one call.
#include "src/runtime/http_server.h"

#include <algorithm>
#include <array>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <map>
#include <optional>
#include <sstream>

#include "src/runtime/body_budget.h"
#include "src/runtime/upgrade.h"

namespace mix::runtime {
namespace http = boost::beast::http;

namespace {
bool has_body(unsigned status) {
  return status != 204 && status != 304;
}
}  // namespace

struct HttpServer::Impl : std::enable_shared_from_this<HttpServer::Impl> {
  struct Upgrade {
    Admit admit;
    Session session;
    WebSocketLimits limits;
  };
  Impl(Loop& of, HttpServerOptions given)
      : loop(of), options(std::move(given)), bodies(options.max_bodies) {}

  HttpReply answer(const HttpRequest& request) const {
    const auto route = routes.find({request.path, request.method});
    if (route != routes.end()) return route->second(request);
    if (options.fallback) return options.fallback(request);
    return {404, "text/plain", "404 page not found", {}};
  }
  HttpReply refusal(unsigned status, std::string_view text) const {
    if (options.refusal) return options.refusal(status, text);
    return {
        status, "application/json; charset=utf-8", "{\"error\":\"" + std::string(text) + "\"}", {}};
  }
  const Upgrade* upgrade_at(const std::string& path) const {
    auto at = upgrades.find(path);
    if (at == upgrades.end()) at = upgrades.find("*");
    return at == upgrades.end() ? nullptr : &at->second;
  }
  /// Everything before the body; the whole reply where it has a body of its own.
  std::string text_of(const HttpReply& reply, bool keep_alive, bool with_body) const;

  Loop& loop;
  HttpServerOptions options;
  std::map<std::pair<std::string, std::string>, Handler> routes;  // by path, then method
  std::map<std::string, Upgrade> upgrades;
  std::vector<Listener> listeners;
  BodyBudget bodies;                            // for the large ones that are being read
  std::array<std::uint8_t, 16 * 1024> scratch;  // between a read and the copy: never across a wait
};

std::string HttpServer::Impl::text_of(const HttpReply& reply, bool keep_alive,
                                      bool with_body) const {
  const auto reason = http::obsolete_reason(http::int_to_status(reply.status));
  std::string out = "HTTP/1.1 " + std::to_string(reply.status) + " ";
  out.append(reason.data(), reason.size()).append("\r\n");
  const auto field = [&](std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
  };
  for (const auto& [name, value] : options.headers)
    field(name, value);
  for (const auto& [name, value] : reply.headers)
    field(name, value);
  if (!keep_alive) field("Connection", "close");
  const bool may_have_body = has_body(reply.status);
  if (may_have_body) {
    field("Content-Type", reply.content_type);
    field("Content-Length", std::to_string(reply.content().size()));
  }
  out.append("\r\n");
  if (may_have_body && with_body && !reply.shared_body) out.append(reply.body);
  return out;
}

namespace {

using Self = std::shared_ptr<HttpServer::Impl>;

/// A body in a string, as Beast's string_body, but what is only announced takes no memory: it grows
/// with what comes, twofold at most.
struct ArrivingBody {
  using value_type = std::string;
  static std::uint64_t size(const value_type& body) { return body.size(); }

  class reader {
   public:
    template <bool is_request, class Fields>
    reader(http::header<is_request, Fields>&, value_type& body) : x_body(body) {}

    static void init(const boost::optional<std::uint64_t>&, boost::system::error_code& failure) {
      failure = {};
    }
    template <class Buffers>
    std::size_t put(const Buffers& buffers, boost::system::error_code& failure) {
      failure = {};
      const std::size_t before = x_body.size();
      for (const auto part : boost::beast::buffers_range_ref(buffers))
        x_body.append(static_cast<const char*>(part.data()), part.size());
      return x_body.size() - before;
    }
    static void finish(boost::system::error_code& failure) { failure = {}; }

   private:
    value_type& x_body;
  };
};

using Parser = http::request_parser<ArrivingBody>;
using BeastRequest = http::request<ArrivingBody>;

struct Refused {
  unsigned status = 0;  // 0: nobody is there to hear it
  std::string_view text;
  Refusal why = Refusal::not_http;
};
using Parsed = std::expected<std::unique_ptr<BeastRequest>, Refused>;

Refused refused_for(const boost::system::error_code& failure) {
  if (failure == http::error::body_limit)
    return {413, "the body is too large", Refusal::body_too_large};
  if (failure == http::error::header_limit || failure == http::error::buffer_overflow)
    return {431, "the header is too large", Refusal::header_too_large};
  return {400, "this is not an HTTP request"};
}

/// A large body's share of what all of them may take, for as long as it is read.
class Claim {
 public:
  Claim(Self self, const Address& peer)
      : x_self(std::move(self)), x_source(BodyBudget::source_of(peer)) {}
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;
  ~Claim() { x_self->bodies.give_back(x_source, x_bytes); }

  /// After bytes came; false when there is no room for so many.
  bool grow(const Parser& parser) {
    const std::size_t bytes = parser.get().body().capacity();
    if (bytes <= kSmallBody || bytes <= x_bytes) return true;
    if (!x_self->bodies.take(x_source, bytes - x_bytes)) return false;
    x_bytes = bytes;
    return true;
  }

 private:
  static constexpr std::size_t kSmallBody = 16 * 1024;  // as much as is read at once
  Self x_self;
  BodyBudget::Source x_source;
  std::size_t x_bytes = 0;
};

Task<Io<>> more(Self self, Stream& stream, std::string& unread) {
  const Io<> waited = co_await stream.readable();
  if (!waited) co_return waited;
  const Io<std::size_t> got = stream.read_now(self->scratch);
  if (!got && got.error().kind == IoError::Kind::would_block) co_return Io<>();
  if (!got) co_return std::unexpected(got.error());
  if (*got == 0) co_return std::unexpected(IoError{IoError::Kind::closed, 0});
  unread.append(reinterpret_cast<const char*>(self->scratch.data()), *got);
  co_return Io<>();
}

bool expects_continue(const Parser& parser) {
  return parser.is_header_done() && !parser.is_done() &&
         boost::beast::iequals(parser.get()[http::field::expect], "100-continue");
}

/// Until a request has begun; false when none will. A connection that waits here, as kept ones do
/// nearly always, holds no parser and no reply: there may be thousands. (Asio gives the memory of
/// frames that ended to the next ones, however small, so what is large lies on the heap instead.)
Task<bool> request_begins(Self self, Stream& stream, std::string& unread) {
  stream.set_deadline(self->loop.now() + self->options.idle_limit);
  while (unread.empty()) {
    const Io<> got = co_await more(self, stream, unread);
    if (!got) co_return false;
  }
  co_return true;
}

/// Of a request that has begun.
Task<Parsed> read_request(Self self, Stream& stream, std::string& unread) {
  const auto own = std::make_unique<Parser>();
  Parser& parser = *own;
  parser.header_limit(static_cast<std::uint32_t>(self->options.max_header));
  parser.body_limit(self->options.max_body);
  parser.eager(true);
  Claim claim(self, stream.remote());
  bool continued = false;
  stream.set_deadline(self->loop.now() + self->options.exchange_time_out);
  for (;;) {
    if (!unread.empty()) {
      boost::system::error_code failure;
      unread.erase(0, parser.put(boost::asio::buffer(unread), failure));
      if (failure && failure != http::error::need_more)
        co_return std::unexpected(refused_for(failure));
      if (parser.is_done()) co_return std::make_unique<BeastRequest>(parser.release());
      if (!claim.grow(parser))
        co_return std::unexpected(Refused{503, "too many large bodies", Refusal::bodies_full});
      // A header without end stays unread as a whole; so do a chunk's header and a trailer, for
      // which the parser has no limit.
      if (unread.size() > self->options.max_header)
        co_return std::unexpected(
            Refused{431, "the header is too large", Refusal::header_too_large});
    }
    if (expects_continue(parser) && !std::exchange(continued, true) &&
        !co_await stream.write_all(as_bytes("HTTP/1.1 100 Continue\r\n\r\n")))
      co_return std::unexpected(Refused{});
    const Io<> got = co_await more(self, stream, unread);
    if (got) continue;
    if (got.error().kind == IoError::Kind::timed_out)
      co_return std::unexpected(Refused{408, "the request came too slowly", Refusal::slow_request});
    // Cut off in the middle: nobody waits for an answer, but it is no request either.
    self->loop.refusals().add(Refusal::not_http);
    co_return std::unexpected(Refused{});
  }
}

HttpRequest to_ours(BeastRequest& message, const Address& peer) {
  const auto text = [](auto view) { return std::string(view.data(), view.size()); };
  HttpRequest out;
  const std::string target = text(message.target());
  const std::size_t question = target.find('?');
  out.method = text(message.method_string());
  out.path = target.substr(0, question);
  if (question != std::string::npos) out.query = target.substr(question + 1);
  out.body = std::move(message.body());
  out.if_none_match = text(message[http::field::if_none_match]);
  out.origin = text(message[http::field::origin]);
  out.host = text(message[http::field::host]);
  out.peer = peer;
  return out;
}

/// What is still read, to be dropped, after a refusal.
constexpr std::size_t kMaxDropped = 8 * 1024 * 1024;

/// Reads on for a moment after the last reply: closing with bytes unread would reset the
/// connection, and the reply with it.
Task<> part(Self self, Stream& stream) {
  stream.shutdown_send();
  stream.set_deadline(self->loop.now() + 2s);
  std::string dropped;
  for (std::size_t seen = 0; seen <= kMaxDropped; seen += dropped.size()) {
    dropped.clear();
    if (!co_await more(self, stream, dropped)) break;
  }
}

/// What is to be written, or the upgrade to be made.
struct Answer {
  std::string text;  // the reply; of an upgrade, the request's header
  std::shared_ptr<const std::string> shared;
  const HttpServer::Impl::Upgrade* upgrade = nullptr;
  bool keep = false;
  std::unique_ptr<HttpRequest> asked = nullptr;  // of an upgrade
};

/// Not part of the coroutine: request and reply need not lie in its frame.
Answer answer_to(const HttpServer::Impl& self, BeastRequest& message, const Address& peer,
                 bool more_came) {
  const bool asks_upgrade = boost::beast::websocket::is_upgrade(message);
  HttpRequest request = to_ours(message, peer);
  const auto* upgrade = asks_upgrade ? self.upgrade_at(request.path) : nullptr;
  if (upgrade && more_came) {
    self.loop.refusals().add(Refusal::handshake);
    return {self.text_of(self.refusal(400, "bytes came before the handshake"), false, true), {}};
  }
  if (upgrade && upgrade->admit && !upgrade->admit(request)) {
    self.loop.refusals().add(Refusal::origin);
    return {self.text_of(self.refusal(403, "this origin is not allowed"), false, true), {}};
  }
  if (upgrade) {
    std::ostringstream handshake;
    handshake << message.base();
    return {handshake.str(), {}, upgrade, false, std::make_unique<HttpRequest>(std::move(request))};
  }
  const bool keep = message.keep_alive(), with_body = request.method != "HEAD";
  HttpReply reply = self.answer(request);
  Answer out{self.text_of(reply, keep, with_body), {}, nullptr, keep};
  if (with_body && has_body(reply.status)) out.shared = std::move(reply.shared_body);
  return out;
}

/// One request and its reply; whether the connection is kept.
Task<bool> exchange(Self self, Stream& stream, std::string& unread) {
  Answer answer;
  {
    Parsed parsed = co_await read_request(self, stream, unread);
    if (!parsed) {
      if (parsed.error().status == 0) co_return false;
      self->loop.refusals().add(parsed.error().why);
      answer.text =
          self->text_of(self->refusal(parsed.error().status, parsed.error().text), false, true);
      if (!stream.is_open()) co_return false;
    } else {
      answer = answer_to(*self, **parsed, stream.remote(), !unread.empty());
    }
  }
  if (answer.upgrade) {
    stream.set_deadline(std::nullopt);
    auto socket = co_await accept_websocket(self->loop, std::move(stream), answer.text,
                                            answer.upgrade->limits);
    if (socket) co_await answer.upgrade->session(std::move(*socket), *answer.asked);
    co_return false;
  }
  const auto written =
      answer.shared ? co_await stream.write_all(as_bytes(answer.text), as_bytes(*answer.shared))
                    : co_await stream.write_all(as_bytes(answer.text));
  if (!written) co_return false;
  if (answer.keep) co_return true;
  co_await part(self, stream);
  co_return false;
}

Task<> serve_connection(Self self, Stream stream) {
  std::string unread;
  for (;;) {
    const bool begun = co_await request_begins(self, stream, unread);
    if (!begun) co_return;
    const bool kept = co_await exchange(self, stream, unread);
    if (!kept) co_return;
    if (unread.empty()) unread.shrink_to_fit();
  }
}

}  // namespace

HttpServer::HttpServer(Loop& loop, HttpServerOptions options)
    : x(std::make_shared<Impl>(loop, std::move(options))) {}
HttpServer::~HttpServer() {
  x->listeners.clear();
}

void HttpServer::route(std::string method, std::string path, Handler handler) {
  x->routes[{std::move(path), std::move(method)}] = std::move(handler);
}

void HttpServer::websocket(std::string path, Admit admit, Session session, WebSocketLimits limits) {
  x->upgrades[std::move(path)] = {std::move(admit), std::move(session), limits};
}

std::expected<void, std::string> HttpServer::listen(Address at) {
  ListenOptions options;
  options.max_connections = x->options.max_connections;
  auto listener = Listener::open(x->loop, at, options);
  if (!listener) return std::unexpected(listener.error());
  // The listener must not keep the server alive that owns it.
  listener->serve([weak = std::weak_ptr(x)](Stream stream) -> Task<> {
    if (const Self self = weak.lock()) co_await serve_connection(self, std::move(stream));
  });
  x->listeners.push_back(std::move(*listener));
  return {};
}

Address HttpServer::local() const {
  return x->listeners.empty() ? Address() : x->listeners.front().local();
}

}  // namespace mix::runtime
