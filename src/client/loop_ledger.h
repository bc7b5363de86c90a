// SPDX-License-Identifier: Apache-2.0
// Which of a client's own packets are out, which came home, which were lost, and how long they
// took.
//
// A loop is lost when it is not home `time_out` after it was sent; should it come later all the
// same, that is counted apart ("late") and it stays lost. A second copy of one packet counts as
// nothing. Fillers are kept too, so that their return can be named in a record, but never counted
// with the loops: what is counted is told to others, and who is told how many fillers came home
// could work out how many real messages were sent.
//
// Bounds: kMaxRemembered packets, the oldest go first; kMaxRoundTrips times a report, kMaxRecent
// times for whoever asks in between. Needs no timer: loops age when asked. Pure; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "src/client/own_mark.h"
#include "src/prelude/instant.h"

namespace mix::client {

/// Of the loop stream only.
struct LoopCounts {
  std::uint64_t sent = 0;
  std::uint64_t home = 0;
  std::uint64_t lost = 0;
  std::uint64_t late = 0;  // came home after they were called lost

  std::uint64_t out() const { return sent - home - lost; }
  LoopCounts operator-(const LoopCounts& earlier) const {
    return {sent - earlier.sent, home - earlier.home, lost - earlier.lost, late - earlier.late};
  }
  bool operator==(const LoopCounts&) const = default;
};

class LoopLedger {
 public:
  static constexpr std::size_t kMaxRemembered = 64 * 1024;
  static constexpr std::size_t kMaxRoundTrips = 64 * 1024;
  static constexpr std::size_t kMaxRecent = 64;
  using Digest = ByteArray<16>;

  explicit LoopLedger(Duration time_out) : x_time_out(time_out) {}

  /// `digest` names the packet in a record.
  void sent(Kind kind, const Mark& mark, Instant now, const Digest& digest);
  /// The digest of a packet that came home; nothing when it is not remembered (a copy, or sent
  /// before a restart).
  std::optional<Digest> home(const Mark& mark, Instant now);

  LoopCounts counts(Instant now);
  /// How long the loops took that came home after the first `home` of them: the latest
  /// kMaxRecent of those, in the order they came.
  std::vector<Duration> round_trips_since(std::uint64_t home) const;

  /// "loops: 120 sent, 118 home, 0 lost, 2 out; round trip median 812 ms, p99 1.50 s, max 1.61 s
  /// (since the last report: ...)". Starts the next report.
  std::string report(Instant now);

 private:
  enum class State : std::uint8_t { out, lost, home };
  struct Entry {
    Kind kind;
    State state;
    Instant sent;
    Digest digest;
  };
  using Entries = std::map<Mark, Entry>;

  void age(Instant now);
  void forget_oldest();
  void lose(Entry& entry);
  void took(Duration round_trip);

  Duration x_time_out;
  Entries x_entries;
  // In order of sending; iterators of a map stay valid.
  std::deque<Entries::iterator> x_order;
  std::size_t x_aged = 0;  // so many of the front of x_order were judged
  LoopCounts x_counts;
  LoopCounts x_reported;
  std::vector<Duration> x_round_trips;  // since the last report
  std::deque<Duration> x_recent;        // of the last loops that came home
};

}  // namespace mix::client
