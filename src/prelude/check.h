// SPDX-License-Identifier: Apache-2.0
// CHECK(condition, values...): our own mistakes stop the program, in every build, and say with
// which values. For what the world does wrong use std::expected; for a stranger's bytes a counted
// drop reason.
#pragma once

#include <sstream>
#include <string>

namespace mix::detail {

[[noreturn]] void check_failed(const char* file, int line, const char* condition,
                               const std::string& values);

template <class... Values>
std::string check_values(const Values&... values) {
  std::ostringstream out;
  ((out << ' ' << values), ...);
  return out.str();
}

}  // namespace mix::detail

#define CHECK(condition, ...)                                                \
  do {                                                                       \
    if (!(condition)) [[unlikely]]                                           \
      ::mix::detail::check_failed(__FILE__, __LINE__, #condition,            \
                                  ::mix::detail::check_values(__VA_ARGS__)); \
  } while (false)
