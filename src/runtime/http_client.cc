// SPDX-License-Identifier: Apache-2.0
#include "src/runtime/http_client.h"

#include <algorithm>
#include <array>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <optional>
#include <utility>

#include "src/prelude/check.h"
#include "src/runtime/kept.h"
#include "src/runtime/resolve.h"
#include "src/runtime/settings.h"
#include "src/runtime/stream.h"

namespace mix::runtime {
namespace http = boost::beast::http;
using Answer = std::expected<HttpAnswer, std::string>;
using Parser = http::response_parser<http::string_body>;

namespace {

std::string checked(std::string_view url) {
  const auto read = read_url(url);
  CHECK(read.has_value(), read.error());
  return *read;
}
std::string authority_of(const std::string& url) {
  return std::string(boost::urls::parse_uri(url).value().encoded_host_and_port());
}

}  // namespace

struct HttpClient::Impl {
  Impl(Loop& of, std::string_view url, HttpClientOptions given)
      : loop(of), options(given), base(checked(url)), server(of.kept().server(authority_of(base))) {
    const boost::urls::url_view parts = boost::urls::parse_uri(base).value();
    host = std::string(parts.host_address());
    port = parts.has_port() ? parts.port_number() : 80;
    authority = authority_of(base);
    prefix = std::string(parts.encoded_path());
  }

  std::string request(std::string_view method, std::string_view path, std::string_view body,
                      std::string_view if_none_match) const {
    std::string out;
    out.append(method).append(" ").append(prefix).append(path).append(" HTTP/1.1\r\n");
    out.append("Host: ").append(authority).append("\r\nAccept: */*\r\n");
    if (!if_none_match.empty()) out.append("If-None-Match: ").append(if_none_match).append("\r\n");
    if (method == "POST")
      out.append("Content-Type: application/json\r\nContent-Length: ")
          .append(std::to_string(body.size()))
          .append("\r\n");
    return out.append("\r\n").append(body);
  }

  Loop& loop;
  HttpClientOptions options;
  std::string base, host, authority, prefix;
  std::uint16_t port = 80;
  Kept::Server& server;
  bool busy = false;
};

namespace {

using Self = HttpClient::Impl;

struct Failure {
  std::string text;
  bool silent = false;  // not one byte of a reply came
};

std::string describe(const Stream& stream, std::string_view doing, const IoError& error) {
  return std::string(doing) + " " + stream.remote().to_text() + ": " + error.text();
}

Task<std::expected<void, std::string>> connect(Self& self, Instant deadline) {
  const auto addresses = co_await resolve(self.loop, self.host, self.port);
  if (!addresses) co_return std::unexpected(addresses.error());
  std::string why;
  for (const Address& address : *addresses) {
    const Duration left = std::max<Duration>(deadline - self.loop.now(), 1ms);
    auto stream = co_await Stream::connect(self.loop, address, left);
    if (stream) {
      self.server.stream = std::move(*stream);
      co_return std::expected<void, std::string>();
    }
    why += (why.empty() ? "" : ", ") + address.to_text() + ": " + stream.error().text();
  }
  co_return std::unexpected("connecting to " + why);
}

/// Feeds the parser with what has come; false when the reply is not HTTP or too long.
bool parse(Parser& parser, std::string& unread, boost::system::error_code& failure) {
  const std::size_t used = parser.put(boost::asio::buffer(unread), failure);
  unread.erase(0, used);
  if (failure == http::error::need_more) failure = {};
  return !failure;
}

Task<std::expected<HttpAnswer, Failure>> read_reply(Self& self) {
  Parser parser;
  parser.body_limit(self.options.max_body);
  parser.eager(true);
  std::string unread;
  std::array<std::uint8_t, 4096> chunk;
  bool silent = true;
  while (!parser.is_done()) {
    const Io<std::size_t> got = co_await self.server.stream.read_some(chunk);
    if (!got)
      co_return std::unexpected(
          Failure{describe(self.server.stream, "reading from", got.error()), silent});
    boost::system::error_code failure;
    if (*got == 0) {
      if (!silent) parser.put_eof(failure);
      if (silent || failure || !parser.is_done())
        co_return std::unexpected(
            Failure{self.server.stream.remote().to_text() + ": the reply was cut off", silent});
      break;
    }
    silent = false;
    unread.append(reinterpret_cast<const char*>(chunk.data()), *got);
    if (!parse(parser, unread, failure))
      co_return std::unexpected(Failure{
          self.server.stream.remote().to_text() + ": not an HTTP reply: " + failure.message(),
          false});
  }
  if (!parser.keep_alive() || !unread.empty()) self.server.stream.close();
  auto message = parser.release();
  co_return HttpAnswer{message.result_int(), std::move(message.body()),
                       std::string(message[http::field::etag])};
}

Task<std::expected<HttpAnswer, Failure>> converse(Self& self, const std::string& request) {
  const Io<> written = co_await self.server.stream.write_all(as_bytes(request));
  if (!written)
    co_return std::unexpected(
        Failure{describe(self.server.stream, "writing to", written.error()), true});
  co_return co_await read_reply(self);
}

/// A client has one question at a time: its users wait for the answer.
struct Asking {
  Self& self;
  explicit Asking(Self& of) : self(of) {
    CHECK(!std::exchange(self.busy, true), "two questions at once to", self.base);
  }
  Asking(const Asking&) = delete;
  Asking& operator=(const Asking&) = delete;
  ~Asking() { self.busy = false; }
};

Task<Answer> ask(std::shared_ptr<Self> self, std::string request) {
  const Asking asking(*self);
  Turn turn(self->server);
  co_await turn.begin();
  const Instant deadline = self->loop.now() + self->options.time_out;
  for (;;) {
    const bool kept = self->server.stream.is_open();
    if (!kept) {
      const auto connected = co_await connect(*self, deadline);
      if (!connected) co_return std::unexpected(connected.error());
    }
    self->server.stream.set_deadline(deadline);
    auto answer = co_await converse(*self, request);
    if (answer) {
      self->server.stream.set_deadline(std::nullopt);
      co_return std::move(*answer);
    }
    self->server.stream.close();
    // A kept connection may have been closed by the server while nobody looked.
    if (!kept || !answer.error().silent || self->loop.now() >= deadline)
      co_return std::unexpected(answer.error().text);
  }
}

}  // namespace

HttpClient::HttpClient(Loop& loop, std::string_view base, HttpClientOptions options)
    : x(std::make_shared<Impl>(loop, base, options)) {}
HttpClient::~HttpClient() = default;

Task<Answer> HttpClient::get(std::string path, std::string if_none_match) {
  return ask(x, x->request("GET", path, {}, if_none_match));
}
Task<Answer> HttpClient::post(std::string path, std::string json) {
  return ask(x, x->request("POST", path, json, {}));
}
const std::string& HttpClient::base() const {
  return x->base;
}

}  // namespace mix::runtime
