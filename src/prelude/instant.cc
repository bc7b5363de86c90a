// SPDX-License-Identifier: Apache-2.0
#include "src/prelude/instant.h"

#include <array>
#include <cstdio>
#include <limits>

namespace mix {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t ns;
};
constexpr std::array<Unit, 6> kUnits{{{"ns", 1},
                                      {"us", 1'000},
                                      {"ms", 1'000'000},
                                      {"s", 1'000'000'000},
                                      {"min", 60'000'000'000},
                                      {"h", 3'600'000'000'000}}};

__extension__ typedef __int128 Wide;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

std::string to_text(Duration d) {
  const std::int64_t ns = d.count();
  std::size_t at = 0;  // seconds are the largest unit shown
  while (at < 3 && (ns >= kUnits[at + 1].ns || -ns >= kUnits[at + 1].ns))
    ++at;
  const Unit* unit = &kUnits[at];
  char text[48];
  const double value = static_cast<double>(ns) / static_cast<double>(unit->ns);
  const int places = unit->ns == 1 || value >= 99.95 || value <= -99.95 ? 0
                     : value >= 9.995 || value <= -9.995                ? 1
                                                                        : 2;
  std::snprintf(text, sizeof text, "%.*f %s", places, value, std::string(unit->name).c_str());
  return text;
}

std::expected<Duration, std::string> parse_duration(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return std::unexpected("'" + std::string(text) + "' is not a duration: " + std::string(why) +
                           " (for example \"20 ms\"; units ns, us, ms, s, min, h)");
  };
  std::size_t at = 0;
  Wide digits = 0;
  std::int64_t scale = 1;
  bool seen_point = false, seen_digit = false;
  for (; at < text.size() && (is_digit(text[at]) || text[at] == '.'); ++at) {
    if (text[at] == '.') {
      if (seen_point) return wrong("two decimal points");
      seen_point = true;
      continue;
    }
    seen_digit = true;
    digits = digits * 10 + (text[at] - '0');
    if (seen_point) scale *= 10;
    if (digits > std::numeric_limits<std::int64_t>::max() || scale > 1'000'000'000'000'000)
      return wrong("too many digits");
  }
  if (!seen_digit) return wrong("a number must come first");
  while (at < text.size() && text[at] == ' ')
    ++at;
  const std::string_view name = text.substr(at);
  for (const Unit& unit : kUnits) {
    if (unit.name != name) continue;
    const Wide scaled = digits * unit.ns;
    if (scaled % scale != 0) return wrong("finer than a nanosecond");
    if (scaled / scale > std::numeric_limits<std::int64_t>::max()) return wrong("too long");
    return Duration(static_cast<std::int64_t>(scaled / scale));
  }
  return wrong(name.empty() ? "the unit is missing" : "unknown unit");
}

std::string to_text(WallTime t) {
  // Days since 1970 to a civil date: Howard Hinnant's algorithm, by way of std::chrono.
  using namespace std::chrono;
  const sys_time<nanoseconds> when{t.time_since_epoch()};
  const auto day = floor<days>(when);
  const year_month_day date{day};
  const hh_mm_ss clock{floor<milliseconds>(when - day)};
  char text[80];
  std::snprintf(
      text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return text;
}

}  // namespace mix
