// SPDX-License-Identifier: Apache-2.0
#include "src/record/hop_log.h"

#include <charconv>

#include "src/prelude/log.h"
#include "src/record/sqlite_sink.h"
#include "src/record/stream_sink.h"

namespace mix::record {
namespace {

constexpr std::string_view kDescriptor = "fd:";

std::expected<std::unique_ptr<Sink>, std::string> open_descriptor(std::string_view number) {
  int fd = -1;
  const char* end = number.data() + number.size();
  const auto [at, error] = std::from_chars(number.data(), end, fd);
  if (error != std::errc{} || at != end || fd < 0)
    return std::unexpected("--record: '" + std::string(number) +
                           "' is not a descriptor (fd:N, with N a number)");
  return open_stream_sink(fd);
}

}  // namespace

std::expected<HopLog, std::string> HopLog::open(std::string_view spec, const ports::Clock& clock,
                                                Defer defer) {
  HopLog log;
  if (spec.empty()) return log;
  auto sink = spec.starts_with(kDescriptor) ? open_descriptor(spec.substr(kDescriptor.size()))
                                            : open_sqlite_sink(std::string(spec), clock);
  if (!sink) return std::unexpected(sink.error());
  log::info("record: writing to ", spec,
            ": it links senders to receivers and is for test networks only");
  log.x_state = std::make_shared<State>(std::move(*sink), std::move(defer), false);
  return log;
}

HopLog::~HopLog() {
  close();
}

void HopLog::put(Row row) {
  if (!x_state) return;
  x_state->sink->put(std::move(row));
  if (!x_state->defer) return x_state->sink->flush();
  if (x_state->flush_due) return;
  x_state->flush_due = true;
  x_state->defer([weak = std::weak_ptr(x_state)] {
    if (const auto state = weak.lock()) {
      state->flush_due = false;
      state->sink->flush();
    }
  });
}

void HopLog::flush() {
  if (x_state) x_state->sink->flush();
}

void HopLog::close() {
  if (!x_state) return;
  x_state->sink->close();
  x_lost = x_state->sink->lost();
  if (x_lost > 0) log::warn("record: ", x_lost, " rows were lost");
  x_state.reset();
}

std::uint64_t HopLog::lost() const {
  return x_state ? x_state->sink->lost() : x_lost;
}

}  // namespace mix::record
