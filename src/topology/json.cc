// SPDX-License-Identifier: Apache-2.0
#include "src/topology/json.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "src/topology/fields.h"
#include "src/topology/object_reader.h"

namespace mix::topology {
namespace json = boost::json;

namespace {

// ---- Reading one entry. The same for a presence and for an entry of a topology. -------------

template <class Info>
struct Kind;

template <>
struct Kind<MixInfo> {
  static MixInfo read(ObjectReader& in) {
    MixInfo out;
    out.host = in.text("host");
    out.public_key = in.key("pubKey");
    out.version = in.text("version");
    out.layer = static_cast<unsigned>(in.number("layer", UINT32_MAX));
    out.location = in.optional_text("location");
    return out;
  }
  static void write(json::object& out, const MixInfo& info) {
    out["host"] = info.host;
    out["pubKey"] = info.public_key.to_base58();
    out["version"] = info.version;
    out["layer"] = info.layer;
  }
};

template <>
struct Kind<ProviderInfo> {
  static ProviderInfo read(ObjectReader& in) {
    ProviderInfo out;
    out.client_listener = in.text("clientListener");
    out.mixnet_listener = in.text("mixnetListener");
    out.public_key = in.key("pubKey");
    out.version = in.text("version");
    out.registered_clients = in.keys("registeredClients", kMaxRegisteredClients);
    out.location = in.optional_text("location");
    return out;
  }
  static void write(json::object& out, const ProviderInfo& info) {
    out["clientListener"] = info.client_listener;
    out["mixnetListener"] = info.mixnet_listener;
    out["pubKey"] = info.public_key.to_base58();
    out["version"] = info.version;
    json::array clients;
    clients.reserve(info.registered_clients.size());
    for (const crypto::PublicKey& key : info.registered_clients)
      clients.push_back(json::object{{"pubKey", key.to_base58()}});
    out["registeredClients"] = std::move(clients);
  }
};

template <>
struct Kind<CocoInfo> {
  static CocoInfo read(ObjectReader& in) {
    CocoInfo out;
    out.host = in.text("host");
    out.public_key = in.key("pubKey");
    out.version = in.text("version");
    out.type = in.text("type");
    out.location = in.optional_text("location");
    return out;
  }
  static void write(json::object& out, const CocoInfo& info) {
    out["host"] = info.host;
    out["pubKey"] = info.public_key.to_base58();
    out["version"] = info.version;
    out["type"] = info.type;
  }
};

template <class Info>
std::expected<Info, std::string> read_entry(const json::value& value, ObjectReader::Mode mode,
                                            std::size_t* skipped = nullptr) {
  ObjectReader in(value, mode);
  Info info = Kind<Info>::read(in);
  if (in.problem()) return std::unexpected(*in.problem());
  if (auto wrong = check(info)) return std::unexpected(*wrong);
  if (skipped) *skipped += in.skipped();
  return info;
}

template <class Info>
std::expected<Info, std::string> from_presence(std::string_view text) {
  const auto value = parse_json(text);
  if (!value) return std::unexpected(value.error());
  return read_entry<Info>(*value, ObjectReader::Mode::strict);
}

template <class Info>
json::object to_object(const Info& info) {
  json::object out;
  Kind<Info>::write(out, info);
  if (!info.location.empty()) out["location"] = info.location;
  return out;
}

template <class Info>
std::string to_presence(const Info& info) {
  json::object out = to_object(info);
  out["lastSeen"] = 0;  // the originals' programs send it, nobody reads it
  return json::serialize(out);
}

// ---- Topology --------------------------------------------------------------------------------

template <class Info>
json::array to_array(std::span<const Info> entries, LastSeen last_seen) {
  json::array out;
  out.reserve(entries.size());
  for (const Info& info : entries) {
    json::object one = to_object(info);
    if (last_seen == LastSeen::shown) one["lastSeen"] = info.last_seen_ns;
    out.push_back(std::move(one));
  }
  return out;
}

/// The entries of one array that can be used.
template <class Info>
std::expected<std::vector<Info>, std::string> read_array(const json::object& all,
                                                         std::string_view name,
                                                         ReadTopology& result) {
  const json::value* value = all.if_contains(json::string_view(name.data(), name.size()));
  const json::array* array = value ? value->if_array() : nullptr;
  if (!array) return std::unexpected(std::string(name) + ": must be an array");
  std::vector<Info> out;
  for (std::size_t at = 0; at < array->size(); ++at) {
    auto info = read_entry<Info>((*array)[at], ObjectReader::Mode::tolerant, &result.skipped);
    if (info) {
      info->last_seen_ns = last_seen_of((*array)[at]);
      out.push_back(std::move(*info));
      continue;
    }
    ++result.skipped;
    if (result.first_problem.empty())
      result.first_problem = std::string(name) + "[" + std::to_string(at) + "]: " + info.error();
  }
  return out;
}

}  // namespace

std::string to_presence_json(const MixInfo& mix) {
  return to_presence(mix);
}
std::string to_presence_json(const ProviderInfo& provider) {
  return to_presence(provider);
}
std::string to_presence_json(const CocoInfo& coco) {
  return to_presence(coco);
}

std::expected<MixInfo, std::string> mix_from_presence(std::string_view text) {
  return from_presence<MixInfo>(text);
}
std::expected<ProviderInfo, std::string> provider_from_presence(std::string_view text) {
  return from_presence<ProviderInfo>(text);
}
std::expected<CocoInfo, std::string> coco_from_presence(std::string_view text) {
  return from_presence<CocoInfo>(text);
}

std::string to_json(const Topology& topology, LastSeen last_seen) {
  json::object out;
  out["cocoNodes"] = to_array(topology.cocos(), last_seen);
  out["mixNodes"] = to_array(topology.mixes(), last_seen);
  out["mixProviderNodes"] = to_array(topology.providers(), last_seen);
  return json::serialize(out);
}

std::expected<ReadTopology, std::string> topology_from_json(std::string_view text) {
  const auto value = parse_json(text);
  if (!value) return std::unexpected(value.error());
  const json::object* all = value->if_object();
  if (!all) return std::unexpected("a topology must be a JSON object");
  ReadTopology result;
  auto cocos = read_array<CocoInfo>(*all, "cocoNodes", result);
  if (!cocos) return std::unexpected(cocos.error());
  auto mixes = read_array<MixInfo>(*all, "mixNodes", result);
  if (!mixes) return std::unexpected(mixes.error());
  auto providers = read_array<ProviderInfo>(*all, "mixProviderNodes", result);
  if (!providers) return std::unexpected(providers.error());
  result.topology = Topology(std::move(*mixes), std::move(*providers), std::move(*cocos));
  return result;
}

std::string error_json(std::string_view text) {
  return json::serialize(json::object{{"error", json::string_view(text.data(), text.size())}});
}

}  // namespace mix::topology
