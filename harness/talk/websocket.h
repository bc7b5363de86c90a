// SPDX-License-Identifier: Apache-2.0
// The client's half of RFC 6455, as far as a speaker of short JSON texts needs it: the handshake's
// request and answer, masked text frames out, whole frames in. Fragmented messages are put
// together. The accept key is not verified: the other end is a program on this very host. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "src/prelude/bytes.h"

namespace lab::talk {

inline constexpr std::size_t kMaxMessage = 16 * 1024 * 1024;

std::string handshake(std::string_view host, mix::ByteArray<16> nonce);
/// nullopt: more bytes are needed. Else how long the answer is, or 0 when it is a refusal.
std::optional<std::size_t> handshake_answer(std::string_view bytes);

enum class Opcode : std::uint8_t {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10
};
std::string frame(Opcode opcode, std::string_view payload, mix::ByteArray<4> mask);

struct Message {
  Opcode opcode = Opcode::text;
  std::string payload;
};

class Inbound {
 public:
  void feed(std::string_view bytes) { x_bytes += bytes; }
  /// The next whole message or control frame; nullopt when more bytes are needed, or when broken().
  std::optional<Message> next();
  bool broken() const { return x_broken; }

 private:
  std::optional<Message> frame_at_front(bool& last);
  std::string x_bytes;
  std::optional<Message> x_partial;
  bool x_broken = false;
};

}  // namespace lab::talk
