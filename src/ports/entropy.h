// SPDX-License-Identifier: Apache-2.0
// The second of the two things a program cannot compute: chance.
#pragma once

#include "src/prelude/bytes.h"

namespace mix::ports {

class Entropy {
 public:
  virtual ~Entropy() = default;
  /// Fills all of `out` with bytes nobody can guess. Never fails: without entropy there is no
  /// privacy, so the program stops instead.
  virtual void fill(BytesSpan out) = 0;

  template <std::size_t N>
  ByteArray<N> array() {
    ByteArray<N> out;
    fill(out);
    return out;
  }
  std::uint64_t u64() {
    std::uint64_t value = 0;
    for (std::uint8_t byte : array<8>())
      value = value << 8 | byte;
    return value;
  }
};

/// getrandom(2). Stateless; any thread.
class SystemEntropy final : public Entropy {
 public:
  void fill(BytesSpan out) override;
};

}  // namespace mix::ports
