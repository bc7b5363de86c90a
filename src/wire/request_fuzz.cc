// SPDX-License-Identifier: Apache-2.0
// Any bytes as a request and as a reply: no crash, and what parses encodes to the same bytes.
#include "src/prelude/check.h"
#include "src/wire/request.h"

using namespace mix;
using namespace mix::wire;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView bytes(data, size);
  if (const auto request = parse_request(bytes)) {
    CHECK(equal(encode(*request), bytes));
    CHECK(request_size(bytes) == size);
  }
  if (const auto messages = parse_pull_reply(bytes)) {
    std::size_t total = 2;
    bool ours = messages->size() == kMessagesPerPull;
    for (BytesView message : *messages) {
      total += 2 + message.size();
      ours = ours && message.size() <= kMaxMailBytes;
    }
    CHECK(total == size);
    if (ours) CHECK(equal(encode_pull_reply(*messages), bytes));
  }
  (void)parse_register_reply(bytes);
  return 0;
}
