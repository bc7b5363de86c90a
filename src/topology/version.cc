// SPDX-License-Identifier: Apache-2.0
#include "src/topology/version.h"

#include <algorithm>

namespace mix::topology {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_identifier_char(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}
bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_digit) &&
         (text.size() == 1 || text.front() != '0');
}

std::optional<std::uint32_t> read_number(std::string_view text) {
  if (!is_number(text) || text.size() > 10) return std::nullopt;
  std::uint64_t value = 0;
  for (char c : text)
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  if (value > UINT32_MAX) return std::nullopt;
  return static_cast<std::uint32_t>(value);
}

/// What precedes the separator; `rest` keeps what follows it, or nothing when there is none.
std::string_view cut(std::string_view& rest, char separator) {
  const std::size_t at = rest.find(separator);
  const std::string_view head = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
  return head;
}

/// Dotted identifiers, none empty; in a pre-release a number has no leading zero.
bool are_identifiers(std::string_view text, bool strict_numbers) {
  if (text.empty() || text.back() == '.') return false;
  while (!text.empty()) {
    const std::string_view one = cut(text, '.');
    if (one.empty() || !std::ranges::all_of(one, is_identifier_char)) return false;
    if (strict_numbers && std::ranges::all_of(one, is_digit) && !is_number(one)) return false;
  }
  return true;
}

}  // namespace

std::optional<Version> parse_version(std::string_view text) {
  if (text.size() > kMaxVersionLength) return std::nullopt;
  Version version;
  if (const std::size_t plus = text.find('+'); plus != std::string_view::npos) {
    version.build = text.substr(plus + 1);
    if (!are_identifiers(version.build, false)) return std::nullopt;
    text = text.substr(0, plus);
  }
  if (const std::size_t hyphen = text.find('-'); hyphen != std::string_view::npos) {
    version.pre_release = text.substr(hyphen + 1);
    if (!are_identifiers(version.pre_release, true)) return std::nullopt;
    text = text.substr(0, hyphen);
  }
  if (std::ranges::count(text, '.') != 2) return std::nullopt;
  const auto major = read_number(cut(text, '.'));
  const auto minor = read_number(cut(text, '.'));
  const auto patch = read_number(text);
  if (!major || !minor || !patch) return std::nullopt;
  version.major = *major;
  version.minor = *minor;
  version.patch = *patch;
  return version;
}

bool is_compatible(std::string_view text) {
  static const Version ours = parse_version(kOurVersion).value();
  const auto version = parse_version(text);
  return version && version->major == ours.major && version->minor == ours.minor;
}

bool is_mixlab(std::string_view text) {
  const auto version = parse_version(text);
  return version &&
         (version->pre_release == "mixlab" || version->pre_release.starts_with("mixlab."));
}

}  // namespace mix::topology
