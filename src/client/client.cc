// SPDX-License-Identifier: Apache-2.0
#include "src/client/client.h"

#include "src/crypto/cipher.h"
#include "src/prelude/log.h"
#include "src/runtime/http_server.h"
#include "src/runtime/resolve.h"
#include "src/topology/metrics.h"
#include "src/topology/version.h"

namespace mix::client {
namespace {

record::PacketClass class_of(Kind kind) {
  switch (kind) {
    case Kind::loop:
      return record::PacketClass::loop;
    case Kind::cover:
      return record::PacketClass::cover;
    case Kind::real:
      break;
  }
  return record::PacketClass::real;
}

}  // namespace

Client::Client(runtime::Loop& loop, const Settings& settings, const crypto::KeyPair& self,
               record::HopLog& log, ports::Entropy& root)
    : x_loop(loop),
      x_settings(settings),
      x_self(self),
      x_log(log),
      x_chance(root),
      x_composer(self, settings.mean_delay, x_chance),
      x_mark(self.secret),
      x_map(settings.layers, settings.provider),
      x_ledger(settings.loop_timeout),
      x_receiver(loop, self.public_key,
                 {.registered = [this] { registered(); },
                  .message = [this](BytesView message) { received(message); }}),
      x_peers(loop, [this](const peers::Parcel& parcel,
                           const peers::Outcome& outcome) { handed_over(parcel, outcome); }),
      x_watcher(loop, {.directory = settings.directory}),
      x_alarm(loop, [this] { ring(); }),
      x_reports(loop.now() + kReportInterval, kReportInterval) {}

Client::~Client() = default;

void Client::start() {
  x_watcher.start([this](const std::shared_ptr<const presence::View>& view) { take_view(*view); });
  if (is_local(x_settings.directory)) {
    x_announcer = std::make_unique<presence::Announcer>(
        x_loop,
        presence::Announcer::Options{.directory = x_settings.directory,
                                     .path = presence::kClientMetricsPath,
                                     .what = "loop counts",
                                     .interval = wire::kMetricsInterval,
                                     .at_once = false},
        [this] { return metrics(); });
    x_announcer->start();
  }
  arm();
}

// ---- When ------------------------------------------------------------------------------------

void Client::ring() {
  const Instant now = x_loop.now();
  while (x_emission) {
    const auto tick = x_emission->take(now);
    if (!tick) break;
    emit(*tick, now);
  }
  x_peers.flush();
  if (x_polls && x_polls->take(now)) poll(now);
  if (x_reports.take(now)) report(now);
  arm();
}

void Client::arm() {
  Instant next = x_reports.next();
  if (x_polls) next = std::min(next, x_polls->next());
  if (x_emission) next = std::min(next, x_emission->next());
  x_alarm.arm(next);
}

void Client::take_view(const presence::View& view) {
  const Instant now = x_loop.now();
  x_map.take(view, now);
  if (x_map.skipped() > 0)
    log::debug(x_settings.id, ": ", x_map.skipped(), " entries of the topology cannot be used");
  say_obstacle();
  if (!x_polls && x_map.provider() != nullptr) {
    x_polls.emplace(now, x_settings.poll_interval);
    arm();
  }
}

void Client::registered() {
  if (x_emission) return;
  log::info(x_settings.id, ": registered with provider ", x_map.provider()->public_key.to_base58());
  x_emission.emplace(traffic::Emission::Means{x_settings.loop_gap, x_settings.send_gap},
                     x_chance.loop_gaps, x_chance.real_gaps, x_loop.now());
  arm();
}

void Client::say_obstacle() {
  std::string obstacle = x_map.obstacle();
  if (obstacle == x_obstacle) return;
  if (obstacle.empty())
    log::info(x_settings.id, ": sending again");
  else
    log::warn(x_settings.id, ": nothing is sent: ", obstacle);
  x_obstacle = std::move(obstacle);
}

// ---- Out -------------------------------------------------------------------------------------

void Client::emit(const traffic::Tick& tick, Instant now) {
  auto composed = tick.stream == traffic::Stream::loop ? x_composer.loop(x_map)
                                                       : x_composer.real(x_map, x_outbox.front());
  if (composed) hand_over(std::move(*composed), now);
}

void Client::hand_over(Composed composed, Instant now) {
  const auto& addresses = x_map.addresses_of(*composed.first);
  const std::uint64_t ticket = ++x_tickets;
  crypto::Digest16 digest{};
  if (x_log.on()) digest = crypto::digest16(composed.packet);
  if (composed.kind != Kind::real) x_ledger.sent(composed.kind, composed.mark, now, digest);

  InHand& in_hand = x_in_hand[ticket];
  if (composed.kind == Kind::real) in_hand.message = x_outbox.take();
  if (x_log.on()) {
    in_hand.row.created_ns = record::ns(now);
    in_hand.row.digest = digest;
    in_hand.row.packet_class = class_of(composed.kind);
    in_hand.row.recipient = composed.recipient.to_base58();
    in_hand.row.first_address = addresses.front().to_text();
  }
  const auto info = std::make_shared<const peers::PeerInfo>(
      peers::PeerInfo{topology::is_mixlab(composed.first->version), addresses});
  peers::Parcel parcel;
  parcel.next = addresses.front();
  parcel.ticket = ticket;
  x_peers.add(composed.packet, parcel, info);
}

void Client::handed_over(const peers::Parcel& parcel, const peers::Outcome& outcome) {
  auto node = x_in_hand.extract(parcel.ticket);
  InHand& in_hand = node.mapped();
  if (outcome)
    in_hand.row.sent_ns = record::ns(*outcome);
  else
    x_drops.add(*(in_hand.row.reason = outcome.error()));
  if (in_hand.message) {
    // A message is the user's until the network has it: another tick, another route.
    if (outcome)
      x_outbox.sent();
    else
      x_outbox.failed(std::move(*in_hand.message));
  }
  if (x_log.on()) x_log.made(std::move(in_hand.row));
}

// ---- In --------------------------------------------------------------------------------------

void Client::poll(Instant now) {
  if (x_map.reconsider(now))
    log::warn(x_settings.id, ": the provider has been away for a minute; moving to ",
              x_map.provider()->public_key.to_base58());
  const auto& provider = *x_map.provider();
  x_receiver.slot(provider.public_key, *runtime::Address::from_text(provider.client_listener));
}

void Client::received(BytesView message) {
  const Instant now = x_loop.now();
  record::FetchedRow row;
  row.time_ns = record::ns(now);
  if (const auto own = x_mark.recognise(message)) {
    row.packet_class = class_of(own->kind);
    row.digest = x_ledger.home(own->mark, now);
  } else {
    x_inbox.put({message.begin(), message.end()});
    if (x_inbox.overflowed() > 0 && !std::exchange(x_overflow_said, true))
      log::warn(x_settings.id, ": ", Inbox::kCapacity,
                " messages were not fetched; the oldest are dropped from now on");
  }
  if (!row.digest) row.local_id = static_cast<std::int64_t>(++x_strangers);
  if (x_log.on()) x_log.fetched(row);
}

// ---- The user --------------------------------------------------------------------------------

std::expected<void, std::string> Client::send(const crypto::PublicKey& recipient,
                                              BytesView message) {
  CHECK(message.size() <= kMaxMessage, message.size());
  if (x_outbox.put({recipient, {message.begin(), message.end()}})) return {};
  return std::unexpected(std::to_string(Outbox::kCapacity) +
                         " messages wait to be sent already; try again later");
}

std::expected<std::vector<crypto::PublicKey>, std::string> Client::clients() {
  if (auto all = x_map.clients()) return std::move(*all);
  return std::unexpected(kInvalidTopology);
}

// ---- What there is to say --------------------------------------------------------------------

void Client::report(Instant now) {
  log::info(x_settings.id, ": ", x_ledger.report(now));
}

void Client::finish() {
  x_peers.abandon();
  report(x_loop.now());
  if (x_outbox.size() > 0)
    log::warn(x_settings.id, ": ", x_outbox.size(), " messages of the user were not sent");
  if (x_inbox.size() > 0)
    log::warn(x_settings.id, ": ", x_inbox.size(), " received messages were not fetched");
  const auto& pulls = x_receiver.counts();
  log::info(x_settings.id, ": packets not sent: ", x_drops.to_text(), "; pulls: ", pulls.pulls,
            ", refused ", pulls.refused, ", failed ", pulls.failed);
  log::info(x_settings.id, ": refused: ", x_loop.refusals().to_text());
}

/// What changed since the last report that the directory took.
std::string Client::metrics() {
  if (const std::uint64_t taken = x_announcer->taken(); taken != std::exchange(x_taken, taken))
    x_told = x_telling;
  x_telling = x_ledger.counts(x_loop.now());
  const LoopCounts news = x_telling - x_told;
  topology::ClientMetrics report{.public_key = x_self.public_key,
                                 .loops_sent = news.sent,
                                 .loops_home = news.home,
                                 .loops_lost = news.lost};
  report.loops_out = x_telling.out();
  for (const Duration round_trip : x_ledger.round_trips_since(x_told.home))
    report.round_trips_ns.push_back(static_cast<std::uint64_t>(round_trip.count()));
  return topology::to_report_json(report);
}

bool is_local(std::string_view url) {
  const std::string_view scheme = "http://";
  if (!url.starts_with(scheme)) return false;
  url.remove_prefix(scheme.size());
  url = url.substr(0, url.find('/'));
  std::string host_port(url);
  if (host_port.empty() || host_port.find(':', host_port.rfind(']') + 1) == std::string::npos)
    host_port += ":80";
  const auto host = runtime::split_host_port(host_port);
  if (!host) return false;
  const auto addresses = runtime::resolve_now(host->host, host->port);
  return !addresses.empty() && std::ranges::all_of(addresses, [](const runtime::Address& a) {
    return runtime::is_loopback(a);
  });
}

}  // namespace mix::client
