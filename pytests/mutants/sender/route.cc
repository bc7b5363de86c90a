// SPDX-License-Identifier: Apache-2.0
#include "pytests/mutants/sender/route.h"

#include <charconv>

namespace mutants {

using namespace mix;

namespace {

/// "2", "2:1": one or two small numbers.
std::optional<std::vector<unsigned>> numbers(std::string_view text) {
  std::vector<unsigned> out;
  while (!text.empty()) {
    unsigned value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc()) return std::nullopt;
    out.push_back(value);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (text.empty()) break;
    if (text.front() != ':') return std::nullopt;
    text.remove_prefix(1);
    if (text.empty()) return std::nullopt;
  }
  return out;
}

std::optional<Place> place(const presence::View& view, std::string_view host,
                           const crypto::PublicKey& key) {
  const auto& addresses = view.addresses_of(host);
  if (addresses.empty()) return std::nullopt;
  return Place{addresses.front(), key};
}

template <class Infos>
auto nth(const Infos& infos, std::size_t n) -> decltype(&infos[0]) {
  return n < infos.size() ? &infos[n] : nullptr;
}

/// Whoever the topology has at this address.
std::optional<crypto::PublicKey> key_at(const presence::View& view,
                                        const sphinx::NodeAddress& address) {
  const auto is_there = [&](const std::string& host) {
    const auto& addresses = view.addresses_of(host);
    return std::ranges::find(addresses, address) != addresses.end();
  };
  for (const topology::MixInfo& mix : view.topology.mixes())
    if (is_there(mix.host)) return mix.public_key;
  for (const topology::ProviderInfo& provider : view.topology.providers())
    if (is_there(provider.mixnet_listener)) return provider.public_key;
  return std::nullopt;
}

}  // namespace

std::expected<HopSpec, std::string> read_hop(std::string_view text) {
  HopSpec hop;
  hop.text = text;
  const auto wrong = std::unexpected("'" + std::string(text) +
                                     "' is not mix:LAYER[:N], provider[:N] or IP:PORT[=KEY]");
  if (text.starts_with("mix:")) {
    const auto values = numbers(text.substr(4));
    if (!values || values->empty() || values->size() > 2) return wrong;
    hop.layer = values->at(0);
    hop.number = values->size() > 1 ? values->at(1) : 0;
    return hop;
  }
  if (text == "provider" || text.starts_with("provider:")) {
    hop.kind = HopSpec::Kind::provider;
    const auto values = numbers(text.substr(std::min<std::size_t>(text.size(), 9)));
    if (!values || values->size() > 1) return wrong;
    hop.number = values->empty() ? 0 : values->at(0);
    return hop;
  }
  hop.kind = HopSpec::Kind::address;
  const std::size_t equals = text.find('=');
  const auto address = sphinx::NodeAddress::from_text(text.substr(0, equals));
  if (!address) return wrong;
  hop.address = *address;
  if (equals == std::string_view::npos) return hop;
  hop.key = crypto::PublicKey::from_base58(text.substr(equals + 1));
  if (!hop.key) return wrong;
  return hop;
}

std::optional<Place> find(const HopSpec& hop, const presence::View& view, ports::Entropy& entropy) {
  switch (hop.kind) {
    case HopSpec::Kind::mix: {
      const auto* mix = nth(view.topology.layer(hop.layer), hop.number);
      return mix ? place(view, mix->host, mix->public_key) : std::nullopt;
    }
    case HopSpec::Kind::provider: {
      const auto* provider = nth(view.topology.providers(), hop.number);
      return provider ? place(view, provider->mixnet_listener, provider->public_key) : std::nullopt;
    }
    case HopSpec::Kind::address:
      break;
  }
  if (hop.key) return Place{hop.address, *hop.key};
  const auto known = key_at(view, hop.address);
  return Place{hop.address, known ? *known : crypto::KeyPair::generate(entropy).public_key};
}

}  // namespace mutants
