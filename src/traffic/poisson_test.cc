// SPDX-License-Identifier: Apache-2.0
#include "src/traffic/poisson.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <vector>

#include "src/traffic/test_entropy.h"

using namespace mix;
using namespace mix::traffic;

namespace {

/// Serves one 64-bit value for ever.
class StuckEntropy final : public ports::Entropy {
 public:
  explicit StuckEntropy(std::uint8_t byte) : x_byte(byte) {}
  void fill(BytesSpan out) override { std::ranges::fill(out, x_byte); }

 private:
  std::uint8_t x_byte;
};

std::vector<Duration> samples(std::uint64_t seed, Duration mean, std::size_t n) {
  TestEntropy chance(seed);
  std::vector<Duration> out(n);
  for (auto& sample : out)
    sample = exponential(chance, mean);
  return out;
}

/// Kolmogorov-Smirnov distance between samples and Exp(1 / mean).
double distance(std::vector<Duration> values, Duration mean) {
  std::ranges::sort(values);
  const auto n = static_cast<double>(values.size());
  double worst = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double law =
        1 - std::exp(-static_cast<double>(values[i].count()) / static_cast<double>(mean.count()));
    worst =
        std::max({worst, law - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - law});
  }
  return worst;
}

// n = 28 / e^2 sees an error of e = 5 % in the mean at this level (alpha 10^-3).
constexpr std::size_t kSamples = 11'200;
const double kCritical = 1.95 / std::sqrt(static_cast<double>(kSamples));

}  // namespace

BOOST_AUTO_TEST_CASE(samples_follow_the_exponential_law) {
  for (std::uint64_t seed : {1, 2, 3})
    for (Duration mean : {Duration(100ms), Duration(500ms), Duration(2s)})
      BOOST_TEST(distance(samples(seed, mean, kSamples), mean) < kCritical);
}

BOOST_AUTO_TEST_CASE(the_check_of_the_law_sees_what_it_should) {
  const Duration mean = 100ms;
  auto wrong = samples(1, mean, kSamples);
  for (auto& sample : wrong)
    sample = sample * 107 / 100;
  BOOST_TEST(distance(wrong, mean) > kCritical);  // mean off by 7 %

  wrong = samples(1, mean, kSamples);
  for (auto& sample : wrong)
    sample = std::min<Duration>(sample, 3 * mean);
  BOOST_TEST(distance(wrong, mean) > kCritical);  // cut off

  wrong = samples(1, mean, kSamples);
  for (auto& sample : wrong)
    sample = (sample + 5ms) / 10ms * 10ms;
  BOOST_TEST(distance(wrong, mean) > kCritical);  // rounded to 10 ms

  TestEntropy chance(1);
  for (auto& sample : wrong)
    sample = Duration(static_cast<std::int64_t>(chance.u64() % 200'000'000));
  BOOST_TEST(distance(wrong, mean) > kCritical);  // uniform with the right mean
}

BOOST_AUTO_TEST_CASE(every_sample_costs_eight_bytes) {
  TestEntropy chance(7);
  for (std::size_t i = 1; i <= 1000; ++i) {
    (void)exponential(chance, 100ms);
    BOOST_REQUIRE_EQUAL(chance.drawn, 8 * i);
  }
}

BOOST_AUTO_TEST_CASE(the_extremes_of_chance_give_finite_waits) {
  StuckEntropy all_ones(0xff);
  StuckEntropy all_zeros(0x00);
  BOOST_TEST(exponential(all_ones, 100ms).count() == 0);
  const Duration longest = exponential(all_zeros, kMaxMean);
  BOOST_TEST((longest > 37 * kMaxMean && longest < 38 * kMaxMean));
}

BOOST_AUTO_TEST_CASE(a_sample_is_a_function_of_its_eight_bytes) {
  StuckEntropy half(0x80);  // u = 0x8080... / 2^64 = 0.501960784313725...
  BOOST_TEST(exponential(half, 1s).count() == 689'233'281);
}

BOOST_AUTO_TEST_CASE(consecutive_samples_are_uncorrelated) {
  const auto values = samples(5, 1s, kSamples);
  double sum = 0;
  for (std::size_t i = 1; i < values.size(); ++i) {
    const double a = static_cast<double>(values[i - 1].count()) / 1e9 - 1;
    const double b = static_cast<double>(values[i].count()) / 1e9 - 1;
    sum += a * b;
  }
  BOOST_TEST(std::abs(sum / static_cast<double>(kSamples)) < 3.3 / std::sqrt(double(kSamples)));
}

BOOST_AUTO_TEST_CASE(a_rate_becomes_a_mean_gap) {
  BOOST_TEST((mean_gap(2) == 500ms));
  BOOST_TEST((mean_gap(0.1) == 10s));
  BOOST_TEST((mean_gap(3) == 333'333'333ns));
}
