// SPDX-License-Identifier: Apache-2.0
#include "src/directory/plain.h"

#include <initializer_list>

namespace mix::directory {
namespace {

constexpr std::string_view kHead =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"refresh\" content=\"5\">\n<title>mixnet directory</title>\n<style>\n"
    "body { font: 15px/1.4 system-ui, sans-serif; margin: 2em auto; max-width: 70em; }\n"
    "table { border-collapse: collapse; margin: 0.5em 0 1.5em; }\n"
    "th, td { text-align: left; padding: 0.2em 1em 0.2em 0; border-bottom: 1px solid #ccc; }\n"
    "td.key { font-family: ui-monospace, monospace; font-size: 85%; }\n"
    ".gap { background: #fdd; padding: 0.5em; }\n</style></head><body>\n";

void row(std::string& out, std::string_view tag, std::initializer_list<std::string> cells) {
  out += "<tr>";
  for (const std::string& cell : cells) {
    out.append("<").append(tag).append(">").append(escape_html(cell));
    out.append("</").append(tag).append(">");
  }
  out += "</tr>\n";
}

std::string age(std::int64_t last_seen_ns, WallTime now) {
  return to_text(Duration(unix_ns(now) - last_seen_ns)) + " ago";
}

void mixes(std::string& out, const topology::Topology& topology, unsigned layer, WallTime now) {
  out += "<h2>Layer " + std::to_string(layer) + "</h2>\n";
  if (topology.layer(layer).empty()) {
    out += "<p>nobody</p>\n";
    return;
  }
  out += "<table>\n";
  row(out, "th", {"host", "version", "location", "last seen", "key"});
  for (const topology::MixInfo& mix : topology.layer(layer))
    row(out, "td",
        {mix.host, mix.version, mix.location, age(mix.last_seen_ns, now),
         mix.public_key.to_base58()});
  out += "</table>\n";
}

void providers(std::string& out, const topology::Topology& topology, WallTime now) {
  out += "<h2>Providers</h2>\n";
  if (topology.providers().empty()) {
    out += "<p>nobody</p>\n";
    return;
  }
  out += "<table>\n";
  row(out, "th",
      {"for mixes", "for clients", "accounts", "version", "location", "last seen", "key"});
  for (const topology::ProviderInfo& provider : topology.providers())
    row(out, "td",
        {provider.mixnet_listener, provider.client_listener,
         std::to_string(provider.registered_clients.size()), provider.version, provider.location,
         age(provider.last_seen_ns, now), provider.public_key.to_base58()});
  out += "</table>\n";
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string plain_page_of(const topology::Topology& topology, std::optional<unsigned> gap,
                          WallTime now) {
  std::string out(kHead);
  out += "<h1>Mixnet directory</h1>\n<p>" + to_text(now) +
         ", as JSON: <a href=\"/api/presence/topology\">topology</a>, "
         "<a href=\"/api/metrics/mixes\">metrics</a></p>\n";
  if (gap)
    out += "<p class=\"gap\">Layer " + std::to_string(*gap) +
           " has no mix, but a layer above it has: no route leads through.</p>\n";
  if (topology.mixes().empty()) out += "<p>No mixes yet.</p>\n";
  for (unsigned layer = 1; layer <= topology.highest_layer(); ++layer)
    mixes(out, topology, layer, now);
  providers(out, topology, now);
  return out + "</body></html>\n";
}

}  // namespace mix::directory
