// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4) of files, for the manifest only: what people compare with sha256sum.
// Everything else of the lab uses BLAKE2b (digest.h). Pure but for sha256_of_file, which reads.
#pragma once

#include <optional>
#include <string>

#include "src/prelude/bytes.h"

namespace lab {

class Sha256 {
 public:
  void add(mix::BytesView bytes);
  mix::ByteArray<32> digest();  // ends it
  /// For tests: without the processor's help.
  static Sha256 portable();

 private:
  void compress(const std::uint8_t* blocks, std::size_t count);
  bool x_fast = can_be_fast();
  static bool can_be_fast();
  std::array<std::uint32_t, 8> x_state{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::uint8_t, 64> x_block{};
  std::size_t x_fill = 0;
  std::uint64_t x_bytes = 0;
};

/// In lower-case hexadecimal; nullopt when it cannot be read.
std::optional<std::string> sha256_of_file(const std::string& path);

}  // namespace lab
