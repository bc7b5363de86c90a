// SPDX-License-Identifier: Apache-2.0
// Samples against their laws. Seeds are fixed, so each statistic is a constant; the bounds are
// those a fresh seed would pass with probability 0.999 or more.
#include "harness/model/stream.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <set>
#include <vector>

using namespace lab;
using namespace std::chrono_literals;

namespace {
constexpr int kSamples = 100'000;

/// Largest distance between the samples' distribution and a law (Kolmogorov-Smirnov), times
/// sqrt(n).
double distance(std::vector<double> samples, double (*law)(double)) {
  std::ranges::sort(samples);
  const auto n = static_cast<double>(samples.size());
  double worst = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double p = law(samples[i]);
    worst = std::max({worst, std::abs(p - static_cast<double>(i) / n),
                      std::abs(p - static_cast<double>(i + 1) / n)});
  }
  return worst * std::sqrt(n);
}
}  // namespace

// The two numbers come from an independent implementation in Python.
BOOST_AUTO_TEST_CASE(the_algorithm_is_the_named_one_for_ever) {
  Stream s = stream(42, "link.loss", "mix-0->mix-1");
  const std::uint64_t first = s.u64();
  Stream again = stream(42, "link.loss", "mix-0->mix-1");
  BOOST_TEST(again.u64() == first);
  BOOST_TEST(first == 0xaf0798ee7eee7a2eu);
  BOOST_TEST(s.u64() == 0x74bea5375646d461u);
}

BOOST_AUTO_TEST_CASE(each_part_of_a_name_makes_another_stream) {
  std::set<std::uint64_t> firsts;
  for (auto [seed, purpose, entity] :
       {std::tuple{1, "a", "b"}, {2, "a", "b"}, {1, "ab", ""}, {1, "", "ab"}, {1, "b", "a"}})
    firsts.insert(stream(static_cast<std::uint64_t>(seed), purpose, entity).u64());
  BOOST_TEST(firsts.size() == 5u);
}

BOOST_AUTO_TEST_CASE(below_is_uniform_over_small_ranges) {
  Stream s = stream(1, "test", "below");
  std::array<int, 7> counts{};
  for (int i = 0; i < 7 * kSamples; ++i)
    ++counts[s.below(7)];
  double chi_square = 0;
  for (int c : counts)
    chi_square += (c - kSamples) * static_cast<double>(c - kSamples) / kSamples;
  BOOST_TEST(chi_square < 22.5);  // 6 degrees of freedom, 0.999
}

BOOST_AUTO_TEST_CASE(chance_keeps_its_ratio_and_always_draws) {
  Stream s = stream(1, "test", "chance");
  int hits = 0;
  for (int i = 0; i < kSamples; ++i)
    hits += s.chance(ratio(2, 100));
  BOOST_TEST(std::abs(hits - kSamples / 50) < 3.3 * std::sqrt(kSamples * 0.02 * 0.98));
  Stream a = stream(1, "test", "draws"), b = a;
  BOOST_TEST(!a.chance({0, 1}));
  BOOST_TEST(b.chance({1, 1}));
  BOOST_TEST(a.u64() == b.u64());
}

BOOST_AUTO_TEST_CASE(the_integer_logarithm_is_right_to_its_last_bits) {
  Stream s = stream(1, "test", "log");
  for (int i = 0; i < kSamples; ++i) {
    const std::uint64_t x = (s.u64() >> s.below(64)) | 1;
    const long double exact = -std::log(static_cast<long double>(x) / 18446744073709551616.0L);
    const long double got = static_cast<long double>(minus_ln_q32(x)) / 4294967296.0L;
    BOOST_REQUIRE(std::abs(exact - got) < 5e-10L);
  }
}

BOOST_AUTO_TEST_CASE(exponential_samples_follow_their_law) {
  Stream s = stream(1, "test", "exponential");
  std::vector<double> samples;
  double sum = 0;
  for (int i = 0; i < kSamples; ++i) {
    samples.push_back(static_cast<double>(s.exponential(100ms).count()) / 1e8);
    sum += samples.back();
  }
  BOOST_TEST(std::abs(sum / kSamples - 1) < 3.3 / std::sqrt(kSamples));
  BOOST_TEST(distance(samples, [](double x) { return 1 - std::exp(-x); }) < 1.95);
}

BOOST_AUTO_TEST_CASE(normal_samples_follow_their_law) {
  Stream s = stream(1, "test", "normal");
  std::vector<double> samples;
  for (int i = 0; i < kSamples; ++i)
    samples.push_back(static_cast<double>((s.normal(25ms, 5ms) - 25ms).count()) / 5e6);
  BOOST_TEST(distance(samples, [](double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; }) < 1.95);
}

BOOST_AUTO_TEST_CASE(uniform_samples_reach_both_ends) {
  Stream s = stream(1, "test", "uniform");
  std::set<std::int64_t> seen;
  for (int i = 0; i < 200; ++i)
    seen.insert(s.uniform(3ns, 7ns).count());
  BOOST_TEST(seen == (std::set<std::int64_t>{3, 4, 5, 6, 7}));
  BOOST_TEST(s.uniform(5ns, 5ns).count() == 5);
}
