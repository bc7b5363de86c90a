// SPDX-License-Identifier: Apache-2.0
// Any bytes through the TCP socket: something comes back, and what was queued is within bounds.
#include "src/client/tcp_protocol.h"

#include "src/client/test_world.h"
#include "src/prelude/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mix;
  client::test::FakeService service;
  service.registered = {service.self};
  service.waiting = {{data, data + std::min<std::size_t>(size, client::kMaxMessage)}};
  const Bytes reply = client::answer_bytes({data, size}, service);
  CHECK(!reply.empty());
  CHECK((as_text(reply) == "ok") == (service.sent.size() == 1), as_text(reply));
  for (const auto& sent : service.sent)
    CHECK(!sent.text.empty() && sent.text.size() <= client::kMaxMessage);
  return 0;
}
