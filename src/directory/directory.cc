// SPDX-License-Identifier: Apache-2.0
#include "src/directory/directory.h"

#include <utility>

#include "src/crypto/cipher.h"
#include "src/directory/assets.h"
#include "src/directory/feed.h"
#include "src/directory/plain.h"
#include "src/runtime/settings.h"
#include "src/topology/fields.h"
#include "src/topology/json.h"
#include "src/topology/source.h"
#include "src/topology/version.h"
#include "src/wire/limits.h"

namespace mix::directory {
namespace {

using runtime::HttpReply;
using runtime::HttpRequest;
namespace limits = wire;

// What topology says of itself (it lies beside wire, not above it) must be what the table says.
static_assert(topology::kMaxLayer == limits::kMaxLayers);
static_assert(topology::kMaxHostLength == limits::kMaxHostLength);
static_assert(topology::kMaxVersionLength == limits::kMaxVersionLength);
static_assert(topology::kMaxLocationLength == limits::kMaxLocationLength);
static_assert(topology::kMaxRegisteredClients == limits::kMaxAccounts);
static_assert(topology::kMaxMetricsPeers == limits::kMaxMetricsPeers);
static_assert(topology::kMaxRoundTrips == limits::kMaxRoundTripsTold);
// A provider with every account it may have can announce itself.
static_assert(limits::kMaxAccounts * limits::kAccountJsonBytes + limits::kEntryJsonBytes <=
              limits::kMaxBodyBytes);

constexpr topology::Roster::Limits kRosterLimits{
    .mixes = limits::kMaxMixnodes,
    .providers = limits::kMaxProviders,
    .cocos = limits::kMaxCoconodes,
    .accounts = limits::kMaxListedAccounts,
    .sources = limits::kMinSourcesToFill,
    .expiry = limits::kPresenceExpiry,
    .refresh = limits::kForeignPresence,
    .past = {.things = limits::kMaxPastOwners,
             .sources = limits::kMinSourcesToFill,
             .memory = limits::kOwnerMemory},
};
/// How old a `lastSeen` may be shown: a presence that changes nothing else does not make every
/// reader's text a new one.
constexpr Duration kLastSeenAge = 1s;
constexpr std::size_t kMaxMetricsBytes = 16 * limits::kMiB;

template <class Row>
typename MetricsWindow<Row>::Limits window_limits() {
  return {limits::kMetricsInterval, limits::kMaxMetricsRows, kMaxMetricsBytes,
          limits::kMinSourcesToFill};
}

std::string describe(const topology::MixInfo& mix) {
  return "mix " + mix.host + " layer " + std::to_string(mix.layer) + " " +
         mix.public_key.to_base58();
}
std::string describe(const topology::ProviderInfo& provider) {
  return "provider " + provider.mixnet_listener + " for clients " + provider.client_listener +
         ", " + std::to_string(provider.registered_clients.size()) + " accounts, " +
         provider.public_key.to_base58();
}
std::string describe(const topology::CocoInfo& coco) {
  return "coconode " + coco.host + " " + coco.public_key.to_base58();
}
std::string describe(const topology::MixMetrics& metrics) {
  std::uint64_t sent = 0;
  for (const auto& [peer, count] : metrics.sent)
    sent += count;
  return "received " + std::to_string(metrics.received) + " sent " + std::to_string(sent);
}
std::string describe(const topology::ClientMetrics& metrics) {
  return "client " + metrics.public_key.to_base58() + " loops sent " +
         std::to_string(metrics.loops_sent) + " home " + std::to_string(metrics.loops_home) +
         " lost " + std::to_string(metrics.loops_lost);
}

HttpReply json_reply(unsigned status, std::string body) {
  HttpReply reply;
  reply.status = status;
  reply.body = std::move(body);
  return reply;
}
HttpReply ok(unsigned status) {
  return json_reply(status, R"({"ok":true})");
}

template <class Row>
std::string array_of(const std::vector<Row>& rows) {
  std::string out = "[";
  for (const Row& row : rows) {
    if (out.size() > 1) out += ',';
    out += topology::to_json(row);
  }
  return out + "]";
}

/// A coconut node may not know its own public address: the original puts the sender's in its place,
/// unless it says that it is on this machine.
std::string seen_from_outside(const std::string& host, const runtime::Address& peer) {
  const auto address = runtime::Address::from_text(host);
  if (host.starts_with("localhost:") || (address && runtime::is_loopback(*address))) return host;
  runtime::Address seen = peer;
  const std::size_t colon = host.rfind(':');
  seen.port = runtime::read_port(host.substr(colon + 1)).value_or(peer.port);
  return seen.to_text();
}

}  // namespace

Directory::Directory(const ports::Clock& clock, Tell console, Tell broadcast, Live live)
    : x_clock(clock),
      x_console(std::move(console)),
      x_broadcast(std::move(broadcast)),
      x_live(std::move(live)),
      x_roster(kRosterLimits),
      x_mix_metrics(window_limits<topology::MixMetrics>(), clock.now()),
      x_client_metrics(window_limits<topology::ClientMetrics>(), clock.now()) {}

void Directory::say(const Request& request, unsigned status, const std::string& who) const {
  x_console(to_text(x_clock.wall_now()) + " " + request.method + " " + request.path + " " +
            std::to_string(status) + " " + who);
}

Directory::Reply Directory::refuse(const Request& request, unsigned status,
                                   const std::string& why) const {
  say(request, status, "from " + request.peer.host_text() + ": " + why);
  x_live(Audience::everyone, Telling::paced,
         [&] { return feed::refused(request.path, status, why, x_clock.wall_now()); });
  return json_reply(status, topology::error_json(why));
}

Directory::Reply Directory::health(const Request&) const {
  return ok(200);
}

// ---- Presence --------------------------------------------------------------------------------

template <class Info>
Directory::Reply Directory::presence(const Request& request,
                                     std::expected<Info, std::string> read) {
  if (!read) return refuse(request, 400, read.error());
  expire();
  const auto accepted =
      x_roster.announce(*read, request.peer.host_text(), x_clock.now(), x_clock.wall_now());
  if (!accepted) {
    const bool conflict = accepted.error().kind == topology::Refusal::Kind::conflict;
    return refuse(request, conflict ? 409 : 503, accepted.error().text);
  }
  std::string note;
  if (!accepted->replaced.empty())
    note = " (replaces " + accepted->replaced + ")";
  else if (accepted->is_new)
    note = " (new)";
  say(request, 201, describe(*read) + note);
  x_live(Audience::everyone, Telling::each, [&] {
    read->last_seen_ns = unix_ns(x_clock.wall_now());
    return accepted->changed ? feed::node(*read, accepted->is_new, accepted->taken)
                             : feed::seen(*read);
  });
  look_for_gap();
  return ok(201);
}

Directory::Reply Directory::mix_presence(const Request& request) {
  return presence(request, topology::mix_from_presence(request.body));
}
Directory::Reply Directory::provider_presence(const Request& request) {
  return presence(request, topology::provider_from_presence(request.body));
}
Directory::Reply Directory::coco_presence(const Request& request) {
  auto read = topology::coco_from_presence(request.body);
  if (read) read->host = seen_from_outside(read->host, request.peer);
  return presence(request, std::move(read));
}

void Directory::expire() {
  const topology::Expired gone = x_roster.expire(x_clock.now());
  if (gone.size() > 0)
    x_console(to_text(x_clock.wall_now()) + " " + std::to_string(gone.size()) +
              (gone.size() == 1 ? " entry" : " entries") + " expired");
  const auto tell = [&](std::string_view role, const std::vector<crypto::PublicKey>& keys) {
    for (const crypto::PublicKey& key : keys)
      x_live(Audience::everyone, Telling::each,
             [&] { return feed::gone(role, key, x_clock.wall_now()); });
  };
  tell(feed::role_of<topology::MixInfo>(), gone.mixes);
  tell(feed::role_of<topology::ProviderInfo>(), gone.providers);
  tell(feed::role_of<topology::CocoInfo>(), gone.cocos);
  look_for_gap();
}

void Directory::look_for_gap() {
  if (x_gap_of == x_roster.revision()) return;
  x_gap_of = x_roster.revision();
  const auto& layers = x_roster.layers();
  const unsigned highest = layers.empty() ? 0 : layers.rbegin()->first;
  std::optional<unsigned> gap;
  for (unsigned layer = highest; layer >= 1; --layer)
    if (!layers.contains(layer)) gap = layer;
  if (gap == std::exchange(x_gap, gap)) return;
  if (gap)
    x_console(to_text(x_clock.wall_now()) + " GAP: layer " + std::to_string(*gap) +
              " has no mix, but a layer above it has: no route leads through, and original "
              "clients stop when they read this topology");
  else
    x_console(to_text(x_clock.wall_now()) + " no gap any more: " + std::to_string(highest) +
              " layers without a hole");
}

// ---- Topology --------------------------------------------------------------------------------

void Directory::refresh_texts() {
  const bool same = x_etag_of == x_roster.revision();
  if (same && (x_text_of == x_roster.touched() || x_clock.now() < x_text_made + kLastSeenAge))
    return;
  if (x_text && x_text->size() > limits::kLargeTopologyBytes &&
      x_clock.now() < x_text_made + limits::kLargeTopologyAge)
    return;
  x_text = std::make_shared<const std::string>(x_roster.text(topology::LastSeen::shown));
  x_text_of = x_roster.touched();
  x_text_made = x_clock.now();
  if (same) return;
  const std::string stable = x_roster.text(topology::LastSeen::left_out);
  x_etag = "\"" + to_hex(crypto::digest16(as_bytes(stable))) + "\"";
  x_etag_of = x_roster.revision();
}

Directory::Reply Directory::topology(const Request& request) {
  expire();
  refresh_texts();
  Reply reply;
  reply.headers.emplace_back("ETag", x_etag);
  if (names_etag(request.if_none_match, x_etag))
    reply.status = 304;
  else
    reply.shared_body = x_text;
  return reply;
}

// ---- Metrics ---------------------------------------------------------------------------------

template <class Row>
Directory::Reply Directory::metrics(const Request& request, MetricsWindow<Row>& window,
                                    std::expected<Row, std::string> read) {
  if (!read) return refuse(request, 400, read.error());
  read->timestamp_ns = unix_ns(x_clock.wall_now());
  std::string who = describe(*read);
  if constexpr (std::is_same_v<Row, topology::MixMetrics>) {
    const topology::MixInfo* mix = x_roster.find_mix(read->public_key);
    who = (mix ? "mix " + mix->host + " layer " + std::to_string(mix->layer)
               : "unknown " + read->public_key.to_base58()) +
          " " + who;
  }
  const std::string text = topology::to_json(*read);
  const std::string source = topology::source_of(request.peer.host_text());
  if (!window.add(*read, text.size(), source, x_clock.now()))
    return refuse(request, 503, "full: too many reports in three seconds");
  say(request, 201, who);
  if constexpr (std::is_same_v<Row, topology::MixMetrics>) {
    x_broadcast(text);
    x_live(Audience::everyone, Telling::each, [&] { return feed::report(*read); });
  } else {
    x_live(Audience::this_machine, Telling::each, [&] { return feed::loops(*read); });
  }
  return ok(201);
}

Directory::Reply Directory::post_mix_metrics(const Request& request) {
  return metrics(request, x_mix_metrics, topology::mix_metrics_from_json(request.body));
}
Directory::Reply Directory::get_mix_metrics(const Request&) {
  const Instant now = x_clock.now();
  if (!x_metrics_text || x_metrics_of != x_mix_metrics.number(now)) {
    x_metrics_text = std::make_shared<const std::string>(array_of(x_mix_metrics.full(now)));
    x_metrics_of = x_mix_metrics.number(now);
  }
  Reply reply;
  reply.shared_body = x_metrics_text;
  return reply;
}

Directory::Reply Directory::post_client_metrics(const Request& request) {
  if (!runtime::is_loopback(request.peer))
    return refuse(request, 403, "client metrics are taken from this machine only");
  return metrics(request, x_client_metrics, topology::client_metrics_from_json(request.body));
}
Directory::Reply Directory::get_client_metrics(const Request& request) {
  if (!runtime::is_asked_here(request))
    return json_reply(403, topology::error_json("client metrics are shown to this machine only"));
  return json_reply(200, array_of(x_client_metrics.full(x_clock.now())));
}

// ---- The rest --------------------------------------------------------------------------------

std::vector<std::string> Directory::opening(bool is_local) {
  expire();
  const Instant now = x_clock.now();
  const auto recent = [&](auto& window) {
    auto rows = window.full(now);
    const auto& running = window.running(now);
    rows.insert(rows.end(), running.begin(), running.end());
    return rows;
  };
  const WallTime wall = x_clock.wall_now();
  if (!x_since) x_since = wall - (now - x_mix_metrics.start());
  std::vector<topology::ClientMetrics> clients;
  if (is_local) clients = recent(x_client_metrics);
  return {feed::hello(wall, *x_since, is_local), feed::nodes(x_roster.topology()),
          feed::reports(recent(x_mix_metrics), clients)};
}

Directory::Reply Directory::plain_page(const Request&) {
  expire();
  Reply reply;
  reply.content_type = "text/html; charset=utf-8";
  reply.headers.emplace_back("Content-Security-Policy",
                             "default-src 'none'; style-src 'unsafe-inline'");
  reply.headers.emplace_back("Cache-Control", "no-store");
  reply.body = plain_page_of(x_roster.topology(), x_gap, x_clock.wall_now());
  return reply;
}

Directory::Reply Directory::fallback(const Request& request) const {
  if (request.method == "OPTIONS" && !request.origin.empty()) {
    Reply reply;
    reply.status = 204;
    reply.headers = {{"Access-Control-Allow-Methods", "GET,POST,PUT,PATCH,DELETE,HEAD"},
                     {"Access-Control-Allow-Headers", "Origin,Content-Length,Content-Type"},
                     {"Access-Control-Max-Age", "43200"}};
    return reply;
  }
  return {404, "text/plain", "404 page not found", {}};
}

}  // namespace mix::directory
