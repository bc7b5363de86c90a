// SPDX-License-Identifier: Apache-2.0
// Rows as bytes, for `--record fd:N`: what crosses the descriptor, in both directions of the
// conversion. Pure; no I/O. One encoding per row (canonical), so equal rows are equal bytes.
//
// The stream opens with the 8 bytes kStreamMagic (the last is the version). Then, for each row, a
// u32 length of the rest and the rest: u8 kind (1 node, 2 made, 3 handled, 4 fetched) and the
// columns in the order of hop.h. Integers are big-endian; times and delays are 64-bit two's
// complement; text is a u16 length and UTF-8 bytes, at most kMaxText; an optional column is a u8,
// 0 or 1, and then its value; digests are 16 bytes; enumerations are their u8.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>

#include "src/prelude/bytes.h"
#include "src/record/hop.h"

namespace mix::record {

inline constexpr ByteArray<8> kStreamMagic{'m', 'i', 'x', 'r', 'e', 'c', 0, 1};
inline constexpr std::size_t kMaxText = 512;
/// The longest rest of a row: three texts, and room for everything of fixed width.
inline constexpr std::size_t kMaxRowBytes = 3 * (2 + kMaxText) + 128;

/// Appends length and row. Text beyond kMaxText is cut there.
void append_row(Bytes& out, const Row& row);

/// Cuts a stream back into rows, however its pieces are cut.
class RowDecoder {
 public:
  void feed(BytesView bytes);
  /// The next whole row; nothing when more bytes are needed. The error says what is wrong; the
  /// decoder then stays at that error.
  std::expected<std::optional<Row>, std::string> next();
  /// Bytes fed and not yet part of a row: not 0 at the end of a stream that was cut off.
  std::size_t waiting() const { return x_bytes.size() - x_at; }

 private:
  Bytes x_bytes;
  std::size_t x_at = 0;
  bool x_opened = false;
  std::string x_error;
};

}  // namespace mix::record
