// SPDX-License-Identifier: Apache-2.0
#include "harness/cli/stops.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <iostream>
#include <sstream>

#include "harness/cli/state_text.h"
#include "harness/scenario/units.h"

namespace lab::cli {
namespace {

constexpr std::size_t kShown = 10;
constexpr const char* kHelp =
    "  n or Enter  the next event\n"
    "  c           on to the next stop, or to the end\n"
    "  u WHERE     on to a time (3 s), an event (1042) or a hop (hop(packet=17, layer=2))\n"
    "  b WHERE     back: the run starts again, and stops there\n"
    "  s           this again\n"
    "  q           end the run\n";

std::string exact(VirtualTime time) {
  char out[40];
  std::snprintf(out, sizeof out, "%.9f s", static_cast<double>(ns(time)) / 1e9);
  return out;
}

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

bool digits(const std::string& text) {
  return !text.empty() && text.size() < 19 &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) != 0; });
}

/// "hop(packet=17, layer=2)": false when it is not that.
bool read_hop(std::string text, Until& out) {
  std::erase_if(text, [](unsigned char c) { return std::isspace(c) != 0; });
  if (!text.starts_with("hop(") || !text.ends_with(")")) return false;
  std::istringstream parts(text.substr(4, text.size() - 5));
  std::optional<std::int64_t> packet, layer;
  for (std::string part; std::getline(parts, part, ',');) {
    const std::size_t equals = part.find('=');
    if (equals == std::string::npos || !digits(part.substr(equals + 1))) return false;
    const std::int64_t value = std::stoll(part.substr(equals + 1));
    if (part.substr(0, equals) == "packet")
      packet = value;
    else if (part.substr(0, equals) == "layer")
      layer = value;
    else
      return false;
  }
  if (!packet || !layer || *packet < 1 || *layer < 1 || *layer > 255) return false;
  out.packet = packet;
  out.layer = static_cast<int>(*layer);
  return true;
}

std::expected<Until, std::string> read_one(const std::string& text) {
  Until out;
  out.text = text;
  if (digits(text)) {
    out.event = std::stoull(text);
    return out;
  }
  if (read_hop(text, out)) return out;
  if (const auto time = scenario::read_duration(text)) {
    out.time = kStart + *time;
    return out;
  }
  return std::unexpected("'" + text +
                         "' is no place to stop: a time (\"3 s\"), the number of an event (1042), "
                         "or \"hop(packet=17, layer=2)\"");
}

}  // namespace

std::expected<std::vector<Until>, std::string> read_until(const std::string& text) {
  std::vector<Until> out;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ';');) {
    auto one = read_one(trimmed(part));
    if (!one) return std::unexpected(one.error());
    out.push_back(std::move(*one));
  }
  if (out.empty()) return std::unexpected("no place to stop is given");
  return out;
}

Stops::Stops(std::vector<Until> wishes, std::vector<std::string> nodes)
    : x_nodes(std::move(nodes)), x_interactive(!wishes.empty()) {
  for (Until& wish : wishes)
    x_wishes.push_back({std::move(wish), {}});
}

void Stops::start(replay::Checker* checker) {
  x_checker = checker;
  x_step = x_again = x_over = false;
  x_halt = false;
  x_events = x_shown = x_compared = 0;
  x_made = 0;
  x_latest.clear();
  x_why.clear();
  for (Wish& wish : x_wishes)
    wish.packet.reset();
}

std::vector<std::string> Stops::unmet() const {
  std::vector<std::string> out;
  for (const Wish& wish : x_wishes)
    out.push_back(wish.until.text);
  return out;
}

// ---- while it runs ----

void Stops::reach(const Wish& wish, const std::string& why) {
  x_halt = true;
  x_why += (x_why.empty() ? "" : "; ") + why;
  std::erase_if(x_wishes, [&](const Wish& other) { return &other == &wish; });
}

void Stops::event(mix::BytesView canonical) {
  if (x_over) return;  // what the lab's own tidying up makes
  const std::uint64_t seq = x_events++;
  if (x_checker != nullptr) {
    x_checker->event(canonical);
    if (x_checker->differs() || !x_checker->problem().empty()) x_halt = true;
  }
  if (!x_interactive) return;
  const Digest digest = digest_of(canonical);
  if (seq == x_seen.size()) {
    x_seen.push_back(digest);
  } else if (x_seen[seq] == digest) {
    ++x_compared;
  } else if (!x_apart) {
    x_apart = seq;
    x_halt = true;
  }
  if (x_latest.size() == kShown) x_latest.pop_front();
  x_latest.emplace_back(canonical.begin(), canonical.end());
  if (x_step) x_halt = true;
  for (const Wish& wish : x_wishes)
    if (wish.until.event && *wish.until.event == seq)
      return reach(wish, "event " + std::to_string(seq) + " has happened");
}

void Stops::recorded(const mix::record::Row& row) {
  if (std::holds_alternative<mix::record::MadeRow>(row)) ++x_made;
  for (Wish& wish : x_wishes) {
    if (const auto* made = std::get_if<mix::record::MadeRow>(&row);
        made != nullptr && wish.until.packet == x_made)
      wish.packet = made->digest;
    if (const auto* handled = std::get_if<mix::record::HandledRow>(&row);
        handled != nullptr && wish.packet && handled->digest_in == *wish.packet &&
        handled->digest_out)
      wish.packet = handled->digest_out;
  }
}

void Stops::crossed(const recorder::WirePacketRow& row, mix::BytesView bytes, int layer) {
  if (!row.delivered_ns || !row.to) return;
  for (const Wish& wish : x_wishes) {
    if (!wish.packet || wish.until.layer != layer || *wish.packet != digest_of(bytes)) continue;
    return reach(wish, "packet " + std::to_string(*wish.until.packet) + " has come to " +
                           x_nodes[static_cast<std::size_t>(*row.to) - 1] + ", layer " +
                           std::to_string(layer));
  }
}

VirtualTime Stops::next_time() const {
  VirtualTime out = kNever;
  for (const Wish& wish : x_wishes)
    if (wish.until.time) out = std::min(out, *wish.until.time);
  return out;
}

// ---- when it stands still ----

bool Stops::stopped(const runner::Standing& standing) {
  x_over = !stand(standing);
  return !x_over;
}

bool Stops::stand(const runner::Standing& standing) {
  if (x_checker != nullptr && !x_checker->problem().empty()) return false;
  if (!x_interactive) return false;  // a difference: there is nothing to wait for
  const VirtualTime now = standing.controller.now();
  while (true) {
    const auto due = std::ranges::find_if(
        x_wishes, [&](const Wish& wish) { return wish.until.time && *wish.until.time <= now; });
    if (due == x_wishes.end()) break;
    reach(*due, due->until.text);
  }
  if (x_apart)
    x_why = "event " + std::to_string(*x_apart) + " is not what it was the first time";
  else if (differs())
    x_why = "event " + std::to_string(x_checker->difference()->seq) + " is not what was recorded";
  show(standing);
  x_halt = false;
  x_step = false;
  x_why.clear();
  x_shown = x_events;
  return ask(standing) && !differs() && !x_apart;
}

void Stops::show_events() {
  const std::uint64_t many = x_events - x_shown;
  if (many > x_latest.size()) std::cout << "  ... " << many - x_latest.size() << " events\n";
  const std::size_t first = x_latest.size() - std::min<std::size_t>(many, x_latest.size());
  for (std::size_t i = first; i < x_latest.size(); ++i) {
    const auto view = read_event(x_latest[i]);
    if (!view) continue;
    const std::size_t place = index(view->node);
    std::cout << "  "
              << replay::to_text({static_cast<std::int64_t>(view->sequence), ns(view->time),
                                  view->node == kNoNode || place == 0 || place > x_nodes.size()
                                      ? ""
                                      : x_nodes[place - 1],
                                  std::string(view->kind), detail_json(*view)},
                                 150)
              << "\n";
  }
}

void Stops::show(const runner::Standing& standing) {
  const bool stepped = x_step && x_why.empty();
  show_events();
  std::cout << "stopped at " << exact(standing.controller.now()) << ", after " << x_events
            << " events" << (x_why.empty() ? "" : ": " + x_why) << "\n";
  if (x_compared > 0 && !stepped)
    std::cout << "  the first " << x_compared << " events were as they were before\n";
  if (!stepped) std::cout << state_text(standing);
}

bool Stops::ask(const runner::Standing& standing) {
  if (!x_helped) {
    std::cout << "gdb -p PID attaches to a program; detach before going on.\n" << kHelp;
    x_helped = true;
  }
  while (true) {
    std::cout << "(mixlab) " << std::flush;
    std::string line;
    if (!std::getline(std::cin, line)) {
      std::cout << "\nno more commands: on to the end\n" << std::flush;
      x_wishes.clear();
      return true;
    }
    if (::isatty(STDIN_FILENO) == 0) std::cout << line << "\n";
    switch (obey(trimmed(line), standing)) {
      case Answer::go_on:
        return true;
      case Answer::end:
        return false;
      case Answer::ask_again:
        break;
    }
  }
}

Stops::Answer Stops::obey(const std::string& line, const runner::Standing& standing) {
  const std::string word = line.substr(0, line.find(' '));
  const std::string rest = trimmed(line.substr(word.size()));
  if (line.empty() || word == "n") {
    x_step = true;
    return Answer::go_on;
  }
  if (word == "c") return Answer::go_on;
  if (word == "u" || word == "b") return aim(rest, word == "b", standing.controller.now());
  if (word == "s") {
    std::cout << state_text(standing);
    return Answer::ask_again;
  }
  if (word == "q") return Answer::end;
  std::cout << "'" << word << "' is no command\n" << kHelp;
  return Answer::ask_again;
}

Stops::Answer Stops::aim(const std::string& where, bool back, VirtualTime now) {
  const auto until = read_until(where);
  if (!until) {
    std::cout << until.error() << "\n";
    return Answer::ask_again;
  }
  const Until& first = until->front();
  const bool behind =
      (first.time && *first.time <= now) || (first.event && *first.event < x_events);
  if (behind && !back) {
    std::cout << "that is past; b " << where << " runs again to it\n";
    return Answer::ask_again;
  }
  if (back && !behind && !first.packet) {
    std::cout << "that is still to come; u " << where << " goes on to it\n";
    return Answer::ask_again;
  }
  if (back) x_wishes.clear();
  for (const Until& wish : *until)
    x_wishes.push_back({wish, {}});
  x_again = back;
  if (back) return Answer::end;
  if (first.packet && *first.packet <= x_made)
    std::cout << "packet " << *first.packet << " was made already; b " << where
              << " is sure to find it\n";
  return Answer::go_on;
}

}  // namespace lab::cli
