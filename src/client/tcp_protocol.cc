// SPDX-License-Identifier: Apache-2.0
#include "src/client/tcp_protocol.h"

#include "src/prelude/check.h"
#include "src/prelude/cursor.h"

namespace mix::client {
namespace {

Bytes text(std::string_view words) {
  const BytesView bytes = as_bytes(words);
  return {bytes.begin(), bytes.end()};
}

Bytes send(Reader request, Service& service) {
  const auto recipient = request.array<crypto::PublicKey::kBytes>();
  const BytesView message = request.rest();
  if (!request.ok() || message.empty()) return text("IncompleteDataError");
  if (message.size() > kMaxMessage)
    return text("too long message. Sent " + std::to_string(message.size()) +
                " bytes while the maximum is " + std::to_string(kMaxMessage));
  if (auto queued = service.send(crypto::PublicKey(recipient), message); !queued)
    return text(queued.error());
  return text("ok");
}

Bytes fetch(Service& service) {
  const std::vector<Bytes> messages = service.fetch();
  CHECK(messages.size() <= 0xffff, messages.size());
  Bytes out;
  Writer writer(out);
  writer.u16(static_cast<std::uint16_t>(messages.size()));
  for (const Bytes& message : messages)
    writer.u16(static_cast<std::uint16_t>(message.size()));
  for (const Bytes& message : messages)
    writer.bytes(message);
  return out;
}

Bytes get_clients(Service& service) {
  const auto clients = service.clients();
  if (!clients) return text(clients.error());
  Bytes out;
  for (const auto& client : *clients)
    Writer(out).bytes(client.bytes());
  return out;
}

}  // namespace

Bytes answer_bytes(BytesView request, Service& service) {
  if (request.empty()) return text("IncompleteDataError");
  Reader reader(request);
  switch (reader.u8()) {
    case 1:
      return send(reader, service);
    case 2:
      return fetch(service);
    case 3:
      return get_clients(service);
    case 4: {
      const auto address = service.own_address();
      return {address.bytes().begin(), address.bytes().end()};
    }
    default:
      return text("UnknownRequestError");
  }
}

}  // namespace mix::client
