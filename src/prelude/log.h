// SPDX-License-Identifier: Apache-2.0
// One line a call on standard error, for people: "warn  mix-2: next hop unreachable
// 127.0.0.1:9983". No clock is read here (a line's time is whoever collects it); no packet
// contents, no keys. Threads: a line is one write(2) call, so lines of several threads do not
// interleave.
#pragma once

#include <sstream>
#include <string_view>

namespace mix::log {

enum class Level { debug, info, warn, error };

/// Lines below this level are not written. Set once, by main, before other threads exist.
void set_threshold(Level level);
bool enabled(Level level);
void write_line(Level level, std::string_view line);

template <class... Parts>
void line(Level level, const Parts&... parts) {
  if (!enabled(level)) return;
  std::ostringstream out;
  (out << ... << parts);
  write_line(level, out.view());
}
template <class... Parts>
void debug(const Parts&... parts) {
  line(Level::debug, parts...);
}
template <class... Parts>
void info(const Parts&... parts) {
  line(Level::info, parts...);
}
template <class... Parts>
void warn(const Parts&... parts) {
  line(Level::warn, parts...);
}
template <class... Parts>
void error(const Parts&... parts) {
  line(Level::error, parts...);
}

}  // namespace mix::log
