// SPDX-License-Identifier: Apache-2.0
#include "src/prelude/log.h"

#include <unistd.h>

#include <string>

namespace mix::log {
namespace {

Level threshold = Level::info;

constexpr std::string_view name_of(Level level) {
  switch (level) {
    case Level::debug:
      return "debug ";
    case Level::info:
      return "info  ";
    case Level::warn:
      return "warn  ";
    case Level::error:
      return "error ";
  }
  return "";
}

}  // namespace

void set_threshold(Level level) {
  threshold = level;
}

bool enabled(Level level) {
  return level >= threshold;
}

void write_line(Level level, std::string_view line) {
  std::string text(name_of(level));
  text.append(line).push_back('\n');
  // A log that cannot be written must not stop a node: the result is dropped on purpose.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace mix::log
