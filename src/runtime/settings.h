// SPDX-License-Identifier: Apache-2.0
// What the command line parser leaves to be checked. Each check_* takes one argument's text and
// answers an empty string or what is wrong, which is what CLI11's Option::check wants; CLI11 puts
// the flag's name before it ("--directory: 'ftp://x' is not ..."). Each read_* gives the value of a
// text that passed its check.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "src/prelude/instant.h"

namespace mix::runtime {

/// "http://host[:port][/prefix]"; a slash at the end is dropped, since paths are appended.
std::expected<std::string, std::string> read_url(std::string_view text);
std::string check_url(const std::string& text);
/// A host name or a numeric address, without port.
std::string check_host(const std::string& text);
/// "host:port".
std::string check_host_port(const std::string& text);
/// 0 to 65535; 0 asks the system for a free port.
std::expected<std::uint16_t, std::string> read_port(std::string_view text);
std::string check_port(const std::string& text);
/// "100 ms"; more than zero.
std::expected<Duration, std::string> read_duration(std::string_view text);
std::string check_duration(const std::string& text);
/// "2 / s", "2/s", "0.5 / s", "30 / min", or a bare number per second; zero is "never". The mean
/// gap between two events, rounded to nanoseconds; nothing for zero.
struct Rate {
  Duration mean_gap{};  // zero: never

  bool operator==(const Rate&) const = default;
};
std::expected<Rate, std::string> read_rate(std::string_view text);
std::string check_rate(const std::string& text);
/// "64 MiB", "4096", "1 GiB" (B, KiB, MiB, GiB); more than zero.
std::expected<std::uint64_t, std::string> read_size(std::string_view text);
std::string check_size(const std::string& text);

/// Raises the soft limit of descriptors to `wanted` if the hard one allows; answers the limit.
std::uint64_t raise_descriptor_limit(std::uint64_t wanted);
/// What one use of descriptors may have of them (wire::kShareOfDescriptors), by the limit that the
/// system told last: it is asked again only when `again`.
std::size_t share_of_descriptors(bool again = false);

}  // namespace mix::runtime
