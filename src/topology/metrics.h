// SPDX-License-Identifier: Apache-2.0
// What nodes count and report to the directory, as values and JSON. Mixes report as the originals
// do: every few seconds how many packets came, and how many went to each next hop. Clients (ours
// alone, and only to a directory on the same machine) report the counts of their loop stream; never
// a count per link, never the filler of the real stream. How many loops are out now and how long
// those took that came home are optional: a report without them is taken as before.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/crypto/keys.h"

namespace mix::topology {

struct MixMetrics {
  crypto::PublicKey public_key;
  std::uint64_t received = 0;
  std::map<std::string, std::uint64_t> sent;  // by the next hop's "IP:port"
  std::int64_t timestamp_ns = 0;              // since 1970, the directory's; not part of a report

  bool operator==(const MixMetrics&) const = default;
};

struct ClientMetrics {
  crypto::PublicKey public_key;
  std::uint64_t loops_sent = 0;  // since the last report, as the other two
  std::uint64_t loops_home = 0;
  std::uint64_t loops_lost = 0;
  std::int64_t timestamp_ns = 0;
  std::optional<std::uint64_t> loops_out{};     // on their way now, whenever they were sent
  std::vector<std::uint64_t> round_trips_ns{};  // of those that came home, the latest if many did

  bool operator==(const ClientMetrics&) const = default;
};

inline constexpr std::size_t kMaxMetricsPeers = 4128;
inline constexpr std::size_t kMaxRoundTrips = 64;

/// {"pubKey":"..","sent":{"127.0.0.1:9981":4},"received":10}
std::string to_report_json(const MixMetrics& metrics);
/// {"pubKey":"..","loopsSent":5,"loopsHome":2,"loopsLost":0,"loopsOut":3,
///  "roundTripsNs":[812000000,790000000]}; the last two are left out when there is nothing to say.
std::string to_report_json(const ClientMetrics& metrics);
/// With "timestamp", as the directory answers and broadcasts.
std::string to_json(const MixMetrics& metrics);
std::string to_json(const ClientMetrics& metrics);
/// Errors name the field. At most kMaxMetricsPeers next hops, each a host as in fields.h; at most
/// kMaxRoundTrips round trips.
std::expected<MixMetrics, std::string> mix_metrics_from_json(std::string_view json);
std::expected<ClientMetrics, std::string> client_metrics_from_json(std::string_view json);

}  // namespace mix::topology
