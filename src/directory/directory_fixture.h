// SPDX-License-Identifier: Apache-2.0
// For tests: a directory that is asked directly, its clock in hand, and all that it said.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "src/directory/directory.h"
#include "src/ports/clock.h"
#include "src/topology/json.h"
#include "src/topology/sample_infos.h"
#include "src/wire/limits.h"

namespace mix::directory {

struct Fixture {
  ports::ManualClock clock;
  std::vector<std::string> lines, told;
  std::vector<std::pair<Audience, std::string>> live;
  std::optional<Directory> made;
  Directory& directory;
  Fixture() : directory((clock.advance(1'580'000'000s), make())) {}

  Directory& make() {
    return made.emplace(
        clock, [this](const std::string& line) { lines.push_back(line); },
        [this](const std::string& text) { told.push_back(text); },
        [this](Audience audience, Telling, const std::function<std::string()>& text) {
          live.emplace_back(audience, text());
        });
  }

  static Directory::Request request(std::string method, std::string path, std::string body = {},
                                    const char* from = "192.0.2.1:4000") {
    Directory::Request out;
    out.method = std::move(method);
    out.path = std::move(path);
    out.body = std::move(body);
    out.peer = runtime::Address::from_text(from).value();
    return out;
  }
  Directory::Reply mix(const topology::MixInfo& info, const char* from = "192.0.2.1:4000") {
    return directory.mix_presence(
        request("POST", "/api/presence/mixnodes", topology::to_presence_json(info), from));
  }
  Directory::Reply provider(const topology::ProviderInfo& info,
                            const char* from = "192.0.2.1:4000") {
    return directory.provider_presence(
        request("POST", "/api/presence/mixproviders", topology::to_presence_json(info), from));
  }
  Directory::Reply topology(std::string if_none_match = {}) {
    auto asked = request("GET", "/api/presence/topology");
    asked.if_none_match = std::move(if_none_match);
    return directory.topology(asked);
  }
  static std::string etag_of(const Directory::Reply& reply) {
    for (const auto& [name, value] : reply.headers)
      if (name == "ETag") return value;
    return {};
  }
  Directory::Reply mix_metrics(unsigned key, const char* from = "192.0.2.1:4000") {
    return directory.post_mix_metrics(
        request("POST", "/api/metrics/mixes",
                topology::to_report_json(topology::MixMetrics{
                    topology::sample_key(key), 10, {{"127.0.0.1:9981", 4}}, 0}),
                from));
  }
  std::string metrics() {
    return *directory.get_mix_metrics(request("GET", "/api/metrics/mixes")).shared_body;
  }
  bool said(std::string_view text) const {
    for (const std::string& line : lines)
      if (line.find(text) != std::string::npos) return true;
    return false;
  }
};

}  // namespace mix::directory
