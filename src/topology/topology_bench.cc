// SPDX-License-Identifier: Apache-2.0
// What the largest topology costs whoever writes and reads it: four full providers and 4096 mixes.
#include <benchmark/benchmark.h>

#include <cstdio>

#include "src/crypto/bench_rounds.h"
#include "src/topology/fields.h"
#include "src/topology/json.h"
#include "src/topology/roster.h"
#include "src/topology/sample_infos.h"

using namespace mix;
using namespace mix::topology;

namespace {

crypto::PublicKey key_of(unsigned number) {
  ByteArray<32> bytes;
  bytes.fill(0xa5);
  for (std::size_t at = 0; at < 4; ++at)
    bytes[28 + at] = static_cast<std::uint8_t>(number >> (8 * at));
  return crypto::PublicKey(bytes);
}

ProviderInfo full_provider(unsigned number) {
  ProviderInfo provider = sample_provider(number);
  for (unsigned n = 0; n < kMaxRegisteredClients; ++n)
    provider.registered_clients.push_back(key_of(number * 100'000 + n));
  return provider;
}

Roster full_roster() {
  Roster roster;
  for (unsigned n = 0; n < 4096; ++n) {
    MixInfo mix = sample_mix(n, 1 + n % 3);
    mix.public_key = key_of(n);
    (void)roster.announce(mix, "127.0.0.1", Instant(), WallTime());
  }
  for (unsigned n = 1; n <= 4; ++n)
    (void)roster.announce(full_provider(n), "127.0.0.1", Instant(), WallTime());
  return roster;
}

void largest_topology(benchmark::State& state) {
  const Roster roster = full_roster();
  const Topology topology = roster.topology();
  const std::string text = roster.text(LastSeen::shown),
                    presence = to_presence_json(full_provider(1));
  std::vector<double> anew, kept, client, mix, body;
  const auto ms_of_one = [](const auto& run) { return crypto::us_of_one(run, 1) / 1000; };
  for (auto _ : state) {
    anew.push_back(ms_of_one([&] { benchmark::DoNotOptimize(to_json(topology)); }));
    kept.push_back(ms_of_one([&] { benchmark::DoNotOptimize(roster.text(LastSeen::shown)); }));
    client.push_back(ms_of_one([&] { benchmark::DoNotOptimize(topology_from_json(text)); }));
    mix.push_back(
        ms_of_one([&] { benchmark::DoNotOptimize(topology_from_json(text, Accounts::left_out)); }));
    body.push_back(ms_of_one([&] { benchmark::DoNotOptimize(provider_from_presence(presence)); }));
  }
  const auto line = [](const char* what, std::vector<double>& ms) {
    std::printf("  %-56s %8.2f ms\n", what, crypto::median(ms));
  };
  std::printf("a topology of %.2f MiB\n", static_cast<double>(text.size()) / (1 << 20));
  line("written, every entry anew", anew);
  line("written out of the entries' texts, as a directory does", kept);
  line("read by a client", client);
  line("read by a mix, without accounts", mix);
  line("a full provider's presence read", body);
  std::printf("  %-56s %8.3f\n  %-56s %8.3f\n", "ratio of the two ways to write",
              crypto::median(kept) / crypto::median(anew), "ratio of a mix and a client",
              crypto::median(mix) / crypto::median(client));
}

BENCHMARK(largest_topology)->Iterations(31)->Unit(benchmark::kMillisecond);

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
