// SPDX-License-Identifier: Apache-2.0
#include "src/topology/metrics.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <limits>

#include "src/topology/fields.h"
#include "src/topology/object_reader.h"

namespace mix::topology {
namespace json = boost::json;

namespace {

constexpr std::uint64_t kAny = std::numeric_limits<std::uint64_t>::max();

json::object to_object(const MixMetrics& metrics) {
  json::object sent;
  for (const auto& [peer, count] : metrics.sent)
    sent[peer] = count;
  json::object out;
  out["pubKey"] = metrics.public_key.to_base58();
  out["sent"] = std::move(sent);
  out["received"] = metrics.received;
  return out;
}

json::object to_object(const ClientMetrics& metrics) {
  json::object out;
  out["pubKey"] = metrics.public_key.to_base58();
  out["loopsSent"] = metrics.loops_sent;
  out["loopsHome"] = metrics.loops_home;
  out["loopsLost"] = metrics.loops_lost;
  if (metrics.loops_out) out["loopsOut"] = *metrics.loops_out;
  if (!metrics.round_trips_ns.empty())
    out["roundTripsNs"] = json::array(metrics.round_trips_ns.begin(), metrics.round_trips_ns.end());
  return out;
}

template <class Metrics>
std::string with_time(const Metrics& metrics) {
  json::object out = to_object(metrics);
  out["timestamp"] = metrics.timestamp_ns;
  return json::serialize(out);
}

}  // namespace

std::string to_report_json(const MixMetrics& metrics) {
  return json::serialize(to_object(metrics));
}
std::string to_report_json(const ClientMetrics& metrics) {
  return json::serialize(to_object(metrics));
}
std::string to_json(const MixMetrics& metrics) {
  return with_time(metrics);
}
std::string to_json(const ClientMetrics& metrics) {
  return with_time(metrics);
}

std::expected<MixMetrics, std::string> mix_metrics_from_json(std::string_view text) {
  const auto value = parse_json(text);
  if (!value) return std::unexpected(value.error());
  ObjectReader in(*value, ObjectReader::Mode::strict);
  MixMetrics out;
  out.public_key = in.key("pubKey");
  out.sent = in.counts("sent", kMaxMetricsPeers);
  out.received = in.number("received", kAny);
  if (in.problem()) return std::unexpected(*in.problem());
  for (const auto& [peer, count] : out.sent)
    if (auto wrong = check_host("sent", peer)) return std::unexpected(*wrong);
  return out;
}

std::expected<ClientMetrics, std::string> client_metrics_from_json(std::string_view text) {
  const auto value = parse_json(text);
  if (!value) return std::unexpected(value.error());
  ObjectReader in(*value, ObjectReader::Mode::strict);
  ClientMetrics out;
  out.public_key = in.key("pubKey");
  out.loops_sent = in.number("loopsSent", kAny);
  out.loops_home = in.number("loopsHome", kAny);
  out.loops_lost = in.number("loopsLost", kAny);
  out.loops_out = in.optional_number("loopsOut", kAny);
  out.round_trips_ns = in.optional_numbers("roundTripsNs", kMaxRoundTrips, kAny);
  if (in.problem()) return std::unexpected(*in.problem());
  return out;
}

}  // namespace mix::topology
