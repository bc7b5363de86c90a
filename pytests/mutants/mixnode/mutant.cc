// SPDX-License-Identifier: Apache-2.0
#include "pytests/mutants/mixnode/mutant.h"

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include "src/topology/json.h"
#include "src/topology/version.h"
#include "src/wire/frame.h"

namespace mutants {

using namespace mix;
using mixnode::Standing;
using peers::Outcome;
using peers::Parcel;
using record::DropReason;
using runtime::Stream;
using runtime::Task;

namespace {

/// Of the promises that are broken now and then.
constexpr std::uint64_t kEvery = 10;

/// What no clock interface of ours hands out.
std::uint64_t cycles() {
#if defined(__x86_64__)
  return __rdtsc();
#else
  std::uint64_t count = 0;
  asm volatile("mrs %0, cntvct_el0" : "=r"(count));
  return count;
#endif
}

DropReason reason_of(sphinx::PeelError error) {
  if (error == sphinx::PeelError::zero_secret) return DropReason::zero_shared_secret;
  return error == sphinx::PeelError::unknown_flag ? DropReason::flag : DropReason::mac;
}

}  // namespace

Mutant::Mutant(runtime::Loop& loop, ports::Entropy& entropy, record::HopLog& log,
               runtime::Listener listener, const Options& options)
    : x_loop(loop),
      x_log(log),
      x_options(options),
      x_listener(std::move(listener)),
      x_keys(crypto::KeyPair::generate(entropy)),
      x_peeler(x_keys.secret),
      x_neighbours(options.layer, options.layers),
      x_held(wire::kMaxPendingPackets),
      x_peers(loop, [this](const Parcel& parcel, Outcome outcome) { done(parcel, outcome); }),
      x_alarm(loop, [this] { pump(); }),
      x_presence(
          loop,
          {.directory = options.directory, .path = presence::kMixPresencePath, .what = "presence"},
          [this] {
            topology::MixInfo mix;
            mix.host = x_options.host + ":" + std::to_string(x_listener.local().port);
            mix.public_key = x_keys.public_key;
            mix.layer = x_options.layer;
            mix.version = topology::kOurVersion;
            return topology::to_presence_json(mix);
          }),
      x_watcher(loop, {.directory = options.directory}) {}

void Mutant::start() {
  record::NodeRow row;
  row.name = "mix-" + std::to_string(x_listener.local().port);
  row.role = record::Role::mix;
  row.layer = static_cast<std::uint8_t>(x_options.layer);
  row.address = x_listener.local().to_text();
  row.public_key = x_keys.public_key.to_base58();
  x_log.node(std::move(row));
  x_listener.serve([this](Stream stream) { return serve(std::move(stream)); });
  x_watcher.start([this](const auto& view) { heard(*view); });
  x_presence.start();
}

Task<> Mutant::serve(Stream stream) {
  wire::FrameReader reader;
  Bytes buffer(wire::kPacketBytes);
  while (true) {
    const auto got = co_await stream.read_some(buffer);
    if (!got || *got == 0) co_return;
    sphinx::Packet packet{};
    if (breaks(Promise::whole_reads)) {
      std::ranges::copy(BytesView(buffer).first(*got), packet.begin());
      take(packet);
    } else {
      reader.feed(BytesView(buffer).first(*got));
      while (const auto whole = reader.next()) {
        std::ranges::copy(*whole, packet.begin());
        take(packet);
      }
    }
    pump();
  }
}

void Mutant::take(const sphinx::Packet& packet) {
  ++x_taken;
  Parcel parcel;
  parcel.received = x_loop.now();
  parcel.digest_in = crypto::digest16(packet);
  if (breaks(Promise::tag_before_mac) && !is_new(packet, {}))
    return drop(parcel, DropReason::replay);
  const auto header = x_peeler.open_header(packet);
  if (!header) return drop(parcel, reason_of(header.error()));
  if (!breaks(Promise::tag_before_mac) && !is_new(packet, header->tag()))
    return drop(parcel, DropReason::replay);
  if (header->is_final()) return drop(parcel, DropReason::final_at_mix);
  const auto next = sphinx::NodeAddress::decode(header->address());
  if (!next) return drop(parcel, DropReason::bad_next_address);
  parcel.next = *next;
  parcel.delay = header->delay();
  if (parcel.delay > wire::kMaxDelay) return drop(parcel, DropReason::delay_too_long);
  const auto peeled = header->finish(packet);
  if (!peeled) return drop(parcel, DropReason::mac);
  Held* held = x_held.hold(due(parcel.received, parcel.delay));
  if (!held) return drop(parcel, DropReason::pending_full);
  held->packet = std::get<sphinx::Forward>(*peeled).packet;
  held->parcel = parcel;
  held->number = x_taken;
  if (breaks(Promise::tagging)) held->packet.back() ^= 1;
  if (breaks(Promise::plain_payload))
    std::ranges::copy(BytesView(packet).subspan(sphinx::kPayloadAt),
                      held->packet.begin() + sphinx::kPayloadAt);
}

bool Mutant::is_new(const sphinx::Packet& packet, const sphinx::Tag& tag) {
  if (breaks(Promise::replay)) return true;
  if (breaks(Promise::tag_of_alpha) || breaks(Promise::tag_before_mac))
    return x_tags.remember(crypto::digest16(BytesView(packet).first(sphinx::kAlphaBytes)));
  return x_tags.remember(tag);
}

Instant Mutant::due(Instant now, Duration delay) {
  if (breaks(Promise::early)) return now + delay / 10 * 9;
  if (breaks(Promise::no_hold)) return now;
  if (breaks(Promise::coarse_timer)) {
    const auto ns = (now + delay).time_since_epoch().count();
    constexpr std::int64_t kStep = 10'000'000;
    return Instant(Duration((ns + kStep - 1) / kStep * kStep));
  }
  if (breaks(Promise::leak_address))
    return now + delay + Duration(reinterpret_cast<std::uintptr_t>(&delay) >> 4 & 0xffff);
  if (breaks(Promise::leak_counter)) return now + delay + Duration(cycles() & 0xffff);
  return now + delay;
}

void Mutant::drop(const Parcel& parcel, DropReason reason) {
  record::HandledRow row;
  row.received_ns = record::ns(parcel.received);
  row.digest_in = parcel.digest_in;
  row.reason = reason;
  x_log.handled(std::move(row));
}

void Mutant::pump() {
  if (!x_neighbours.any()) return;
  const Instant now = x_loop.now();
  x_held.release(now, x_held.size(), [&](Held& held) {
    const Standing standing = x_neighbours.judge(held.parcel.next, now);
    if (standing == Standing::next_layer || breaks(Promise::layer_order)) return send(held);
    drop(held.parcel, standing == Standing::unknown ? DropReason::next_hop_unknown
                                                    : DropReason::next_hop_not_next_layer);
  });
  x_peers.flush();
  if (const auto next = x_held.next_due()) x_alarm.arm(*next);
}

void Mutant::send(Held& held) {
  const bool chosen = held.number % kEvery == 0;
  if (breaks(Promise::silent_drop) && chosen) return;
  held.parcel.digest_out = crypto::digest16(held.packet);
  if (breaks(Promise::false_row) && chosen) return done(held.parcel, x_loop.now());
  // A parcel without its digest is one that done() does not record.
  if (breaks(Promise::forgotten_row) && chosen) held.parcel.digest_out = {};
  const auto info = x_neighbours.info(held.parcel.next);
  x_peers.add(held.packet, held.parcel, info);
  if (breaks(Promise::duplicate)) x_peers.add(held.packet, held.parcel, info);
}

void Mutant::done(const Parcel& parcel, Outcome outcome) {
  if (!outcome) return drop(parcel, outcome.error());
  if (parcel.digest_out == crypto::Digest16{}) return;
  record::HandledRow row;
  row.received_ns = record::ns(parcel.received);
  row.digest_in = parcel.digest_in;
  row.sent_ns = record::ns(*outcome);
  row.digest_out = parcel.digest_out;
  row.next_address = parcel.next.to_text();
  row.delay_ns = parcel.delay.count();
  row.verdict = record::Verdict::forward;
  x_log.handled(std::move(row));
}

void Mutant::heard(const presence::View& view) {
  std::vector<mixnode::Listed> nodes;
  for (const topology::MixInfo& mix : view.topology.mixes())
    nodes.push_back({view.addresses_of(mix.host), mix.layer, topology::is_mixlab(mix.version)});
  for (const topology::ProviderInfo& provider : view.topology.providers())
    nodes.push_back({view.addresses_of(provider.mixnet_listener), x_options.layers + 1,
                     topology::is_mixlab(provider.version)});
  x_neighbours.update(nodes, x_loop.now());
  pump();
}

}  // namespace mutants
