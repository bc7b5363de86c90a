// SPDX-License-Identifier: Apache-2.0
// Versions as nodes announce them: semantic versioning 2.0, at most 32 characters. Two programs
// understand each other when major and minor are equal; patch and pre-release say nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mix::topology {

/// What our programs announce: original clients accept every 0.4, and a peer that reads "mixlab"
/// knows that connections may stay open.
inline constexpr std::string_view kOurVersion = "0.4.0-mixlab.1";
inline constexpr std::size_t kMaxVersionLength = 32;

struct Version {
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::uint32_t patch = 0;
  std::string pre_release;  // without the hyphen
  std::string build;        // without the plus

  bool operator==(const Version&) const = default;
};

/// Strict: three numbers without leading zeros, below 2^32; dotted identifiers of [0-9A-Za-z-].
std::optional<Version> parse_version(std::string_view text);
/// Same major and minor as ours. False for what is no version.
bool is_compatible(std::string_view version);
/// One of our programs: reads many packets from one connection.
bool is_mixlab(std::string_view version);

}  // namespace mix::topology
