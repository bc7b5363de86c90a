// SPDX-License-Identifier: Apache-2.0
#include "src/prelude/cursor.h"

namespace mix {

BytesView Reader::take(std::size_t n) {
  if (n > x_rest.size()) {
    x_ok = false;
    x_rest = {};
    return {};
  }
  BytesView head = x_rest.first(n);
  x_rest = x_rest.subspan(n);
  return head;
}

std::uint64_t Reader::big_endian(std::size_t n) {
  std::uint64_t value = 0;
  for (std::uint8_t byte : take(n))
    value = value << 8 | byte;
  return value;
}

Writer& Writer::big_endian(std::uint64_t v, std::size_t n) {
  while (n-- > 0)
    x_out.push_back(static_cast<std::uint8_t>(v >> (8 * n)));
  return *this;
}

}  // namespace mix
