// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/units.h"

#include <array>
#include <cstdio>
#include <optional>

namespace lab::scenario {
namespace {

__extension__ typedef unsigned __int128 Wide;

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
constexpr std::array<Unit, 7> kSizes{{{"GiB", 1ull << 30},
                                      {"MiB", 1ull << 20},
                                      {"KiB", 1ull << 10},
                                      {"GB", 1'000'000'000},
                                      {"MB", 1'000'000},
                                      {"kB", 1'000},
                                      {"B", 1}}};
constexpr std::array<Unit, 4> kBandwidths{
    {{"Gbit/s", 1'000'000'000}, {"Mbit/s", 1'000'000}, {"kbit/s", 1'000}, {"bit/s", 1}}};
constexpr std::array<Unit, 6> kTimes{{{"h", 3'600'000'000'000},
                                      {"min", 60'000'000'000},
                                      {"s", 1'000'000'000},
                                      {"ms", 1'000'000},
                                      {"us", 1'000},
                                      {"ns", 1}}};

std::string in_quotes(std::string_view text) {
  return "'" + std::string(text) + "'";
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ')
    text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ')
    text.remove_suffix(1);
  return text;
}

/// A decimal number as an exact fraction; nullopt for anything else.
std::optional<Ratio> read_decimal(std::string_view text) {
  std::uint64_t digits = 0, scale = 1;
  bool point = false, any = false;
  for (char c : text) {
    if (c == '.' && !point) {
      point = true;
      continue;
    }
    if (c < '0' || c > '9' || digits > 100'000'000'000'000'000 || scale >= 1'000'000'000'000'000)
      return std::nullopt;
    digits = digits * 10 + static_cast<std::uint64_t>(c - '0');
    if (point) scale *= 10;
    any = true;
  }
  if (!any) return std::nullopt;
  return ratio(digits, scale);
}

/// A number and one of some units, as a whole number of the smallest.
template <std::size_t N>
std::optional<std::uint64_t> read_united(std::string_view text, const std::array<Unit, N>& units) {
  const std::size_t end = text.find_first_not_of("0123456789.");
  if (end == std::string_view::npos) return std::nullopt;
  const auto number = read_decimal(text.substr(0, end));
  if (!number) return std::nullopt;
  for (const Unit& unit : units) {
    if (trimmed(text.substr(end)) != unit.name) continue;
    const Wide product = static_cast<Wide>(number->num) * unit.factor;
    if (product % number->den != 0 || product / number->den > INT64_MAX) return std::nullopt;
    return static_cast<std::uint64_t>(product / number->den);
  }
  return std::nullopt;
}

template <std::size_t N>
std::string write_united(std::uint64_t value, const std::array<Unit, N>& units) {
  for (const Unit& unit : units)
    if (value % unit.factor == 0 && value != 0)
      return std::to_string(value / unit.factor) + " " + std::string(unit.name);
  return "0 " + std::string(units.back().name);
}

}  // namespace

Read<Duration> read_duration(std::string_view text, bool negative) {
  if (!text.starts_with('-')) return mix::parse_duration(text);
  if (!negative) return std::unexpected(in_quotes(text) + " is negative");
  auto positive = mix::parse_duration(text.substr(1));
  if (!positive) return positive;
  return -*positive;
}

Read<Ratio> read_ratio(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return std::unexpected(in_quotes(text) + " is not a ratio: " + std::string(why) +
                           " (for example \"2/1000\" or 0.002)");
  };
  const std::size_t slash = text.find('/');
  std::optional<Ratio> out;
  if (slash == std::string_view::npos) {
    out = read_decimal(trimmed(text));
  } else {
    const auto num = read_decimal(trimmed(text.substr(0, slash)));
    const auto den = read_decimal(trimmed(text.substr(slash + 1)));
    if (!num || !den || num->den != 1 || den->den != 1)
      return wrong("two whole numbers are needed");
    if (den->num == 0) return wrong("division by zero");
    out = ratio(num->num, den->num);
  }
  if (!out) return wrong("a number from 0 to 1 is needed");
  if (out->num > out->den) return wrong("it is above 1");
  return *out;
}

Read<Ratio> read_rate(std::string_view text) {
  const auto wrong = [&] {
    return std::unexpected(in_quotes(text) +
                           " is not a rate (for example \"2 / s\"; per s, ms, min or h)");
  };
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return wrong();
  const auto count = read_decimal(trimmed(text.substr(0, slash)));
  if (!count || count->num == 0) return wrong();
  for (const Unit& unit : kTimes) {
    if (unit.factor < 1'000'000 || trimmed(text.substr(slash + 1)) != unit.name) continue;
    const Wide num = static_cast<Wide>(count->num) * 1'000'000'000;
    const Wide den = static_cast<Wide>(count->den) * unit.factor;
    Wide a = num, b = den;
    while (b != 0)
      std::swap(a %= b, b);
    if (num / a > INT64_MAX || den / a > INT64_MAX) return wrong();
    return Ratio{static_cast<std::uint64_t>(num / a), static_cast<std::uint64_t>(den / a)};
  }
  return wrong();
}

Read<std::uint64_t> read_size(std::string_view text) {
  if (const auto out = read_united(text, kSizes)) return *out;
  return std::unexpected(in_quotes(text) +
                         " is not a size (for example \"64 KiB\"; units B, kB, MB, " +
                         "GB, KiB, MiB, GiB)");
}

Read<std::uint64_t> read_bandwidth(std::string_view text) {
  const auto out = read_united(text, kBandwidths);
  if (out && *out > 0 && *out <= 1'000'000'000'000) return *out;
  return std::unexpected(in_quotes(text) +
                         " is not a bandwidth (for example \"10 Mbit/s\"; units " +
                         "bit/s, kbit/s, Mbit/s, Gbit/s; above 0, at most 1000 Gbit/s)");
}

Read<std::int64_t> read_epoch(std::string_view text) {
  int year = 0, read = 0;
  unsigned month = 0, day = 0, hour = 0, minute = 0, second = 0;
  const std::string copy(text);
  const int fields = std::sscanf(copy.c_str(), "%4d-%2u-%2uT%2u:%2u:%2uZ%n", &year, &month, &day,
                                 &hour, &minute, &second, &read);
  using namespace std::chrono;
  const year_month_day date{std::chrono::year(year), std::chrono::month(month),
                            std::chrono::day(day)};
  if (fields != 6 || read != 20 || copy.size() != 20 || !date.ok() || year < 1970 || year > 2200 ||
      hour > 23 || minute > 59 || second > 59)
    return std::unexpected(in_quotes(text) +
                           " is not a moment in UTC (for example \"2026-01-01T00:00:00Z\")");
  const auto when = sys_days(date) + hours(hour) + minutes(minute) + seconds(second);
  return duration_cast<nanoseconds>(when.time_since_epoch()).count();
}

std::string write_duration(Duration d) {
  if (d.count() == 0) return "0 s";
  return (d.count() < 0 ? "-" : "") +
         write_united(static_cast<std::uint64_t>(d.count() < 0 ? -d.count() : d.count()), kTimes);
}

std::string write_ratio(Ratio r) {
  return to_text(r);
}

std::string write_rate(Ratio per_second) {
  for (const Unit& unit : {Unit{"s", 1}, Unit{"min", 60}, Unit{"h", 3600}})
    if (static_cast<Wide>(per_second.num) * unit.factor % per_second.den == 0)
      return std::to_string(static_cast<std::uint64_t>(static_cast<Wide>(per_second.num) *
                                                       unit.factor / per_second.den)) +
             " / " + std::string(unit.name);
  // A decimal of an hour: den divides 3600 * 10^15, since it was read from one.
  std::uint64_t scale = 1;
  while (static_cast<Wide>(per_second.num) * 3600 * scale % per_second.den != 0)
    scale *= 10;
  std::string digits = std::to_string(static_cast<std::uint64_t>(static_cast<Wide>(per_second.num) *
                                                                 3600 * scale / per_second.den));
  const std::size_t places = std::to_string(scale).size() - 1;
  if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
  digits.insert(digits.size() - places, ".");
  return digits + " / h";
}

std::string write_size(std::uint64_t bytes) {
  return write_united(bytes, kSizes);
}

std::string write_bandwidth(std::uint64_t bit_per_s) {
  return write_united(bit_per_s, kBandwidths);
}

Duration mean_gap(Ratio per_second) {
  const Wide num = static_cast<Wide>(per_second.den) * 1'000'000'000;
  return Duration(static_cast<std::int64_t>((num + per_second.num / 2) / per_second.num));
}

}  // namespace lab::scenario
