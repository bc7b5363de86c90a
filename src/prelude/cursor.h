// SPDX-License-Identifier: Apache-2.0
// Reading and writing a format of fixed-width, big-endian fields, bounds checked.
//
// A Reader never throws: the first read past the end makes it bad for good, and every later read
// returns zeros; the caller asks ok() (or done()) once, at the end.
#pragma once

#include "src/prelude/bytes.h"

namespace mix {

class Reader {
 public:
  explicit Reader(BytesView bytes) : x_rest(bytes) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(big_endian(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(big_endian(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(big_endian(4)); }
  std::uint64_t u64() { return big_endian(8); }
  /// A view of the next n bytes; empty, and the reader bad, when there are fewer.
  BytesView take(std::size_t n);
  template <std::size_t N>
  ByteArray<N> array() {
    ByteArray<N> out{};
    BytesView bytes = take(N);
    std::ranges::copy(bytes, out.begin());
    return out;
  }
  BytesView rest() const { return x_rest; }

  bool ok() const { return x_ok; }
  /// Everything was read, and nothing past the end.
  bool done() const { return x_ok && x_rest.empty(); }

 private:
  std::uint64_t big_endian(std::size_t n);

  BytesView x_rest;
  bool x_ok = true;
};

/// Appends to a buffer it does not own.
class Writer {
 public:
  explicit Writer(Bytes& out) : x_out(out) {}

  Writer& u8(std::uint8_t v) { return big_endian(v, 1); }
  Writer& u16(std::uint16_t v) { return big_endian(v, 2); }
  Writer& u32(std::uint32_t v) { return big_endian(v, 4); }
  Writer& u64(std::uint64_t v) { return big_endian(v, 8); }
  Writer& bytes(BytesView v) {
    x_out.insert(x_out.end(), v.begin(), v.end());
    return *this;
  }

 private:
  Writer& big_endian(std::uint64_t v, std::size_t n);

  Bytes& x_out;
};

}  // namespace mix
