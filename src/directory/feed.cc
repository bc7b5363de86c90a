// SPDX-License-Identifier: Apache-2.0
#include "src/directory/feed.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "src/topology/version.h"

namespace mix::directory::feed {
namespace json = boost::json;
using topology::CocoInfo;
using topology::MixInfo;
using topology::ProviderInfo;

namespace {

json::object about(const MixInfo& mix) {
  return {{"pubKey", mix.public_key.to_base58()}, {"host", mix.host}, {"layer", mix.layer}};
}
json::object about(const ProviderInfo& provider) {
  return {{"pubKey", provider.public_key.to_base58()},
          {"mixnetListener", provider.mixnet_listener},
          {"clientListener", provider.client_listener},
          {"accounts", provider.registered_clients.size()}};
}
json::object about(const CocoInfo& coco) {
  return {{"pubKey", coco.public_key.to_base58()}, {"host", coco.host}, {"type", coco.type}};
}

template <class Info>
json::object entry(const Info& info) {
  json::object out = about(info);
  out["version"] = info.version;
  out["location"] = info.location;
  out["lastSeen"] = info.last_seen_ns;
  return out;
}

template <class Infos>
json::array entries(const Infos& infos) {
  json::array out;
  for (const auto& info : infos)
    out.push_back(entry(info));
  return out;
}

json::object of_kind(std::string_view kind) {
  return {{"kind", json::string_view(kind.data(), kind.size())}};
}
json::string text(std::string_view from) {
  return json::string(from.data(), from.size());
}

/// {"kind":KIND,"report":REPORT}, the report being JSON already.
template <class Metrics>
std::string told(const char* kind, const Metrics& metrics) {
  return std::string("{\"kind\":\"") + kind + "\",\"report\":" + topology::to_json(metrics) + "}";
}

/// The latest texts that fit into `room`, first come first; takes what it used from `room`.
template <class Metrics>
std::string latest(const std::vector<Metrics>& all, std::size_t& room, bool& cut) {
  std::vector<std::string> kept;
  for (auto one = all.rbegin(); one != all.rend(); ++one) {
    std::string next = topology::to_json(*one);
    if (next.size() + 1 > room) {
      cut = true;
      break;
    }
    room -= next.size() + 1;
    kept.push_back(std::move(next));
  }
  std::string out;
  for (auto one = kept.rbegin(); one != kept.rend(); ++one)
    out += (out.empty() ? "" : ",") + *one;
  return out;
}

}  // namespace

std::string hello(WallTime now, WallTime since, bool loops) {
  json::object out = of_kind("hello");
  out["feed"] = kVersion;
  out["version"] = text(topology::kOurVersion);
  out["now"] = unix_ns(now);
  out["since"] = unix_ns(since);
  out["loops"] = loops;
  return json::serialize(out);
}

std::string nodes(const topology::Topology& all) {
  json::object out = of_kind("nodes");
  out["mixes"] = entries(all.mixes());
  out["providers"] = entries(all.providers());
  out["coconodes"] = entries(all.cocos());
  return json::serialize(out);
}

std::string reports(const std::vector<topology::MixMetrics>& mixes,
                    const std::vector<topology::ClientMetrics>& clients, std::size_t most) {
  bool cut = false;
  const std::string client_texts = latest(clients, most, cut);
  const std::string mix_texts = latest(mixes, most, cut);
  return "{\"kind\":\"reports\",\"mixes\":[" + mix_texts + "],\"clients\":[" + client_texts +
         "],\"cut\":" + (cut ? "true}" : "false}");
}

template <>
std::string_view role_of<MixInfo>() {
  return "mix";
}
template <>
std::string_view role_of<ProviderInfo>() {
  return "provider";
}
template <>
std::string_view role_of<CocoInfo>() {
  return "coconode";
}

template <class Info>
std::string node(const Info& info, bool is_new, const std::vector<crypto::PublicKey>& taken) {
  json::object out = of_kind("node");
  out["role"] = text(role_of<Info>());
  out["node"] = entry(info);
  out["new"] = is_new;
  json::array keys;
  for (const crypto::PublicKey& key : taken)
    keys.push_back(json::string(key.to_base58()));
  out["taken"] = std::move(keys);
  return json::serialize(out);
}

template <class Info>
std::string seen(const Info& info) {
  json::object out = of_kind("seen");
  out["role"] = text(role_of<Info>());
  out["pubKey"] = info.public_key.to_base58();
  out["lastSeen"] = info.last_seen_ns;
  return json::serialize(out);
}

template std::string node(const MixInfo&, bool, const std::vector<crypto::PublicKey>&);
template std::string node(const ProviderInfo&, bool, const std::vector<crypto::PublicKey>&);
template std::string node(const CocoInfo&, bool, const std::vector<crypto::PublicKey>&);
template std::string seen(const MixInfo&);
template std::string seen(const ProviderInfo&);
template std::string seen(const CocoInfo&);

std::string gone(std::string_view role, const crypto::PublicKey& key, WallTime now) {
  json::object out = of_kind("gone");
  out["role"] = text(role);
  out["pubKey"] = key.to_base58();
  out["now"] = unix_ns(now);
  return json::serialize(out);
}

std::string report(const topology::MixMetrics& metrics) {
  return told("report", metrics);
}
std::string loops(const topology::ClientMetrics& metrics) {
  return told("loops", metrics);
}

std::string refused(std::string_view path, unsigned status, std::string_view why, WallTime now) {
  // A browser ends a connection over which one byte came that is no UTF-8.
  std::string harmless(why.substr(0, kMaxWhy));
  std::ranges::replace_if(harmless, [](char c) { return c < ' ' || c > '~'; }, '?');
  json::object out = of_kind("refused");
  out["path"] = text(path);
  out["status"] = status;
  out["why"] = harmless;
  out["now"] = unix_ns(now);
  return json::serialize(out);
}

std::string more(std::string_view of, std::uint64_t count, WallTime now) {
  json::object out = of_kind("more");
  out["of"] = text(of);
  out["count"] = count;
  out["now"] = unix_ns(now);
  return json::serialize(out);
}

std::string missed(std::uint64_t count, WallTime now) {
  json::object out = of_kind("missed");
  out["count"] = count;
  out["now"] = unix_ns(now);
  return json::serialize(out);
}

}  // namespace mix::directory::feed
