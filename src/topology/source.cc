// SPDX-License-Identifier: Apache-2.0
#include "src/topology/source.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace mix::topology {
namespace {

/// IPv4 as ::ffff:1.2.3.4, so that each address is one value.
using Octets = std::array<std::uint8_t, 16>;
constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::optional<Octets> octets_of(std::string_view text) {
  const std::string host(text);  // ends with a zero byte
  if (host.find('\0') != host.npos) return std::nullopt;
  Octets out{};
  if (::inet_pton(AF_INET6, host.c_str(), out.data()) == 1) return out;
  std::ranges::copy(kMapped, out.begin());
  if (::inet_pton(AF_INET, host.c_str(), out.data() + kMapped.size()) == 1) return out;
  return std::nullopt;
}

bool is_ipv4(const Octets& octets) {
  return std::ranges::equal(kMapped, std::span(octets).first<kMapped.size()>());
}

bool is_loopback(const Octets& octets) {
  Octets one{};
  one.back() = 1;
  return octets == one || (is_ipv4(octets) && octets[kMapped.size()] == 127);
}

std::string text_of(const Octets& octets) {
  char text[INET6_ADDRSTRLEN] = "";
  if (is_ipv4(octets))
    ::inet_ntop(AF_INET, octets.data() + kMapped.size(), text, sizeof text);
  else
    ::inet_ntop(AF_INET6, octets.data(), text, sizeof text);
  return text;
}

struct Split {
  std::string_view host, port;
};
Split split(std::string_view host_port) {
  const std::size_t colon = host_port.rfind(':');
  if (colon == host_port.npos) return {host_port, {}};
  std::string_view host = host_port.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  return {host, host_port.substr(colon + 1)};
}

/// Names are the same in capitals.
std::string lower(std::string_view name) {
  std::string out(name);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

std::string source_of(const Octets& octets) {
  return is_loopback(octets) ? std::string(kThisMachine) : text_of(octets);
}

}  // namespace

std::string source_of(std::string_view address) {
  const auto octets = octets_of(address);
  return octets ? source_of(*octets) : std::string(address);
}

std::string home_of(std::string_view host_port) {
  const std::string_view host = split(host_port).host;
  if (const auto octets = octets_of(host)) return source_of(*octets);
  return lower(host) == "localhost" ? std::string(kThisMachine) : std::string();
}

std::string one_spelling(std::string_view host_port) {
  const auto [host, port] = split(host_port);
  const auto octets = octets_of(host);
  std::string one = octets ? text_of(*octets) : lower(host);
  return (one.find(':') != one.npos ? "[" + one + "]:" : one + ":") + std::string(port);
}

std::string neighbourhood_of(std::string_view source) {
  auto octets = octets_of(source);
  if (!octets || is_ipv4(*octets)) return std::string(source);
  std::ranges::fill(std::span(*octets).last<8>(), std::uint8_t{0});
  return text_of(*octets) + "/64";
}

}  // namespace mix::topology
