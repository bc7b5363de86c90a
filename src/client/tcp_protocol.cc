// SPDX-License-Identifier: Apache-2.0
#include "src/client/tcp_protocol.h"

#include "src/prelude/check.h"
#include "src/prelude/cursor.h"

namespace mix::client {
namespace {

/// What to reply, or the text of an error.
using Reply = std::expected<Bytes, std::string>;

Bytes text(std::string_view words) {
  const BytesView bytes = as_bytes(words);
  return {bytes.begin(), bytes.end()};
}

Reply send(Reader request, Service& service) {
  const auto recipient = request.array<crypto::PublicKey::kBytes>();
  const BytesView message = request.rest();
  if (!request.ok() || message.empty()) return std::unexpected("IncompleteDataError");
  if (message.size() > kMaxMessage)
    return std::unexpected("too long message. Sent " + std::to_string(message.size()) +
                           " bytes while the maximum is " + std::to_string(kMaxMessage));
  if (auto queued = service.send(crypto::PublicKey(recipient), message); !queued)
    return std::unexpected(queued.error());
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

Reply get_clients(Service& service) {
  const auto clients = service.clients();
  if (!clients) return std::unexpected(clients.error());
  Bytes out;
  for (const auto& client : *clients)
    Writer(out).bytes(client.bytes());
  return out;
}

Reply answer(BytesView request, Service& service) {
  if (request.empty()) return std::unexpected("IncompleteDataError");
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
      return Bytes(address.bytes().begin(), address.bytes().end());
    }
    default:
      return std::unexpected("UnknownRequestError");
  }
}

}  // namespace

Bytes answer_bytes(BytesView request, Service& service, runtime::Refusals* refusals) {
  auto reply = answer(request, service);
  if (reply) return std::move(*reply);
  if (refusals) refusals->add(runtime::Refusal::bad_request);
  return text(reply.error());
}

}  // namespace mix::client
