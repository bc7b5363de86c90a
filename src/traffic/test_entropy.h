// SPDX-License-Identifier: Apache-2.0
// For tests only: a seeded stand-in for the system's entropy that counts what is drawn.
#pragma once

#include <random>

#include "src/ports/entropy.h"

namespace mix::traffic {

class TestEntropy final : public ports::Entropy {
 public:
  explicit TestEntropy(std::uint64_t seed) : x_engine(seed) {}
  void fill(BytesSpan out) override {
    for (auto& byte : out)
      byte = static_cast<std::uint8_t>(x_engine() >> 56);
    drawn += out.size();
  }
  std::size_t drawn = 0;

 private:
  std::mt19937_64 x_engine;
};

}  // namespace mix::traffic
