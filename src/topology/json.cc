// SPDX-License-Identifier: Apache-2.0
#include "src/topology/json.h"

#include <boost/json/array.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

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
  static MixInfo read(ObjectReader& in, Accounts) {
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
  static ProviderInfo read(ObjectReader& in, Accounts accounts) {
    ProviderInfo out;
    out.client_listener = in.text("clientListener");
    out.mixnet_listener = in.text("mixnetListener");
    out.public_key = in.key("pubKey");
    out.version = in.text("version");
    if (accounts == Accounts::read)
      out.registered_clients = in.keys("registeredClients", kMaxRegisteredClients);
    else
      in.skip_keys("registeredClients", kMaxRegisteredClients);
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
  static CocoInfo read(ObjectReader& in, Accounts) {
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
                                            Accounts accounts = Accounts::read,
                                            ReadTopology* result = nullptr) {
  ObjectReader in(value, mode);
  Info info = Kind<Info>::read(in, accounts);
  if (in.problem()) return std::unexpected(*in.problem());
  if (auto wrong = check(info)) return std::unexpected(*wrong);
  if (result) result->skipped += in.skipped();
  if (result) result->accounts += in.listed();
  return info;
}

template <class Info>
std::expected<Info, std::string> from_presence(std::string_view text) {
  json::monotonic_resource memory;  // outlives the value
  const auto value = parse_json(text, &memory);
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
std::string without_end(const Info& info) {
  std::string text = json::serialize(to_object(info));
  text.pop_back();  // the brace
  return text;
}

template <class Info>
std::string to_presence(const Info& info) {
  json::object out = to_object(info);
  out["lastSeen"] = 0;  // the originals' programs send it, nobody reads it
  return json::serialize(out);
}

// ---- Topology --------------------------------------------------------------------------------

constexpr std::string_view kKinds[] = {"{\"cocoNodes\":[", "],\"mixNodes\":[",
                                       "],\"mixProviderNodes\":["};

/// The entries of one array that can be used.
template <class Info>
std::expected<std::vector<Info>, std::string> read_array(const json::object& all,
                                                         std::string_view name, Accounts accounts,
                                                         ReadTopology& result) {
  const json::value* value = all.if_contains(json::string_view(name.data(), name.size()));
  const json::array* array = value ? value->if_array() : nullptr;
  if (!array) return std::unexpected(std::string(name) + ": must be an array");
  std::vector<Info> out;
  for (std::size_t at = 0; at < array->size(); ++at) {
    auto info = read_entry<Info>((*array)[at], ObjectReader::Mode::tolerant, accounts, &result);
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
  TopologyWriter out(last_seen);
  const auto all = [&](const auto& entries) {
    for (const auto& info : entries)
      out.entry(entry_json(info), info.last_seen_ns);
  };
  all(topology.cocos());
  out.next_kind();
  all(topology.mixes());
  out.next_kind();
  all(topology.providers());
  return out.finish();
}

std::string entry_json(const MixInfo& mix) {
  return without_end(mix);
}
std::string entry_json(const ProviderInfo& provider) {
  return without_end(provider);
}
std::string entry_json(const CocoInfo& coco) {
  return without_end(coco);
}

TopologyWriter::TopologyWriter(LastSeen last_seen) : x_last_seen(last_seen), x_text(kKinds[0]) {}

void TopologyWriter::entry(std::string_view text, std::int64_t last_seen_ns) {
  if (!std::exchange(x_first, false)) x_text += ',';
  x_text += text;
  if (x_last_seen == LastSeen::shown) x_text += ",\"lastSeen\":" + std::to_string(last_seen_ns);
  x_text += '}';
}

void TopologyWriter::next_kind() {
  x_text += kKinds[++x_kind];
  x_first = true;
}

std::string TopologyWriter::finish() {
  x_text += "]}";
  return std::move(x_text);
}

std::expected<ReadTopology, std::string> topology_from_json(std::string_view text,
                                                            Accounts accounts) {
  json::monotonic_resource memory;  // outlives the value
  const auto value = parse_json(text, &memory);
  if (!value) return std::unexpected(value.error());
  const json::object* all = value->if_object();
  if (!all) return std::unexpected("a topology must be a JSON object");
  ReadTopology result;
  auto cocos = read_array<CocoInfo>(*all, "cocoNodes", accounts, result);
  if (!cocos) return std::unexpected(cocos.error());
  auto mixes = read_array<MixInfo>(*all, "mixNodes", accounts, result);
  if (!mixes) return std::unexpected(mixes.error());
  auto providers = read_array<ProviderInfo>(*all, "mixProviderNodes", accounts, result);
  if (!providers) return std::unexpected(providers.error());
  result.topology = Topology(std::move(*mixes), std::move(*providers), std::move(*cocos));
  return result;
}

std::string error_json(std::string_view text) {
  return json::serialize(json::object{{"error", json::string_view(text.data(), text.size())}});
}

}  // namespace mix::topology
