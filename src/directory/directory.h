// SPDX-License-Identifier: Apache-2.0
// What the directory answers: one function per endpoint, from a request to a reply, over the roster
// and the metrics windows. No socket and no wait here (server.h), so that tests ask it directly.
//
// Status codes and texts are those of the original where it has one; 409 (somebody else's living
// entry), 503 (full) and 403 (client metrics from afar) are ours. Nobody's X-Forwarded-For is
// believed: the sender is who holds the connection. Bounds: wire/limits.h. Threads: one.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/directory/metrics_window.h"
#include "src/directory/watchers.h"
#include "src/ports/clock.h"
#include "src/runtime/http_server.h"
#include "src/topology/metrics.h"
#include "src/topology/roster.h"

namespace mix::directory {

class Directory {
 public:
  using Request = runtime::HttpRequest;
  using Reply = runtime::HttpReply;
  /// Takes one line for the console, or one text for everybody who watches /ws.
  using Tell = std::function<void(const std::string&)>;
  /// Takes what is for the watchers of /ws/live, and makes the text if there are any.
  using Live = std::function<void(Audience, Telling, const std::function<std::string()>& make)>;

  Directory(const ports::Clock& clock, Tell console, Tell broadcast, Live live);

  Reply health(const Request& request) const;
  Reply mix_presence(const Request& request);
  Reply provider_presence(const Request& request);
  Reply coco_presence(const Request& request);
  Reply topology(const Request& request);
  Reply post_mix_metrics(const Request& request);
  Reply get_mix_metrics(const Request& request);
  Reply post_client_metrics(const Request& request);
  Reply get_client_metrics(const Request& request);
  /// Who is in, without a script. The dashboard's own files are in assets.h.
  Reply plain_page(const Request& request);
  /// Everything else: 404, or the answer to a browser's CORS question.
  Reply fallback(const Request& request) const;

  /// What a newcomer to /ws/live is told first.
  std::vector<std::string> opening(bool is_local);

  /// Forgets who expired, and says on the console what changed about gaps in the layers.
  void expire();
  std::optional<Instant> next_expiry() const { return x_roster.next_expiry(); }
  const topology::Roster& roster() const { return x_roster; }

 private:
  template <class Info>
  Reply presence(const Request& request, std::expected<Info, std::string> read);
  template <class Row>
  Reply metrics(const Request& request, MetricsWindow<Row>& window,
                std::expected<Row, std::string> read);
  Reply refuse(const Request& request, unsigned status, const std::string& why) const;
  void say(const Request& request, unsigned status, const std::string& who) const;
  void look_for_gap();
  void refresh_texts();

  const ports::Clock& x_clock;
  Tell x_console;
  Tell x_broadcast;
  Live x_live;
  std::optional<WallTime> x_since;  // our start; worked out when a watcher first asks
  topology::Roster x_roster;
  MetricsWindow<topology::MixMetrics> x_mix_metrics;
  MetricsWindow<topology::ClientMetrics> x_client_metrics;
  std::optional<unsigned> x_gap;  // the first empty layer below the highest
  // What was made out of the roster, and of which of its revisions.
  std::optional<std::uint64_t> x_text_of, x_etag_of, x_gap_of;
  std::shared_ptr<const std::string> x_text;  // replies under way hold it too
  Instant x_text_made;
  std::shared_ptr<const std::string> x_metrics_text;  // shared likewise
  std::int64_t x_metrics_of = -1;                     // the window it was made in
  std::string x_etag;
};

}  // namespace mix::directory
