// SPDX-License-Identifier: Apache-2.0
#include "src/client/loop_ledger.h"

#include <algorithm>
#include <sstream>

namespace mix::client {
namespace {

std::string text_of(const LoopCounts& counts) {
  std::ostringstream out;
  out << counts.sent << " sent, " << counts.home << " home, " << counts.lost << " lost";
  if (counts.late > 0) out << " (" << counts.late << " of them late)";
  return out.str();
}

/// `sorted` is not empty. The smallest value that `share` of them do not exceed.
Duration quantile(const std::vector<Duration>& sorted, std::size_t percent) {
  const std::size_t rank = (sorted.size() * percent + 99) / 100;
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

}  // namespace

void LoopLedger::sent(Kind kind, const Mark& mark, Instant now, const Digest& digest) {
  const auto [at, is_new] = x_entries.insert({mark, {kind, State::out, now, digest}});
  if (!is_new) return;  // 2^-128
  x_order.push_back(at);
  if (kind == Kind::loop) ++x_counts.sent;
  if (x_order.size() > kMaxRemembered) forget_oldest();
}

std::optional<LoopLedger::Digest> LoopLedger::home(const Mark& mark, Instant now) {
  age(now);
  const auto at = x_entries.find(mark);
  if (at == x_entries.end() || at->second.state == State::home) return std::nullopt;
  Entry& entry = at->second;
  const bool late = entry.state == State::lost;
  entry.state = State::home;
  if (entry.kind == Kind::loop) {
    ++(late ? x_counts.late : x_counts.home);
    if (!late) took(now - entry.sent);
  }
  return entry.digest;
}

void LoopLedger::took(Duration round_trip) {
  if (x_round_trips.size() < kMaxRoundTrips) x_round_trips.push_back(round_trip);
  x_recent.push_back(round_trip);
  if (x_recent.size() > kMaxRecent) x_recent.pop_front();
}

std::vector<Duration> LoopLedger::round_trips_since(std::uint64_t home) const {
  const std::uint64_t news = x_counts.home - std::min(home, x_counts.home);
  const auto many = static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(news, x_recent.size()));
  return {x_recent.end() - many, x_recent.end()};
}

LoopCounts LoopLedger::counts(Instant now) {
  age(now);
  return x_counts;
}

void LoopLedger::lose(Entry& entry) {
  if (entry.state != State::out) return;
  entry.state = State::lost;
  if (entry.kind == Kind::loop) ++x_counts.lost;
}

void LoopLedger::age(Instant now) {
  for (; x_aged < x_order.size(); ++x_aged) {
    Entry& entry = x_order[x_aged]->second;
    if (now - entry.sent < x_time_out) break;
    lose(entry);
  }
}

void LoopLedger::forget_oldest() {
  lose(x_order.front()->second);
  x_entries.erase(x_order.front());
  x_order.pop_front();
  if (x_aged > 0) --x_aged;
}

std::string LoopLedger::report(Instant now) {
  const LoopCounts total = counts(now);
  std::ostringstream out;
  out << "loops: " << text_of(total) << ", " << total.out() << " out; since the last report "
      << text_of(total - x_reported);
  if (!x_round_trips.empty()) {
    std::ranges::sort(x_round_trips);
    out << "; round trip median " << to_text(quantile(x_round_trips, 50)) << ", p99 "
        << to_text(quantile(x_round_trips, 99)) << ", max " << to_text(x_round_trips.back());
  }
  x_reported = total;
  x_round_trips.clear();
  return out.str();
}

}  // namespace mix::client
