// SPDX-License-Identifier: Apache-2.0
// What a client and a provider say to each other: one request a connection, one reply, and then
// the end of the stream. Bytes only: who may have what is decided in provider/desk.h.
//
// Requests: register (34 bytes) and pull (66 bytes). Replies: a token (32 bytes), or always five
// messages, filled up with the dummy, or `bad foomp` for whatever goes wrong.
// A stranger's bytes give nullopt. Threads: none of its own.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "src/prelude/bytes.h"
#include "src/wire/limits.h"

namespace mix::wire {

/// A client's public key.
using ClientAddress = ByteArray<32>;
using AuthToken = ByteArray<32>;

inline constexpr std::size_t kRegisterBytes = 2 + 32;
inline constexpr std::size_t kPullBytes = 2 + 32 + 32;
inline constexpr std::size_t kTokenBytes = 32;
inline constexpr std::string_view kBadRequest = "bad foomp";
/// Fills a pull reply. Clients drop it; an original's health check pulls until it sees one.
inline constexpr std::string_view kDummyMessage =
    "[DUMMY MESSAGE] Wanting something does not give you the right to have it.";
/// A message comes from a packet.
inline constexpr std::size_t kMaxMailBytes = kMaxMessageBytes;
/// Count, five lengths, five messages.
inline constexpr std::size_t kMaxPullReplyBytes = 2 + kMessagesPerPull * (2 + kMaxMailBytes);

struct RegisterRequest {
  ClientAddress address;
  bool operator==(const RegisterRequest&) const = default;
};
struct PullRequest {
  ClientAddress address;
  AuthToken token;
  bool operator==(const PullRequest&) const = default;
};
using Request = std::variant<RegisterRequest, PullRequest>;

Bytes encode(const Request& request);
/// How long the request that begins so is: 34 or 66; nothing when it is neither, or when fewer
/// than its two bytes of prefix are there.
std::optional<std::size_t> request_size(BytesView begin);
/// Exactly one whole request.
std::optional<Request> parse_request(BytesView bytes);

/// At most five messages of at most 975 bytes (CHECKed); the rest is dummies.
Bytes encode_pull_reply(std::span<const BytesView> messages);
/// The messages, dummies included, as views into `reply`. Tolerates any count whose lengths fit,
/// as originals do, computed in a width that cannot overflow. `bad foomp` is no pull reply.
std::optional<std::vector<BytesView>> parse_pull_reply(BytesView reply);
/// A reply of exactly 32 bytes is a token; everything else is a refusal.
std::optional<AuthToken> parse_register_reply(BytesView reply);

}  // namespace mix::wire
