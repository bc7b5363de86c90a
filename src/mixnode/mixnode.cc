// SPDX-License-Identifier: Apache-2.0
#include "src/mixnode/mixnode.h"

#include <algorithm>

#include "src/mixnode/inward.h"
#include "src/prelude/log.h"
#include "src/topology/json.h"
#include "src/topology/metrics.h"
#include "src/topology/version.h"

namespace mix::mixnode {
namespace {

using record::DropReason;
using record::HandledRow;
using runtime::Stream;

/// Packets sent in one turn of the loop, so that a burst does not keep readers waiting (some 2 ms).
constexpr std::size_t kReleasedPerTurn = 1024;

HandledRow row_of(const Parcel& parcel) {
  HandledRow row;
  row.received_ns = record::ns(parcel.received);
  row.digest_in = parcel.digest_in;
  row.next_address = parcel.next.to_text();
  row.delay_ns = parcel.delay.count();
  return row;
}

}  // namespace

std::expected<std::unique_ptr<Mixnode>, std::string> Mixnode::open(runtime::Loop& loop,
                                                                   ports::Entropy& entropy,
                                                                   record::HopLog& log,
                                                                   const Options& options) {
  auto listener = runtime::Listener::open(loop, options.listen,
                                          {wire::kMaxConnections, wire::kListenBacklog, true});
  if (!listener) return std::unexpected(listener.error());
  const crypto::KeyPair keys = crypto::KeyPair::generate(entropy);
  return std::unique_ptr<Mixnode>(new Mixnode(loop, keys, log, options, std::move(*listener)));
}

Mixnode::Mixnode(runtime::Loop& loop, const crypto::KeyPair& keys, record::HopLog& log,
                 const Options& options, runtime::Listener listener)
    : x_loop(loop),
      x_options(options),
      x_keys(keys),
      x_log(log),
      x_relay(keys.secret, {.layer = options.layer,
                            .layers = options.layers,
                            .tag_memory_bytes = options.tag_memory_bytes,
                            .digests = log.on()}),
      x_peers(loop, [this](const Parcel& parcel, Outcome outcome) { done(parcel, outcome); }),
      x_alarm(loop, [this] { pump(); }),
      x_intake(loop, {.take = [this](wire::PacketView packet, Instant now) { take(packet, now); },
                      .read_over = [this] { pump(); },
                      .cut_off = [this] { cut_off(); }}),
      x_listener(std::move(listener)),
      x_presence(loop,
                 {.directory = options.directory,
                  .path = presence::kMixPresencePath,
                  .what = "presence",
                  .interval = wire::kPresenceInterval},
                 [this] { return presence_body(); }),
      x_metrics(loop,
                {.directory = options.directory,
                 .path = presence::kMixMetricsPath,
                 .what = "metrics",
                 .interval = wire::kMetricsInterval,
                 .at_once = false},
                [this] { return metrics_body(); }),
      x_watcher(loop, {.directory = options.directory,
                       .interval = wire::kTopologyInterval,
                       .refresh_gap = wire::kTopologyRefreshGap,
                       .accounts = topology::Accounts::left_out}) {
  if (x_options.announce_port == 0) x_options.announce_port = x_listener.local().port;
  x_options.announce_address.port = x_options.announce_port;
}

void Mixnode::start() {
  record_node();
  x_listener.serve([this](Stream stream) { return x_intake.serve(std::move(stream)); });
  x_watcher.start([this](const auto& view) { heard(*view); },
                  [this](Instant asked) {
                    x_relay.topology_is_of(asked);
                    pump();
                  });
  x_presence.start();
  if (x_options.metrics) x_metrics.start();
}

// ---- Packets come ---------------------------------------------------------------------------

void Mixnode::take(wire::PacketView packet, Instant now) {
  ++x_tally.received;
  ++x_received_since_report;
  const auto taken = x_relay.take(packet, now);
  if (!taken) refused(packet, now, taken.error());
  if (x_relay.take_refresh_wish()) x_watcher.refresh_soon();
  watch_tag_memory();
}

/// Without a row: there is no packet to name.
void Mixnode::cut_off() {
  ++x_tally.received;
  x_tally.dropped.add(DropReason::short_packet);
}

void Mixnode::refused(wire::PacketView packet, Instant now, const Refusal& refusal) {
  x_tally.dropped.add(refusal.reason);
  if (!x_log.on()) return;
  HandledRow row;
  row.received_ns = record::ns(now);
  row.digest_in = crypto::digest16(packet);
  if (refusal.next) row.next_address = refusal.next->to_text();
  if (refusal.delay) row.delay_ns = refusal.delay->count();
  row.verdict = record::Verdict::drop;
  row.reason = refusal.reason;
  x_log.handled(std::move(row));
}

// ---- Packets go -----------------------------------------------------------------------------

/// Sends what is due, and sets the alarm for what is due next.
void Mixnode::pump() {
  x_relay.release(x_loop.now(), kReleasedPerTurn,
                  [&](const Held& held, std::optional<DropReason> reason) {
                    if (reason) return dropped(held, *reason);
                    Parcel parcel{held.next, held.received, held.delay, held.digest_in, {}};
                    if (x_log.on()) parcel.digest_out = crypto::digest16(held.packet);
                    x_peers.add(held.packet, parcel, x_relay.neighbours().info(held.next));
                  });
  x_peers.flush();
  if (x_relay.take_refresh_wish()) x_watcher.refresh_soon();
  arm();
}

void Mixnode::arm() {
  const auto due = x_relay.next_due();
  if (due == x_alarm.deadline()) return;
  if (due)
    x_alarm.arm(*due);
  else
    x_alarm.disarm();
}

void Mixnode::done(const Parcel& parcel, Outcome outcome) {
  if (outcome) {
    ++x_tally.sent;
    if (x_options.metrics) ++x_sent_since_report[parcel.next];
  } else {
    x_tally.dropped.add(outcome.error());
  }
  if (!x_log.on()) return;
  HandledRow row = row_of(parcel);
  if (outcome) {
    row.sent_ns = record::ns(*outcome);
    row.digest_out = parcel.digest_out;
    row.verdict = record::Verdict::forward;
  } else {
    row.verdict = record::Verdict::drop;
    row.reason = outcome.error();
  }
  x_log.handled(std::move(row));
}

void Mixnode::dropped(const Held& held, DropReason reason) {
  x_tally.dropped.add(reason);
  if (!x_log.on()) return;
  HandledRow row = row_of({held.next, held.received, held.delay, held.digest_in, {}});
  row.verdict = record::Verdict::drop;
  row.reason = reason;
  x_log.handled(std::move(row));
}

void Mixnode::finish() {
  x_relay.abandon([&](const Held& held) { dropped(held, DropReason::shutting_down); });
  x_peers.abandon();
  x_log.flush();
}

// ---- The directory --------------------------------------------------------------------------

void Mixnode::heard(const presence::View& view) {
  std::vector<Listed> nodes;
  const auto list = [&](std::string_view host, unsigned layer, std::string_view version) {
    nodes.push_back({sendable_from(x_options.announce_address, view.addresses_of(host)), layer,
                     topology::is_mixlab(version)});
  };
  for (const topology::MixInfo& mix : view.topology.mixes())
    list(mix.host, mix.layer, mix.version);
  for (const topology::ProviderInfo& provider : view.topology.providers())
    list(provider.mixnet_listener, x_options.layers + 1, provider.version);
  x_relay.update_topology(nodes, x_loop.now());
  pump();
}

std::string Mixnode::announced() const {
  const bool bare_ipv6 = x_options.announce_host.find(':') != std::string::npos &&
                         !x_options.announce_host.starts_with('[');
  const std::string host =
      bare_ipv6 ? "[" + x_options.announce_host + "]" : x_options.announce_host;
  return host + ":" + std::to_string(x_options.announce_port);
}

std::string Mixnode::presence_body() const {
  topology::MixInfo mix;
  mix.host = announced();
  mix.public_key = x_keys.public_key;
  mix.layer = x_options.layer;
  mix.version = topology::kOurVersion;
  return topology::to_presence_json(mix);
}

/// What was counted since the last report; counting begins anew.
std::string Mixnode::metrics_body() {
  topology::MixMetrics metrics;
  metrics.public_key = x_keys.public_key;
  metrics.received = std::exchange(x_received_since_report, 0);
  for (const auto& [address, count] : x_sent_since_report) {
    if (metrics.sent.size() == wire::kMaxMetricsPeers) break;
    metrics.sent.emplace(address.to_text(), count);
  }
  x_sent_since_report.clear();
  return topology::to_report_json(metrics);
}

/// Said once: from now on the node no longer knows every packet it ever took.
void Mixnode::watch_tag_memory() {
  if (x_forgetting_said || x_relay.forgotten_generations() == 0) return;
  x_forgetting_said = true;
  log::warn("the tag memory is full: a packet sent again after more than ",
            x_relay.replay_window_packets(), " others is no longer refused (see --tag-memory)");
}

void Mixnode::record_node() {
  if (!x_log.on()) return;
  record::NodeRow row;
  row.name = "mix-" + std::to_string(x_listener.local().port);
  row.role = record::Role::mix;
  row.layer = static_cast<std::uint8_t>(x_options.layer);
  row.address = x_options.announce_address.to_text();
  row.public_key = x_keys.public_key.to_base58();
  x_log.node(std::move(row));
}

}  // namespace mix::mixnode
