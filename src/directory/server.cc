// SPDX-License-Identifier: Apache-2.0
#include "src/directory/server.h"

#include <utility>

#include "src/directory/assets.h"
#include "src/topology/json.h"
#include "src/wire/limits.h"

namespace mix::directory {
namespace {

runtime::HttpServerOptions options_for(Directory& directory) {
  runtime::HttpServerOptions options;
  options.max_header = wire::kMaxHttpHeaderBytes;
  options.max_body = wire::kMaxBodyBytes;
  options.max_connections = wire::kMaxHttpConnections;
  options.exchange_time_out = wire::kHttpTimeout;
  options.idle_limit = wire::kHttpIdleTimeout;
  // Pages of anybody may read (as with the original); none may be rendered as something it is not.
  options.headers = {{"Access-Control-Allow-Origin", "*"},
                     {"Access-Control-Expose-Headers", "ETag"},
                     {"X-Content-Type-Options", "nosniff"}};
  options.refusal = [](unsigned status, std::string_view text) {
    Directory::Reply reply;
    reply.status = status == 413 ? 400 : status;
    reply.body = topology::error_json(
        status == 413 ? "body: over the limit of " + std::to_string(wire::kMaxBodyBytes) + " bytes"
                      : std::string(text));
    return reply;
  };
  options.fallback = [&directory](const Directory::Request& request) {
    return directory.fallback(request);
  };
  return options;
}

/// What one of our own answers refuses, if anything.
std::optional<runtime::Refusal> refusal_of(unsigned status) {
  switch (status) {
    case 400:
      return runtime::Refusal::bad_entry;
    case 403:
      return runtime::Refusal::not_local;
    case 409:
      return runtime::Refusal::claimed;
    case 503:
      return runtime::Refusal::directory_full;
    default:
      return std::nullopt;
  }
}

/// As the original's library: without Origin anybody, with one only our own pages.
bool same_origin(const Directory::Request& request) {
  return request.origin.empty() || request.origin == "http://" + request.host ||
         request.origin == "https://" + request.host;
}

/// The same, its text held by all who are given it together: who does not read it costs nothing.
Directory::Reply shared(Directory::Reply reply) {
  reply.shared_body = std::make_shared<const std::string>(std::exchange(reply.body, {}));
  return reply;
}

Directory::Reply page_refused() {
  Directory::Reply reply;
  reply.status = 403;
  reply.body = topology::error_json("reports from a web page are not taken");
  return reply;
}

}  // namespace

Server::Server(runtime::Loop& loop, Directory::Tell console, Duration ping_interval)
    : x_loop(loop),
      x_watchers(loop, [this](bool is_local) { return x_directory.opening(is_local); }),
      x_directory(
          loop, std::move(console),
          [this](const std::string& text) { x_watchers.tell_reports(text); },
          [this](Audience audience, Telling telling, const std::function<std::string()>& make) {
            x_watchers.tell_live(audience, telling, make);
          }),
      x_http(loop, options_for(x_directory)) {
  routes();
  watching(ping_interval);
}

void Server::routes() {
  using Request = Directory::Request;
  const auto route = [this](const char* method, const char* path, auto member) {
    const bool writes = std::string_view(method) == "POST";
    x_http.route(method, path, [this, member, writes](const Request& request) {
      // No page has anything to report; a stranger's, open in a browser here, would be taken for
      // this machine.
      if (writes && !request.origin.empty()) {
        x_loop.refusals().add(runtime::Refusal::origin);
        return page_refused();
      }
      auto reply = (x_directory.*member)(request);
      if (const auto why = refusal_of(reply.status)) x_loop.refusals().add(*why);
      expect_expiry();
      return reply;
    });
  };
  route("GET", "/api/healthcheck", &Directory::health);
  route("POST", "/api/presence/mixnodes", &Directory::mix_presence);
  route("POST", "/api/presence/mixproviders", &Directory::provider_presence);
  route("POST", "/api/presence/coconodes", &Directory::coco_presence);
  route("GET", "/api/presence/topology", &Directory::topology);
  route("POST", "/api/metrics/mixes", &Directory::post_mix_metrics);
  route("GET", "/api/metrics/mixes", &Directory::get_mix_metrics);
  route("POST", "/api/metrics/clients", &Directory::post_client_metrics);
  route("GET", "/api/metrics/clients", &Directory::get_client_metrics);
  x_http.route("GET", "/plain", [this](const Request& request) { return plain_page(request); });
  for (const Asset& asset : assets())
    x_http.route(
        "GET", std::string(asset.path),
        [&asset, whole = std::optional<Directory::Reply>()](const Request& request) mutable {
          auto reply = reply_with(asset, request.if_none_match);
          if (reply.status == 304) return reply;
          if (!whole) whole = shared(std::move(reply));
          return *whole;
        });
}

Directory::Reply Server::plain_page(const Directory::Request& request) {
  if (!x_plain || x_loop.now() >= x_plain_made + wire::kPlainPageAge) {
    x_plain = shared(x_directory.plain_page(request));
    x_plain_made = x_loop.now();
  }
  return *x_plain;
}

void Server::watching(Duration ping_interval) {
  using Request = Directory::Request;
  const auto admit = [this](const Request& request) {
    return !x_watchers.full() && same_origin(request);
  };
  const runtime::WebSocketLimits limits{.max_message = wire::kMaxWatcherMessageBytes,
                                        .max_queue = wire::kMaxWatcherQueue,
                                        .max_queue_bytes = wire::kMaxWatcherQueueBytes,
                                        .ping_interval = ping_interval};
  x_http.websocket(
      "/ws", admit,
      [this](runtime::WebSocket socket, const Request&) {
        return x_watchers.serve(std::move(socket), Watchers::Kind::reports, false);
      },
      limits);
  x_http.websocket(
      "/ws/live", admit,
      [this](runtime::WebSocket socket, const Request& asked) {
        return x_watchers.serve(std::move(socket), Watchers::Kind::live,
                                runtime::is_asked_here(asked));
      },
      limits);
}

void Server::expect_expiry() {
  if (x_expiry_set) return;
  const auto when = x_directory.next_expiry();
  if (!when) return;
  x_expiry_set = true;
  x_loop.call_at(*when, [this] {
    x_expiry_set = false;
    x_directory.expire();
    expect_expiry();
  });
}

}  // namespace mix::directory
