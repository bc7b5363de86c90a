// SPDX-License-Identifier: Apache-2.0
#include "src/client/composer.h"

#include "src/prelude/check.h"
#include "src/topology/path.h"
#include "src/traffic/poisson.h"
#include "src/wire/limits.h"

namespace mix::client {
namespace {

// -log of the smallest chance there is, 2^-54, is below 38.
static_assert(38 * kMaxMeanDelay <= wire::kMaxDelay);

/// One hop per mix and the provider, which holds nothing.
std::vector<sphinx::Hop> hops_of(const topology::Route& route, const NetworkMap& map,
                                 std::span<const Duration> delays) {
  std::vector<sphinx::Hop> hops;
  for (std::size_t i = 0; i < route.mixes.size(); ++i) {
    const auto& mix = *route.mixes[i];
    hops.push_back({map.addresses_of(mix).front().encode(), mix.public_key, delays[i]});
  }
  const auto listener = sphinx::NodeAddress::from_text(route.provider->mixnet_listener);
  CHECK(listener.has_value(), route.provider->mixnet_listener);
  hops.push_back({listener->encode(), route.provider->public_key, 0ns});
  return hops;
}

}  // namespace

Composer::Composer(const crypto::KeyPair& self, Duration mean_delay, Chance& chance)
    : x_self(self.public_key), x_mark(self.secret), x_mean_delay(mean_delay), x_chance(chance) {
  CHECK(mean_delay > 0ns && mean_delay <= kMaxMeanDelay, mean_delay.count());
}

Composer::Result Composer::compose(const NetworkMap& map, Kind kind, const Message* message) {
  // Everything is drawn before anything is looked at.
  static const topology::ProviderInfo nobody;
  const auto* provider = map.provider() != nullptr ? map.provider() : &nobody;
  const auto route = topology::choose_route(map.usable(), map.layers(), *provider, x_chance.routes);
  std::vector<Duration> delays;
  for (unsigned layer = 1; layer <= map.layers(); ++layer)
    delays.push_back(traffic::exponential(x_chance.delays, x_mean_delay));
  const auto secrets = sphinx::BuildSecrets::draw(x_chance.packets);
  const OwnPayload own = x_mark.make(kind == Kind::real ? Kind::cover : kind, x_chance.payloads);

  if (!route) return std::unexpected(topology::to_text(route.error()));
  if (provider == &nobody) return std::unexpected(map.obstacle());
  const crypto::PublicKey recipient = message != nullptr ? message->recipient : x_self;
  const BytesView text = message != nullptr ? BytesView(message->text) : BytesView(own.bytes);
  auto packet =
      x_builder.build(hops_of(*route, map, delays), {recipient.bytes(), {}}, text, secrets);
  if (!packet) return std::unexpected(std::string(sphinx::to_text(packet.error())));
  return Composed{kind, std::move(*packet), recipient, route->mixes.front(),
                  message != nullptr ? Mark{} : own.mark};
}

}  // namespace mix::client
