// SPDX-License-Identifier: Apache-2.0
// Any bytes, in pieces of any size: no crash, and what decodes encodes to the same bytes.
#include "src/prelude/check.h"
#include "src/record/record_stream.h"

using namespace mix;
using namespace mix::record;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = data[0] + std::size_t{1};
  const BytesView stream(data + 1, size - 1);
  RowDecoder decoder;
  Bytes again(kStreamMagic.begin(), kStreamMagic.end());
  bool refused = false;
  for (BytesView left = stream; !left.empty() && !refused;) {
    const std::size_t n = std::min(piece, left.size());
    decoder.feed(left.first(n));
    left = left.subspan(n);
    while (true) {
      auto row = decoder.next();
      refused = !row;
      if (!row || !*row) break;
      append_row(again, **row);
    }
  }
  if (again.size() > kStreamMagic.size()) CHECK(equal(again, stream.first(again.size())));
  return 0;
}
