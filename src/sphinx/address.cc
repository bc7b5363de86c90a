// SPDX-License-Identifier: Apache-2.0
#include "src/sphinx/address.h"

#include <arpa/inet.h>

#include <charconv>

#include "src/prelude/cursor.h"

namespace mix::sphinx {
namespace {

constexpr std::size_t kIpv4Bytes = 4;
constexpr std::size_t kIpv6Bytes = 16;

int system_family(NodeAddress::Family family) {
  return family == NodeAddress::Family::ipv4 ? AF_INET : AF_INET6;
}
std::size_t octets_of(NodeAddress::Family family) {
  return family == NodeAddress::Family::ipv4 ? kIpv4Bytes : kIpv6Bytes;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

}  // namespace

NodeAddress NodeAddress::ipv4(const ByteArray<4>& octets, std::uint16_t port) {
  NodeAddress address{Family::ipv4, {}, port};
  std::ranges::copy(octets, address.octets.begin());
  return address;
}

NodeAddress NodeAddress::ipv6(const ByteArray<16>& octets, std::uint16_t port) {
  return {Family::ipv6, octets, port};
}

std::optional<NodeAddress> NodeAddress::decode(const ByteArray<kAddressBytes>& bytes) {
  Reader in(bytes);
  const auto family = static_cast<Family>(in.u8());
  if (family != Family::ipv4 && family != Family::ipv6) return std::nullopt;
  const std::uint16_t port = in.u16();
  if (family == Family::ipv4) return ipv4(in.array<kIpv4Bytes>(), port);
  return ipv6(in.array<kIpv6Bytes>(), port);
}

ByteArray<kAddressBytes> NodeAddress::encode() const {
  ByteArray<kAddressBytes> bytes{};
  bytes[0] = static_cast<std::uint8_t>(family);
  bytes[1] = static_cast<std::uint8_t>(port >> 8);
  bytes[2] = static_cast<std::uint8_t>(port);
  std::ranges::copy(std::span(octets).first(octets_of(family)), bytes.begin() + 3);
  return bytes;
}

std::expected<NodeAddress, std::string> NodeAddress::from_text(std::string_view text) {
  const auto wrong = [&] {
    return std::unexpected("'" + std::string(text.substr(0, 80)) +
                           "' is not a numeric IP:port (for example \"127.0.0.1:9980\" or "
                           "\"[::1]:9997\")");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos) return wrong();
  std::string_view host = text.substr(0, colon);
  const auto port = parse_port(text.substr(colon + 1));
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (!port || host.size() >= INET6_ADDRSTRLEN || host.find('\0') != host.npos) return wrong();

  NodeAddress address{bracketed ? Family::ipv6 : Family::ipv4, {}, *port};
  if (::inet_pton(system_family(address.family), std::string(host).c_str(),
                  address.octets.data()) != 1)
    return wrong();
  return address;
}

std::string NodeAddress::host_text() const {
  char text[INET6_ADDRSTRLEN] = "";
  ::inet_ntop(system_family(family), octets.data(), text, sizeof text);
  return text;
}

std::string NodeAddress::to_text() const {
  const std::string host = host_text();
  return (family == Family::ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace mix::sphinx

std::size_t std::hash<mix::sphinx::NodeAddress>::operator()(
    const mix::sphinx::NodeAddress& address) const noexcept {
  const auto bytes = address.encode();
  return std::hash<std::string_view>{}(mix::as_text(bytes));
}
