// SPDX-License-Identifier: Apache-2.0
// nym-client with some of its functions exchanged, and not a line of it changed or aware of that.
//
// mutant-client is the client's own objects, main.cc included. The linker is told (--wrap, by
// ../CMakeLists.txt, which reads the names below) to let every call from one object to another of
// "f" go to "__wrap_f", which is in this file, and to call the client's own "__real_f". So each
// function here does what the real one does but for one thing, and only when its promise is to be
// broken. A name that no longer exists in src/ has no "__real_": the link fails, and says which.
//
// Threads: the client's one.
#include "pytests/mutants/client/exchanged.h"

#include <algorithm>

#include "src/client/client.h"
#include "src/client/ws_protocol.h"
#include "src/ports/clock.h"
#include "src/topology/path.h"
#include "src/topology/version.h"
#include "src/traffic/poisson.h"

using namespace mix;

namespace mutants {
namespace {

constexpr Duration kBunch = 50ms, kHesitation = 30ms;

Promise broken = Promise::none;
bool composing = false;               // inside Composer::compose
client::Kind kind{};                  // of the packet composed last
bool one_more = false;                // another real packet goes now
bool repeating = false;               // the packet being composed is that other one
bool fetched = false;                 // the user asked since the last pull
Instant busy_until = Instant::min();  // with the user

bool breaks(Promise promise) {
  return broken == promise;
}

}  // namespace

void set_broken(Promise promise) {
  broken = promise;
}

// ---- What is asked of mixes, and when packets go ---------------------------------------------

Duration real_exponential(ports::Entropy&, Duration) __asm__(
    "__real__ZN3mix7traffic11exponentialERNS_5ports7EntropyENSt6chrono8durationIlSt5ratioILl1ELl100"
    "0000000EEEE");
Duration exponential(ports::Entropy& chance, Duration mean) __asm__(
    "__wrap__ZN3mix7traffic11exponentialERNS_5ports7EntropyENSt6chrono8durationIlSt5ratioILl1ELl100"
    "0000000EEEE");
Duration exponential(ports::Entropy& chance, Duration mean) {
  if (!composing) {  // a gap
    const Duration gap = real_exponential(chance, mean);
    if (breaks(Promise::metronome)) return mean;
    return breaks(Promise::sleep_after_send) ? gap + mean / 10 : gap;
  }
  if (breaks(Promise::even_delays))
    return Duration(
        static_cast<std::int64_t>(chance.u64() % (2 * static_cast<std::uint64_t>(mean.count()))));
  const bool longer = breaks(Promise::loop_mean) && kind == client::Kind::loop;
  const Duration delay = real_exponential(chance, longer ? 3 * mean : mean);
  return breaks(Promise::cut_delays) ? std::min(delay, 2 * mean) : delay;
}

using traffic::Emission;
using traffic::Tick;

Tick real_earliest(const Emission*) __asm__("__real__ZNK3mix7traffic8Emission8earliestEv");
Tick earliest(const Emission* self) __asm__("__wrap__ZNK3mix7traffic8Emission8earliestEv");
Tick earliest(const Emission* self) {
  Tick tick = real_earliest(self);
  if (breaks(Promise::bunches)) {
    const auto ns = tick.due.time_since_epoch().count(), step = kBunch.count();
    tick.due = Instant(Duration((ns + step - 1) / step * step));
  }
  if (breaks(Promise::hesitates)) tick.due = std::max(tick.due, busy_until);
  return tick;
}

std::optional<Tick> real_take(Emission*, Instant) __asm__(
    "__real__ZN3mix7traffic8Emission4takeENSt6chrono10time_pointINS_13MonotonicLineENS2_8durationIl"
    "St5ratioILl1ELl1000000000EEEEEE");
std::optional<Tick> take(Emission* self, Instant now) __asm__(
    "__wrap__ZN3mix7traffic8Emission4takeENSt6chrono10time_pointINS_13MonotonicLineENS2_8durationIl"
    "St5ratioILl1ELl1000000000EEEEEE");
std::optional<Tick> take(Emission* self, Instant now) {
  if (breaks(Promise::hesitates) && now < busy_until) return std::nullopt;
  if (one_more) {
    one_more = false;
    repeating = true;
    return Tick{traffic::Stream::real, now};
  }
  repeating = false;
  const Instant due = real_earliest(self).due;
  if (breaks(Promise::catch_up) && due <= now) return real_take(self, due);
  return real_take(self, now);
}

// ---- What is sent ----------------------------------------------------------------------------

using client::Composer;

Composer::Result
real_compose(Composer*, const client::NetworkMap&, client::Kind, const client::Message*) __asm__(
    "__real__ZN3mix6client8Composer7composeB5cxx11ERKNS0_10NetworkMapENS0_4KindEPKNS0_7MessageE");
Composer::Result
compose(Composer* self, const client::NetworkMap& map, client::Kind what, const client::Message* message) __asm__(
    "__wrap__ZN3mix6client8Composer7composeB5cxx11ERKNS0_10NetworkMapENS0_4KindEPKNS0_7MessageE");
Composer::Result compose(Composer* self, const client::NetworkMap& map, client::Kind what,
                         const client::Message* message) {
  composing = true;
  kind = what;
  auto composed = real_compose(self, map, what, message);
  composing = false;
  if (breaks(Promise::repeats) && what == client::Kind::real && !repeating) one_more = true;
  return composed;
}

using ChosenRoute = std::expected<topology::Route, topology::LayerEmpty>;

ChosenRoute
real_choose_route(const topology::Topology&, unsigned, const topology::ProviderInfo&, ports::Entropy&) __asm__(
    "__real__ZN3mix8topology12choose_routeERKNS0_8TopologyEjRKNS0_12ProviderInfoERNS_5ports7Ent"
    "ropyE");
ChosenRoute
choose_route(const topology::Topology& topology, unsigned layers, const topology::ProviderInfo& provider, ports::Entropy& entropy) __asm__(
    "__wrap__ZN3mix8topology12choose_routeERKNS0_8TopologyEjRKNS0_12ProviderInfoERNS_5ports7Ent"
    "ropyE");
ChosenRoute choose_route(const topology::Topology& topology, unsigned layers,
                         const topology::ProviderInfo& provider, ports::Entropy& entropy) {
  static ports::SystemEntropy other;
  const bool real = composing && kind == client::Kind::real;
  if (breaks(Promise::other_routes) && real)
    return real_choose_route(topology, layers, provider, other);
  return real_choose_route(topology, layers, provider, entropy);
}

bool real_is_mixlab(std::string_view) __asm__(
    "__real__ZN3mix8topology9is_mixlabESt17basic_string_viewIcSt11char_traitsIcEE");
bool is_mixlab(std::string_view version) __asm__(
    "__wrap__ZN3mix8topology9is_mixlabESt17basic_string_viewIcSt11char_traitsIcEE");
bool is_mixlab(std::string_view version) {
  const bool keeps_connections = real_is_mixlab(version);
  if (breaks(Promise::own_connections) && kind == client::Kind::real) return false;
  return keeps_connections;
}

// ---- The user, and the provider --------------------------------------------------------------

/// Private, but a symbol like others.
void ring(client::Client*) __asm__("_ZN3mix6client6Client4ringEv");

std::string real_answer_json(std::string_view, client::Service&, runtime::Refusals*) __asm__(
    "__real__ZN3mix6client11answer_jsonB5cxx11ESt17basic_string_viewIcSt11char_traitsIcEER"
    "NS0_7ServiceEPNS_7runtime8RefusalsE");
std::string
answer_json(std::string_view request, client::Service& service, runtime::Refusals* refusals) __asm__(
    "__wrap__ZN3mix6client11answer_jsonB5cxx11ESt17basic_string_viewIcSt11char_traitsIcEER"
    "NS0_7ServiceEPNS_7runtime8RefusalsE");
std::string answer_json(std::string_view request, client::Service& service,
                        runtime::Refusals* refusals) {
  std::string reply = real_answer_json(request, service, refusals);
  if (breaks(Promise::eager) && reply.find("\"send\"") != std::string::npos) {
    one_more = true;
    ring(static_cast<client::Client*>(&service));
  }
  if (breaks(Promise::hesitates)) busy_until = ports::SystemClock().now() + kHesitation;
  if (request.find("\"fetch\"") != std::string_view::npos) fetched = true;
  return reply;
}

void real_slot(client::Receiver*, const crypto::PublicKey&, const runtime::Address&) __asm__(
    "__real__ZN3mix6client8Receiver4slotERKNS_6crypto9PublicKeyERKNS_6sphinx11NodeAddressE");
void slot(client::Receiver* self, const crypto::PublicKey& provider, const runtime::Address& at) __asm__(
    "__wrap__ZN3mix6client8Receiver4slotERKNS_6crypto9PublicKeyERKNS_6sphinx11NodeAddressE");
void slot(client::Receiver* self, const crypto::PublicKey& provider, const runtime::Address& at) {
  real_slot(self, provider, at);
  if (std::exchange(fetched, false) && breaks(Promise::pulls_on_fetch))
    real_slot(self, provider, at);
}

}  // namespace mutants
