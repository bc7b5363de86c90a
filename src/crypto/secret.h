// SPDX-License-Identifier: Apache-2.0
// Bytes that nobody else may learn: comparing them in constant time, and wiping them so that the
// compiler cannot leave the wiping out. Not locked into memory: swap is the administrator's affair.
#pragma once

#include "src/prelude/bytes.h"

namespace mix::crypto {

/// Overwrites with zeros, whatever the optimiser thinks.
void wipe(BytesSpan bytes);
/// The time taken depends on the length only, never on where two bytes differ.
bool equal_in_constant_time(BytesView a, BytesView b);

/// A fixed array that wipes itself when it goes. Copies wipe themselves too.
template <std::size_t N>
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::span<const std::uint8_t, N> bytes) {
    std::ranges::copy(bytes, x_bytes.begin());
  }
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  ~Secret() { wipe(x_bytes); }

  std::span<const std::uint8_t, N> bytes() const { return x_bytes; }
  std::span<std::uint8_t, N> mutable_bytes() { return x_bytes; }
  template <std::size_t Offset, std::size_t Count>
  std::span<const std::uint8_t, Count> part() const {
    return bytes().template subspan<Offset, Count>();
  }

 private:
  ByteArray<N> x_bytes{};
};

}  // namespace mix::crypto
