// SPDX-License-Identifier: Apache-2.0
// Any text through the websocket: one JSON object comes back, with a known type, and what was
// queued is within bounds.
#include "src/client/ws_protocol.h"

#include <boost/json.hpp>

#include "src/client/test_world.h"
#include "src/prelude/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mix;
  const BytesView bytes(data, size);
  client::test::FakeService service;
  service.registered = {service.self};
  service.waiting = {{data, data + size}};  // what came is a stranger's, too
  const auto reply = boost::json::parse(client::answer_json(as_text(bytes), service)).as_object();
  const auto type = reply.at("type").as_string();
  CHECK(type == "send" || type == "fetch" || type == "getClients" || type == "ownDetails" ||
            type == "error",
        type);
  CHECK((type == "send") == (service.sent.size() == 1), type);
  for (const auto& sent : service.sent)
    CHECK(sent.text.size() <= client::kMaxMessage && client::is_utf8(as_bytes(sent.text)));
  const auto fetched =
      boost::json::parse(client::answer_json(R"({"type":"fetch"})", service)).as_object();
  const auto& messages = fetched.at("messages").as_array();
  if (type != "fetch") {
    const bool kept = messages.at(0).as_string() == as_text(bytes);
    CHECK(kept == client::is_utf8(bytes) || size == 0);
  }
  return 0;
}
