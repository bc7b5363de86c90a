// SPDX-License-Identifier: Apache-2.0
#include "harness/talk/schedule.h"

#include <charconv>

namespace lab::talk {
namespace {

std::string_view word(std::string_view& rest) {
  const std::size_t space = rest.find(' ');
  const std::string_view out = rest.substr(0, space);
  rest = space == std::string_view::npos ? "" : rest.substr(space + 1);
  return out;
}

}  // namespace

std::expected<Schedule, std::string> read_schedule(std::string_view text) {
  Schedule out;
  int line_number = 0;
  const auto wrong = [&](std::string_view why) {
    return std::unexpected("line " + std::to_string(line_number) + ": " + std::string(why));
  };
  while (!text.empty()) {
    ++line_number;
    const std::size_t newline = text.find('\n');
    std::string_view line = text.substr(0, newline);
    text = newline == std::string_view::npos ? "" : text.substr(newline + 1);
    if (line.empty()) continue;
    const std::string_view verb = word(line);
    if (verb == "peer") {
      const std::string name(word(line));
      if (name.empty() || line.empty()) return wrong("write peer NAME FILE");
      out.peers[name] = line;
      continue;
    }
    Item item;
    const std::string_view time = word(line);
    const auto read = std::from_chars(time.data(), time.data() + time.size(), item.wall_ns);
    if (read.ec != std::errc{} || read.ptr != time.data() + time.size())
      return wrong("a time in ns is needed");
    if (!out.items.empty() && item.wall_ns < out.items.back().wall_ns)
      return wrong("goes back in time");
    if (verb == "send") {
      item.verb = Item::Verb::send;
      item.peer = word(line);
      item.text = line;
      if (!out.peers.contains(item.peer)) return wrong("no peer is called '" + item.peer + "'");
      if (item.text.empty()) return wrong("there is no message");
    } else if (verb == "fetch" || verb == "end") {
      item.verb = verb == "end" ? Item::Verb::end : Item::Verb::fetch;
    } else {
      return wrong("'" + std::string(verb) + "' is not peer, send, fetch or end");
    }
    out.items.push_back(std::move(item));
  }
  return out;
}

std::string_view tag_of(std::string_view message) {
  const std::string_view first = message.substr(0, message.find(' '));
  const std::size_t arrow = first.find('>'), number = first.find('#');
  return arrow == std::string_view::npos || number == std::string_view::npos || number < arrow
             ? ""
             : first;
}

}  // namespace lab::talk
