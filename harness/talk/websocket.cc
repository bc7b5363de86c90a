// SPDX-License-Identifier: Apache-2.0
#include "harness/talk/websocket.h"

#include "harness/talk/words.h"

namespace lab::talk {

std::string handshake(std::string_view host, mix::ByteArray<16> nonce) {
  return "GET / HTTP/1.1\r\nHost: " + std::string(host) +
         "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: "
         "13\r\nSec-WebSocket-Key: " +
         to_base64(nonce) + "\r\n\r\n";
}

std::optional<std::size_t> handshake_answer(std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos)
    return bytes.size() > 16 * 1024 ? std::optional<std::size_t>(0) : std::nullopt;
  return bytes.starts_with("HTTP/1.1 101") ? end + 4 : 0;
}

std::string frame(Opcode opcode, std::string_view payload, mix::ByteArray<4> mask) {
  std::string out(1, static_cast<char>(0x80 | static_cast<std::uint8_t>(opcode)));
  const std::uint64_t size = payload.size();
  const int extra = size < 126 ? 0 : size < 65536 ? 2 : 8;
  out += static_cast<char>(0x80 | (extra == 0 ? size : extra == 2 ? 126 : 127));
  for (int i = extra - 1; i >= 0; --i)
    out += static_cast<char>(size >> (8 * i));
  for (std::uint8_t byte : mask)
    out += static_cast<char>(byte);
  for (std::size_t i = 0; i < payload.size(); ++i)
    out += static_cast<char>(static_cast<std::uint8_t>(payload[i]) ^ mask[i % 4]);
  return out;
}

/// A server's frames are not masked.
std::optional<Message> Inbound::frame_at_front(bool& last) {
  mix::BytesView bytes = mix::as_bytes(x_bytes);
  if (bytes.size() < 2) return std::nullopt;
  last = (bytes[0] & 0x80) != 0;
  std::uint64_t size = bytes[1] & 0x7f;
  const std::size_t extra = size == 126 ? 2 : size == 127 ? 8 : 0;
  if ((bytes[0] & 0x70) != 0 || (bytes[1] & 0x80) != 0) {
    x_broken = true;
    return std::nullopt;
  }
  if (bytes.size() < 2 + extra) return std::nullopt;
  if (extra > 0) size = 0;
  for (std::size_t i = 0; i < extra; ++i)
    size = size << 8 | bytes[2 + i];
  if (size > kMaxMessage) {
    x_broken = true;
    return std::nullopt;
  }
  if (bytes.size() < 2 + extra + size) return std::nullopt;
  Message out{static_cast<Opcode>(bytes[0] & 15), x_bytes.substr(2 + extra, size)};
  x_bytes.erase(0, 2 + extra + size);
  return out;
}

std::optional<Message> Inbound::next() {
  while (!x_broken) {
    bool last = true;
    auto got = frame_at_front(last);
    if (!got) return std::nullopt;
    if (static_cast<std::uint8_t>(got->opcode) >= 8) return got;  // control frames come whole
    if (got->opcode == Opcode::continuation) {
      if (!x_partial || x_partial->payload.size() + got->payload.size() > kMaxMessage) {
        x_broken = true;
        return std::nullopt;
      }
      x_partial->payload += got->payload;
    } else {
      x_partial = std::move(got);
    }
    if (!last) continue;
    auto out = std::move(x_partial);
    x_partial.reset();
    return out;
  }
  return std::nullopt;
}

}  // namespace lab::talk
