// SPDX-License-Identifier: Apache-2.0
#include "src/runtime/settings.h"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <charconv>
#include <limits>

#include "src/runtime/resolve.h"
#include "src/wire/limits.h"

namespace mix::runtime {
namespace {

std::string in_quotes(std::string_view text) {
  return "'" + std::string(text) + "'";
}

template <class T>
std::string complaint(const std::expected<T, std::string>& read) {
  return read ? std::string() : read.error();
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' '))
    text.remove_prefix(1);
  while (text.ends_with(' '))
    text.remove_suffix(1);
  return text;
}

bool is_host_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

/// A decimal as an exact fraction: digits / scale.
struct Decimal {
  std::uint64_t digits = 0;
  std::uint64_t scale = 1;
};
std::optional<Decimal> read_decimal(std::string_view text) {
  Decimal out;
  bool point = false, digit = false;
  for (char c : text) {
    if (c == '.' && !point) {
      point = true;
      continue;
    }
    if (c < '0' || c > '9' || out.digits > 999'999'999'999ULL || out.scale > 99'999'999ULL)
      return std::nullopt;
    digit = true;
    out.digits = out.digits * 10 + static_cast<std::uint64_t>(c - '0');
    if (point) out.scale *= 10;
  }
  return digit ? std::optional(out) : std::nullopt;
}

}  // namespace

std::expected<std::string, std::string> read_url(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return std::unexpected(in_quotes(text) + " is not a URL that can be used: " + std::string(why) +
                           " (for example http://localhost:8080)");
  };
  const auto parsed = boost::urls::parse_uri(boost::core::string_view(text.data(), text.size()));
  if (!parsed) return wrong("it does not parse");
  const boost::urls::url_view url = *parsed;
  if (url.scheme() == "https") return wrong("https is not spoken here, only plain http");
  if (url.scheme() != "http") return wrong("the scheme must be http");
  if (url.host().empty()) return wrong("the host is missing");
  if (url.has_userinfo()) return wrong("no user name or password");
  if (url.has_query() || url.has_fragment()) return wrong("no query or fragment");
  if (url.has_port() && (url.port_number() == 0)) return wrong("the port must be 1 to 65535");
  std::string out(text);
  while (out.ends_with('/'))
    out.pop_back();
  return out;
}
std::string check_url(const std::string& text) {
  return complaint(read_url(text));
}

std::string check_host(const std::string& text) {
  if (!resolve_now(text, 1).empty()) return {};
  if (text.empty() || text.size() > 253 || !std::ranges::all_of(text, is_host_char))
    return in_quotes(text) + " is neither a host name nor a numeric address";
  return {};
}

std::string check_host_port(const std::string& text) {
  const auto split = split_host_port(text);
  return split ? check_host(split->host) : split.error();
}

std::expected<std::uint16_t, std::string> read_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (failure != std::errc() || end != text.data() + text.size())
    return std::unexpected(in_quotes(text) + " is not a port (0 to 65535)");
  return port;
}
std::string check_port(const std::string& text) {
  return complaint(read_port(text));
}

std::expected<Duration, std::string> read_duration(std::string_view text) {
  auto read = parse_duration(text);
  if (read && *read <= 0ns) return std::unexpected(in_quotes(text) + " must be longer than zero");
  return read;
}
std::string check_duration(const std::string& text) {
  return complaint(read_duration(text));
}

std::expected<Rate, std::string> read_rate(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return std::unexpected(in_quotes(text) + " is not a rate: " + std::string(why) +
                           " (for example \"2 / s\", \"30 / min\"; 0 is never)");
  };
  const std::size_t slash = text.find('/');
  std::int64_t unit_ns = 1'000'000'000;
  if (slash != std::string_view::npos) {
    const auto unit = parse_duration("1 " + std::string(trimmed(text.substr(slash + 1))));
    if (!unit) return wrong("unknown unit of time");
    unit_ns = unit->count();
  }
  const auto number = read_decimal(trimmed(text.substr(0, slash)));
  if (!number) return wrong("a decimal number must come first");
  if (number->digits == 0) return Rate{};
  __extension__ typedef unsigned __int128 Wide;
  const Wide scaled = static_cast<Wide>(unit_ns) * number->scale;
  const Wide gap = (scaled + number->digits / 2) / number->digits;
  if (gap == 0) return wrong("more than one a nanosecond");
  if (gap > static_cast<Wide>(std::numeric_limits<std::int64_t>::max()))
    return wrong("less than one in 292 years");
  return Rate{Duration(static_cast<std::int64_t>(gap))};
}
std::string check_rate(const std::string& text) {
  return complaint(read_rate(text));
}

std::expected<std::uint64_t, std::string> read_size(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::uint64_t bytes;
  };
  constexpr std::array<Unit, 5> units{
      {{"", 1}, {"B", 1}, {"KiB", 1ULL << 10}, {"MiB", 1ULL << 20}, {"GiB", 1ULL << 30}}};
  const auto wrong = [&](std::string_view why) {
    return std::unexpected(in_quotes(text) + " is not a size: " + std::string(why) +
                           " (for example \"64 MiB\"; units B, KiB, MiB, GiB)");
  };
  std::uint64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc()) return wrong("a whole number must come first");
  const std::string_view name = trimmed(text.substr(static_cast<std::size_t>(end - text.data())));
  const auto unit = std::ranges::find(units, name, &Unit::name);
  if (unit == units.end()) return wrong("unknown unit");
  if (number == 0) return wrong("it must be more than zero");
  if (number > std::numeric_limits<std::uint64_t>::max() / unit->bytes) return wrong("too large");
  return number * unit->bytes;
}
std::string check_size(const std::string& text) {
  return complaint(read_size(text));
}

std::uint64_t raise_descriptor_limit(std::uint64_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur >= wanted) return limit.rlim_cur;
  limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

std::size_t share_of_descriptors(bool again) {
  static std::atomic<std::size_t> share = 0;  // 0: not asked yet
  if (share == 0 || again) {
    rlimit limit{};
    const bool told = ::getrlimit(RLIMIT_NOFILE, &limit) == 0;
    share = told ? std::max<std::size_t>(1, limit.rlim_cur / wire::kShareOfDescriptors) : 1;
  }
  return share;
}

}  // namespace mix::runtime
