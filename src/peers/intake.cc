// SPDX-License-Identifier: Apache-2.0
#include "src/peers/intake.h"

#include <optional>
#include <utility>

#include "src/wire/limits.h"

namespace mix::peers {

using runtime::IoError;
using runtime::Stream;
using runtime::Task;

Intake::Intake(runtime::Loop& loop, Callbacks callbacks)
    : x_loop(loop),
      x_callbacks(std::move(callbacks)),
      x_buffer(wire::kPacketsPerTurn * wire::kPacketBytes) {}

Task<> Intake::serve(Stream stream) {
  wire::FrameReader reader;
  bool inside = false;  // a packet has begun and not ended
  bool waited = false;
  stream.set_idle_limit(wire::kIdleTimeout);
  while (true) {
    const auto got = stream.read_now(x_buffer);
    if (!got && got.error().kind == IoError::Kind::would_block) {
      waited = true;
      if (!co_await stream.readable()) break;
      continue;
    }
    if (!got || *got == 0) break;
    const Instant now = x_loop.now();
    reader.feed(BytesView(x_buffer).first(*got));
    bool ended = false;
    while (const auto packet = reader.next()) {
      x_callbacks.take(*packet, now);
      ended = true;
    }
    x_callbacks.read_over();
    if (reader.unfinished() > 0 && (ended || !inside))
      stream.set_deadline(now + wire::kReadTimeout);
    else if (inside && reader.unfinished() == 0)
      stream.set_deadline(std::nullopt);
    inside = reader.unfinished() > 0;
    // Senders of one packet a connection have often closed it by now.
    if (!waited && stream.ended()) break;
    waited = true;
    if (!co_await stream.readable()) break;
  }
  if (reader.unfinished() > 0) x_callbacks.cut_off();
}

}  // namespace mix::peers
