// SPDX-License-Identifier: Apache-2.0
#include "src/client/ws_protocol.h"

#include <boost/json.hpp>

#include "src/crypto/base58.h"
#include "src/topology/key_counter.h"

namespace mix::client {
namespace json = boost::json;
namespace {

using Reply = json::object;

Reply error(std::string_view text) {
  return {{"type", "error"}, {"message", text}};
}
Reply invalid(std::string_view why) {
  return error("received invalid request. err: " + std::string(why));
}

/// A string field of a request, or what is wrong with it.
std::expected<std::string_view, std::string> text_field(const json::object& request,
                                                        std::string_view name) {
  const json::value* field = request.if_contains(name);
  if (field == nullptr) return std::unexpected("missing field `" + std::string(name) + "`");
  const json::string* text = field->if_string();
  if (text == nullptr) return std::unexpected("field `" + std::string(name) + "` must be a string");
  return std::string_view(*text);
}

Reply send(const json::object& request, Service& service) {
  const auto message = text_field(request, "message");
  if (!message) return invalid(message.error());
  const auto recipient = text_field(request, "recipient_address");
  if (!recipient) return invalid(recipient.error());
  if (message->size() > kMaxMessage)
    return error("message too long. Sent " + std::to_string(message->size()) +
                 " bytes, but the maximum is " + std::to_string(kMaxMessage));
  const auto address = crypto::from_base58(*recipient);
  if (!address) return error("recipient_address is not base58");
  const auto key = crypto::PublicKey::from_bytes(*address);
  if (!key) return error("InvalidDestinationLength");
  if (auto queued = service.send(*key, as_bytes(*message)); !queued) return error(queued.error());
  return {{"type", "send"}};
}

Reply fetch(Service& service) {
  json::array messages;
  for (const Bytes& message : service.fetch())
    messages.emplace_back(is_utf8(message) ? as_text(message) : std::string_view());
  return {{"type", "fetch"}, {"messages", std::move(messages)}};
}

Reply get_clients(Service& service) {
  const auto clients = service.clients();
  if (!clients) return error(clients.error());
  json::array addresses;
  for (const auto& client : *clients)
    addresses.emplace_back(client.to_base58());
  return {{"type", "getClients"}, {"clients", std::move(addresses)}};
}

Reply answer(std::string_view text, Service& service) {
  if (const auto too_many = topology::too_many_keys(text)) return invalid(*too_many);
  boost::system::error_code problem;
  json::parse_options options;
  options.max_depth = 16;
  const json::value value = json::parse(text, problem, {}, options);
  if (problem) return invalid(problem.message());
  const json::object* request = value.if_object();
  if (request == nullptr) return invalid("expected an object");
  const auto type = text_field(*request, "type");
  if (!type) return invalid(type.error());
  if (*type == "send") return send(*request, service);
  if (*type == "fetch") return fetch(service);
  if (*type == "getClients") return get_clients(service);
  if (*type == "ownDetails")
    return {{"type", "ownDetails"}, {"address", service.own_address().to_base58()}};
  return invalid("unknown type, expected one of `send`, `fetch`, `getClients`, `ownDetails`");
}

/// How many bytes follow this first byte, and the range of the first of them; 0xff when it can
/// begin nothing.
struct Lead {
  std::uint8_t following = 0xff;
  std::uint8_t low = 0x80;
  std::uint8_t high = 0xbf;
};
Lead lead_of(std::uint8_t byte) {
  if (byte < 0x80) return {0};
  if (byte < 0xc2) return {};
  if (byte < 0xe0) return {1};
  if (byte == 0xe0) return {2, 0xa0, 0xbf};  // else overlong
  if (byte == 0xed) return {2, 0x80, 0x9f};  // else a surrogate
  if (byte < 0xf0) return {2};
  if (byte == 0xf0) return {3, 0x90, 0xbf};  // else overlong
  if (byte < 0xf4) return {3};
  if (byte == 0xf4) return {3, 0x80, 0x8f};  // else above U+10FFFF
  return {};
}

}  // namespace

bool is_utf8(BytesView bytes) {
  for (std::size_t i = 0; i < bytes.size();) {
    const Lead lead = lead_of(bytes[i++]);
    if (lead.following == 0xff || bytes.size() - i < lead.following) return false;
    for (std::uint8_t n = 0; n < lead.following; ++n, ++i) {
      const std::uint8_t low = n == 0 ? lead.low : 0x80;
      const std::uint8_t high = n == 0 ? lead.high : 0xbf;
      if (bytes[i] < low || bytes[i] > high) return false;
    }
  }
  return true;
}

std::string answer_json(std::string_view request, Service& service, runtime::Refusals* refusals) {
  const Reply reply = answer(request, service);
  if (refusals && reply.at("type") == "error") refusals->add(runtime::Refusal::bad_request);
  return json::serialize(reply);
}

}  // namespace mix::client
