// SPDX-License-Identifier: Apache-2.0
// Names to addresses. Numeric addresses and `localhost` are answered at once, on the loop's thread
// and without a system call that may wait; only other names go to the system's resolver, on a
// thread that lives as long as the question.
//
// `localhost` is what /etc/hosts says, read once, else 127.0.0.1: IPv4 first, so that a node that
// binds the first address is where originals look for it.
// Answers keep the resolver's order, without duplicates. Threads: the loop's.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "src/runtime/loop.h"
#include "src/runtime/stream.h"

namespace mix::runtime {

struct HostPort {
  std::string host;  // without brackets
  std::uint16_t port = 0;

  bool operator==(const HostPort&) const = default;
};

/// "name:80", "1.2.3.4:80", "[::1]:80", and "::1:80" (split at the last colon, as originals do).
std::expected<HostPort, std::string> split_host_port(std::string_view text);

/// Never empty. The error names the host.
Task<std::expected<std::vector<Address>, std::string>> resolve(Loop& loop, std::string host,
                                                               std::uint16_t port);
/// Only what needs no waiting: numeric addresses and `localhost`; empty for anything else.
std::vector<Address> resolve_now(std::string_view host, std::uint16_t port);

}  // namespace mix::runtime
