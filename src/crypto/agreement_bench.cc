// SPDX-License-Identifier: Apache-2.0
// A point multiplication beside the bare call into libsodium, and what preparing a scalar adds.
#include <benchmark/benchmark.h>
#include <sodium.h>

#include <cstdio>

#include "src/crypto/agreement.h"
#include "src/crypto/bench_rounds.h"
#include "src/crypto/ready.h"

using namespace mix;
using namespace mix::crypto;

namespace {

constexpr double kBound = 1.05;
bool bound_holds = true;

void multiply_beside_libsodium(benchmark::State& state) {
  ready();
  const Scalar scalar = Scalar::reduce(Bytes(64, 0x5a));
  const Multiplier multiplier(scalar);
  const Point point{9};
  Point out;
  std::vector<double> bare, ours, prepared, ratios;
  for (auto _ : state) {
    bare.push_back(us_of_one(
        [&] {
          benchmark::DoNotOptimize(
              crypto_scalarmult_curve25519(out.data(), scalar.bytes().data(), point.data()));
        },
        24));
    ours.push_back(
        us_of_one([&] { benchmark::DoNotOptimize(multiplier.multiply(point, out)); }, 24));
    prepared.push_back(us_of_one([&] { benchmark::DoNotOptimize(Multiplier(scalar)); }, 1000));
    ratios.push_back(ours.back() / bare.back());
  }
  const double ratio = median(ratios);
  bound_holds = ratio <= kBound;
  std::printf(
      "scalar multiplication: %.2f us, libsodium's bare call %.2f us, to prepare a scalar "
      "%.3f us\n  %-32s %8.3f (at most %.2f)%s\n",
      median(ours), median(bare), median(prepared), "ratio", ratio, kBound,
      bound_holds ? "" : "  EXCEEDED");
  state.counters["ratio"] = ratio;
}

BENCHMARK(multiply_beside_libsodium)->Iterations(151)->Unit(benchmark::kMicrosecond);

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return bound_holds ? 0 : 1;
}
