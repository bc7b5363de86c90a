// SPDX-License-Identifier: Apache-2.0
#include "src/topology/fields.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "src/topology/version.h"

namespace mix::topology {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_alnum(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_one_of(char c, std::string_view set) {
  return set.find(c) != std::string_view::npos;
}

std::string problem(std::string_view field, std::string_view what) {
  return std::string(field) + ": " + std::string(what);
}

/// 1 to 65535, at most five digits.
bool is_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || text.front() == '0') return false;
  if (!std::ranges::all_of(text, is_digit)) return false;
  unsigned value = 0;
  for (char c : text)
    value = value * 10 + static_cast<unsigned>(c - '0');
  return value >= 1 && value <= 65535;
}

bool is_numeric(int family, std::string_view text) {
  std::array<char, 64> buffer{};
  if (text.size() >= buffer.size()) return false;
  std::ranges::copy(text, buffer.begin());
  std::array<std::uint8_t, 16> ignored;
  return ::inet_pton(family, buffer.data(), ignored.data()) == 1;
}

struct Split {
  std::string_view host;
  std::string_view port;
};
std::optional<Split> split_at_last_colon(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  return Split{text.substr(0, colon), text.substr(colon + 1)};
}

bool is_bracketed(std::string_view host) {
  return host.size() > 2 && host.front() == '[' && host.back() == ']';
}
/// Of the kind the resolver of an original understands: letters, digits, hyphens, dots.
bool is_name(std::string_view host) {
  return std::ranges::all_of(host, [](char c) { return is_alnum(c) || is_one_of(c, ".-_"); });
}

}  // namespace

Problem check_host(std::string_view field, std::string_view text) {
  constexpr std::string_view kWanted = "must be host:port (letters, digits and . - _ : [ ])";
  if (text.size() > kMaxHostLength)
    return problem(field, "at most " + std::to_string(kMaxHostLength) + " characters");
  const auto split = split_at_last_colon(text);
  if (!split) return problem(field, kWanted);
  if (!is_port(split->port)) return problem(field, "the port must be 1 to 65535");
  const std::string_view host = split->host;
  if (is_bracketed(host)) {
    if (!is_numeric(AF_INET6, host.substr(1, host.size() - 2))) return problem(field, kWanted);
    return std::nullopt;
  }
  if (!is_name(host) && !is_numeric(AF_INET6, host)) return problem(field, kWanted);
  return std::nullopt;
}

Problem check_listener(std::string_view field, std::string_view text) {
  constexpr std::string_view kWanted =
      "must be a numeric IP:port, as 1.2.3.4:9000 or [::1]:9000 (a name crashes original clients)";
  const auto split = split_at_last_colon(text);
  if (!split) return problem(field, kWanted);
  const std::string_view host = split->host;
  const bool numeric = is_bracketed(host) ? is_numeric(AF_INET6, host.substr(1, host.size() - 2))
                                          : is_numeric(AF_INET, host);
  if (!numeric) return problem(field, kWanted);
  if (!is_port(split->port)) return problem(field, "the port must be 1 to 65535");
  return std::nullopt;
}

Problem check_version(std::string_view text) {
  if (!parse_version(text))
    return problem("version", "must be a semantic version of at most " +
                                  std::to_string(kMaxVersionLength) + " characters, as 0.4.0-rc.2");
  return std::nullopt;
}

Problem check_layer(unsigned layer) {
  if (layer < 1 || layer > kMaxLayer)
    return problem("layer", "must be 1 to " + std::to_string(kMaxLayer));
  return std::nullopt;
}

Problem check_location(std::string_view text) {
  const auto allowed = [](char c) { return is_alnum(c) || is_one_of(c, " .,-_()/'"); };
  if (text.size() > kMaxLocationLength)
    return problem("location", "at most " + std::to_string(kMaxLocationLength) + " characters");
  if (!std::ranges::all_of(text, allowed))
    return problem("location", "only ASCII letters, digits, space and . , - _ ( ) / '");
  return std::nullopt;
}

Problem check_type(std::string_view text) {
  const auto allowed = [](char c) { return is_alnum(c) || is_one_of(c, "-_"); };
  if (text.empty() || text.size() > kMaxTypeLength || !std::ranges::all_of(text, allowed))
    return problem("type", "must be 1 to " + std::to_string(kMaxTypeLength) +
                               " ASCII letters, digits, - and _");
  return std::nullopt;
}

Problem check(const MixInfo& mix) {
  if (auto wrong = check_host("host", mix.host)) return wrong;
  if (auto wrong = check_version(mix.version)) return wrong;
  if (auto wrong = check_layer(mix.layer)) return wrong;
  return check_location(mix.location);
}

Problem check(const ProviderInfo& provider) {
  if (auto wrong = check_listener("clientListener", provider.client_listener)) return wrong;
  if (auto wrong = check_listener("mixnetListener", provider.mixnet_listener)) return wrong;
  if (auto wrong = check_version(provider.version)) return wrong;
  if (provider.registered_clients.size() > kMaxRegisteredClients)
    return problem("registeredClients",
                   "at most " + std::to_string(kMaxRegisteredClients) + " entries");
  return check_location(provider.location);
}

Problem check(const CocoInfo& coco) {
  if (auto wrong = check_host("host", coco.host)) return wrong;
  if (auto wrong = check_version(coco.version)) return wrong;
  if (auto wrong = check_type(coco.type)) return wrong;
  return check_location(coco.location);
}

}  // namespace mix::topology
