// SPDX-License-Identifier: Apache-2.0
// A stranger's bytes where an address is expected: the 32 of a routing record, and text. What is
// read is what a second writing and reading gives again.
#include <algorithm>

#include "src/prelude/check.h"
#include "src/sphinx/address.h"

using namespace mix;
using namespace mix::sphinx;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteArray<kAddressBytes> record{};
  std::copy_n(data, std::min(size, record.size()), record.begin());
  if (const auto address = NodeAddress::decode(record)) {
    CHECK(NodeAddress::decode(address->encode()) == address);
    const auto read = NodeAddress::from_text(address->to_text());
    CHECK(read && *read == *address, address->to_text());
  }
  const std::string_view text = as_text({data, size});
  if (const auto address = NodeAddress::from_text(text)) {
    CHECK(NodeAddress::decode(address->encode()) == *address);
    const auto read = NodeAddress::from_text(address->to_text());
    CHECK(read && *read == *address, address->to_text());
    CHECK(std::hash<NodeAddress>{}(*read) == std::hash<NodeAddress>{}(*address));
  }
  return 0;
}
