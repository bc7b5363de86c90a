// SPDX-License-Identifier: Apache-2.0
// Whether this machine asks: what http_server.h says of addresses, Origin and Host.
#include <boost/asio/ip/address.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "src/runtime/http_server.h"

namespace mix::runtime {

bool is_loopback(const Address& address) {
  if (address.family == Address::Family::ipv4) return address.octets[0] == 127;
  const boost::asio::ip::address_v6 six(address.octets);
  return six.is_loopback() || (six.is_v4_mapped() && address.octets[12] == 127);
}

bool is_loopback_origin(std::string_view origin) {
  const auto url = boost::urls::parse_uri(boost::core::string_view(origin.data(), origin.size()));
  if (!url || (url->scheme() != "http" && url->scheme() != "https")) return false;
  if (url->has_userinfo() || !url->encoded_path().empty() || url->has_query() ||
      url->has_fragment())
    return false;
  const std::string host(url->host_address());
  if (boost::beast::iequals(host, "localhost")) return true;
  boost::system::error_code failure;
  const auto address = boost::asio::ip::make_address(host, failure);
  return !failure && address.is_loopback();
}

bool is_asked_here(const HttpRequest& request) {
  if (!is_loopback(request.peer)) return false;
  if (!request.origin.empty() && !is_loopback_origin(request.origin)) return false;
  return request.host.empty() || is_loopback_origin("http://" + request.host);
}

}  // namespace mix::runtime
