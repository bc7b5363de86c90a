// SPDX-License-Identifier: Apache-2.0
// Text that comes from a directory, a browser or a command line: host and port, URL, origin, times,
// rates and sizes. Nothing is looked up (resolve_now answers what needs no waiting).
#include "src/prelude/check.h"
#include "src/runtime/http_server.h"
#include "src/runtime/resolve.h"
#include "src/runtime/settings.h"

using namespace mix;
using namespace mix::runtime;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(as_text({data, size}));
  if (const auto split = split_host_port(text)) {
    if (!split->host.starts_with('[')) {
      const auto again = split_host_port(split->host + ":" + std::to_string(split->port));
      CHECK(again && *again == *split, split->host);
    }
    for (const Address& address : resolve_now(split->host, split->port))
      CHECK(address.port == split->port);
  }
  CHECK(!check_host_port(text).empty() || split_host_port(text).has_value());
  if (const auto url = read_url(text)) {
    CHECK(!url->ends_with('/'), *url);
    CHECK(read_url(*url) == *url, *url);
  }
  CHECK(check_url(text).empty() == read_url(text).has_value());
  CHECK(check_port(text).empty() == read_port(text).has_value());
  const auto duration = read_duration(text);
  CHECK(!duration || *duration > 0ns);
  const auto rate = read_rate(text);
  CHECK(!rate || rate->mean_gap >= 0ns);
  const auto bytes = read_size(text);
  CHECK(!bytes || *bytes > 0);
  (void)check_host(text);
  (void)is_loopback_origin(text);
  return 0;
}
