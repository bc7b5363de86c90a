// SPDX-License-Identifier: Apache-2.0
// What to say and when: the file that the lab writes (scenario/traffic.h has its grammar).
// Times are the host's wall clock, nanoseconds since 1970, and never decrease. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <expected>
#include <map>
#include <string>
#include <string_view>

namespace lab::talk {

struct Item {
  enum class Verb { send, fetch, end };
  std::int64_t wall_ns = 0;
  Verb verb = Verb::fetch;
  std::string peer, text;
};

struct Schedule {
  std::map<std::string, std::string> peers;  // name -> PEM file
  std::deque<Item> items;
};

/// The error names the line.
std::expected<Schedule, std::string> read_schedule(std::string_view text);

/// "client-0>client-1#3": the name a message begins with; empty when it has none.
std::string_view tag_of(std::string_view message);

}  // namespace lab::talk
