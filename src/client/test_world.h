// SPDX-License-Identifier: Apache-2.0
// For tests only: a small network with keys of its own, and a user's side that remembers.
#pragma once

#include <string>
#include <vector>

#include "src/client/service.h"
#include "src/crypto/generator.h"
#include "src/presence/watcher.h"

namespace mix::client::test {

inline crypto::Generator generator(std::uint8_t seed, std::string_view purpose = "test") {
  ByteArray<crypto::Generator::kKeyBytes> key{};
  key[0] = seed;
  return crypto::Generator(key, purpose);
}

/// A mix that can be routed through, and the secret to peel with.
struct TestNode {
  crypto::KeyPair keys;
  std::string host;
  unsigned layer;
};

class World {
 public:
  World(unsigned layers, unsigned width, unsigned provider_count = 1) {
    auto chance = generator(1, "world");
    std::uint16_t port = 9980;
    for (unsigned layer = 1; layer <= layers; ++layer)
      for (unsigned i = 0; i < width; ++i)
        mixes.push_back(node(chance, layer, port++));
    for (unsigned i = 0; i < provider_count; ++i)
      providers.push_back(node(chance, 0, port++));
  }

  presence::View view() const {
    std::vector<topology::MixInfo> mix_infos;
    std::vector<topology::ProviderInfo> provider_infos;
    presence::View out;
    for (const auto& mix : mixes) {
      mix_infos.push_back({mix.host, mix.keys.public_key, version, mix.layer, "", 0});
      out.addresses[mix.host] = {*sphinx::NodeAddress::from_text(mix.host)};
    }
    for (const auto& provider : providers)
      provider_infos.push_back(
          {provider.host, provider.host, provider.keys.public_key, version, registered, "", 0});
    out.topology = topology::Topology(mix_infos, provider_infos);
    return out;
  }

  std::vector<TestNode> mixes;
  std::vector<TestNode> providers;
  std::vector<crypto::PublicKey> registered;
  std::string version = "0.4.0-mixlab.1";

 private:
  static TestNode node(ports::Entropy& chance, unsigned layer, std::uint16_t port) {
    return {crypto::KeyPair::generate(chance), "127.0.0.1:" + std::to_string(port), layer};
  }
};

/// Keeps what was sent, hands out what it was given.
class FakeService final : public Service {
 public:
  struct Sent {
    crypto::PublicKey recipient;
    std::string text;
  };
  std::expected<void, std::string> send(const crypto::PublicKey& recipient,
                                        BytesView message) override {
    if (full) return std::unexpected("the box is full");
    sent.push_back({recipient, std::string(as_text(message))});
    return {};
  }
  std::vector<Bytes> fetch() override { return std::exchange(waiting, {}); }
  std::expected<std::vector<crypto::PublicKey>, std::string> clients() override {
    if (!topology) return std::unexpected(kInvalidTopology);
    return registered;
  }
  crypto::PublicKey own_address() const override { return self; }

  bool full = false;
  bool topology = true;
  std::vector<Sent> sent;
  std::vector<Bytes> waiting;
  std::vector<crypto::PublicKey> registered;
  crypto::PublicKey self =
      *crypto::PublicKey::from_base58("Hem9swPoeReFsBVgRoihtauqaGRm5Vz7fMannhL7wpoL");
};

}  // namespace mix::client::test
