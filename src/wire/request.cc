// SPDX-License-Identifier: Apache-2.0
#include "src/wire/request.h"

#include "src/prelude/check.h"
#include "src/prelude/cursor.h"

namespace mix::wire {
namespace {

constexpr std::uint16_t kRegister = 0x0001;
constexpr std::uint16_t kPull = 0x0100;

}  // namespace

Bytes encode(const Request& request) {
  Bytes out;
  Writer writer(out);
  if (const auto* ask = std::get_if<RegisterRequest>(&request)) {
    writer.u16(kRegister).bytes(ask->address);
  } else {
    const auto& pull = std::get<PullRequest>(request);
    writer.u16(kPull).bytes(pull.address).bytes(pull.token);
  }
  return out;
}

std::optional<std::size_t> request_size(BytesView begin) {
  Reader reader(begin);
  const std::uint16_t prefix = reader.u16();
  if (!reader.ok()) return std::nullopt;
  if (prefix == kRegister) return kRegisterBytes;
  if (prefix == kPull) return kPullBytes;
  return std::nullopt;
}

std::optional<Request> parse_request(BytesView bytes) {
  if (request_size(bytes) != bytes.size()) return std::nullopt;
  Reader reader(bytes.subspan(2));
  const auto address = reader.array<32>();
  if (bytes.size() == kRegisterBytes) return RegisterRequest{address};
  return PullRequest{address, reader.array<32>()};
}

Bytes encode_pull_reply(std::span<const BytesView> messages) {
  CHECK(messages.size() <= kMessagesPerPull, messages.size());
  std::vector<BytesView> all(messages.begin(), messages.end());
  all.resize(kMessagesPerPull, as_bytes(kDummyMessage));
  Bytes out;
  Writer writer(out);
  writer.u16(static_cast<std::uint16_t>(all.size()));
  for (BytesView message : all) {
    CHECK(message.size() <= kMaxMailBytes, message.size());
    writer.u16(static_cast<std::uint16_t>(message.size()));
  }
  for (BytesView message : all)
    writer.bytes(message);
  return out;
}

std::optional<std::vector<BytesView>> parse_pull_reply(BytesView reply) {
  Reader lengths(reply);
  const std::size_t count = lengths.u16();
  Reader messages(lengths.rest());
  messages.take(2 * count);
  if (!lengths.ok() || !messages.ok()) return std::nullopt;
  std::vector<BytesView> out;
  out.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    out.push_back(messages.take(lengths.u16()));
  if (!messages.done()) return std::nullopt;
  return out;
}

std::optional<AuthToken> parse_register_reply(BytesView reply) {
  if (reply.size() != kTokenBytes) return std::nullopt;
  return Reader(reply).array<kTokenBytes>();
}

}  // namespace mix::wire
