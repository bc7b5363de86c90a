// SPDX-License-Identifier: Apache-2.0
// What a peel and a build cost beside the primitives they are made of, measured in the same run.
//
// Every round (src/crypto/bench_rounds.h) runs the whole and each of its parts. Exits 1 when a
// bound is exceeded.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <functional>
#include <vector>

#include "src/crypto/agreement.h"
#include "src/crypto/bench_rounds.h"
#include "src/sphinx/allocation_probe.h"
#include "src/sphinx/payload.h"
#include "src/sphinx/sample_route.h"
#include "src/sphinx/tag_memory.h"

using namespace mix;
using namespace mix::sphinx;

namespace {

constexpr double kPeelBound = 1.10;
constexpr int kRounds = 151;
bool bounds_hold = true;

struct Part {
  const char* name;
  int times;  // in one whole
  std::function<void()> run;
  std::vector<double> us{};  // of one, per round
};

/// Rounds of the whole and its parts; counters of the medians, and of the median ratio.
double compare(benchmark::State& state, const char* name, const std::function<void()>& whole,
               std::vector<Part> parts) {
  std::vector<double> ratios, whole_us, sum_us;
  for (auto _ : state) {
    double sum = 0;
    for (Part& part : parts) {
      part.us.push_back(crypto::us_of_one(part.run, part.times > 1 ? 24 : 96));
      sum += part.times * part.us.back();
    }
    whole_us.push_back(crypto::us_of_one(whole, 24));
    sum_us.push_back(sum);
    ratios.push_back(whole_us.back() / sum);
  }
  std::printf("\n%s: %.2f us\n", name, crypto::median(whole_us));
  for (const Part& part : parts)
    std::printf("  %d x %-28s %8.3f us\n", part.times, part.name, crypto::median(part.us));
  std::printf("  sum of the primitives            %8.2f us\n", crypto::median(sum_us));
  const double ratio = crypto::median(ratios);
  state.counters["us"] = crypto::median(whole_us);
  state.counters["primitives_us"] = crypto::median(sum_us);
  state.counters["ratio"] = ratio;
  return ratio;
}

void report(const char* what, double value, double bound) {
  const bool holds = value <= bound;
  bounds_hold = bounds_hold && holds;
  std::printf("  %-32s %8.3f (at most %.2f)%s\n", what, value, bound, holds ? "" : "  EXCEEDED");
}

std::vector<Part> symmetric_parts(bool encrypt) {
  static crypto::AesCtr cipher;
  static ByteArray<kAlphaBytes> secret{1};
  static ByteArray<kHopKeyBytes> keys{};
  static ByteArray<kStreamBytes> stream{};
  static PayloadBlock block{};
  static const HopKeys hop_keys{};
  return {
      {"HKDF-SHA256, 256 bytes", 1,
       [] { crypto::hkdf_sha256(secret, as_bytes(kKeyDerivationInfo), keys); }},
      {"HMAC-SHA256, 300 bytes", 1,
       [] {
         benchmark::DoNotOptimize(
             crypto::hmac_sha256(hop_keys.mac(), std::span(stream).first<kBetaBytes>()));
       }},
      {"AES-128-CTR, 360 bytes", 1, [] { cipher.xor_stream(hop_keys.stream(), stream); }},
      {"LIONESS, 1024 bytes", 1,
       [encrypt] {
         (encrypt ? crypto::lioness_encrypt : crypto::lioness_decrypt)(hop_keys.payload(), block);
       }},
  };
}

void peel_beside_its_primitives(benchmark::State& state) {
  const SampleRoute route(4, 1);
  const Packet packet = route.build(Bytes(500, 7)).value();
  Peeler peeler(route.keys[0]);
  const crypto::Multiplier multiplier(route.keys[0].scalar());
  const crypto::Point point = route.hops[1].key.bytes();
  crypto::Point out;
  std::vector<Part> parts = symmetric_parts(false);
  parts.insert(parts.begin(), {"scalar multiplication", 2,
                               [&] { benchmark::DoNotOptimize(multiplier.multiply(point, out)); }});
  std::uint64_t peels = 0, allocated = 0;
  const auto peel = [&] {
    const std::uint64_t before = allocations_done;
    benchmark::DoNotOptimize(peeler.peel(packet));
    allocated += allocations_done - before;
    ++peels;
  };
  peel();  // first use of a library may allocate
  peels = allocated = 0;
  const double ratio = compare(state, "peel", peel, std::move(parts));
  report("ratio", ratio, kPeelBound);
  report("heap allocations per peel", static_cast<double>(allocated) / static_cast<double>(peels),
         0);
}

void build_beside_its_primitives(benchmark::State& state) {
  const auto hops = static_cast<int>(state.range(0));
  const SampleRoute route(static_cast<std::size_t>(hops), 1);
  const Bytes message(500, 7);
  Builder builder;
  const crypto::Multiplier multiplier(route.keys[0].scalar());
  const crypto::Point point = route.hops[0].key.bytes();
  crypto::Point out;
  std::vector<Part> parts = symmetric_parts(true);
  for (Part& part : parts)
    part.times = hops;
  parts.insert(parts.begin(), {"scalar multiplication", hops + 1,
                               [&] { benchmark::DoNotOptimize(multiplier.multiply(point, out)); }});
  std::uint64_t builds = 0, allocated = 0, multiplied = 0;
  const auto build_one = [&] {
    const std::uint64_t before = allocations_done, multiplied_before = crypto::multiplications();
    benchmark::DoNotOptimize(builder.build(route.hops, route.destination, message, route.secrets));
    allocated += allocations_done - before;
    multiplied += crypto::multiplications() - multiplied_before;
    ++builds;
  };
  char name[32];
  std::snprintf(name, sizeof name, "build, %d hops", hops);
  const double ratio = compare(state, name, build_one, std::move(parts));
  std::printf("  %-32s %8.3f\n", "ratio", ratio);
  report("scalar multiplications", static_cast<double>(multiplied) / static_cast<double>(builds),
         hops + 1);
  report("heap allocations per build", static_cast<double>(allocated) / static_cast<double>(builds),
         0);
}

void open_a_header(benchmark::State& state) {
  const SampleRoute route(4, 1);
  const Packet packet = route.build({}).value();
  Peeler peeler(route.keys[0]);
  for (auto _ : state)
    benchmark::DoNotOptimize(peeler.open_header(packet));
}

void remember_a_tag(benchmark::State& state) {
  TagMemory memory;
  crypto::Generator chance(ByteArray<32>{1}, "tags");
  std::vector<Tag> tags(1 << 16);
  for (auto _ : state) {
    state.PauseTiming();
    for (Tag& tag : tags)
      tag = chance.array<16>();
    state.ResumeTiming();
    for (const Tag& tag : tags)
      benchmark::DoNotOptimize(memory.remember(tag));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(tags.size()));
}

void name_a_packet(benchmark::State& state) {
  const Packet packet{};
  for (auto _ : state)
    benchmark::DoNotOptimize(crypto::digest16(packet));
}

BENCHMARK(peel_beside_its_primitives)->Iterations(kRounds)->Unit(benchmark::kMicrosecond);
BENCHMARK(build_beside_its_primitives)
    ->DenseRange(1, kMaxHops)
    ->Iterations(kRounds)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(open_a_header)->Unit(benchmark::kMicrosecond);
BENCHMARK(remember_a_tag)->Iterations(60)->Unit(benchmark::kMillisecond);
BENCHMARK(name_a_packet)->Unit(benchmark::kMicrosecond);

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return bounds_hold ? 0 : 1;
}
