// SPDX-License-Identifier: Apache-2.0
#include "harness/network/wire.h"

#include "src/prelude/check.h"

namespace lab::network {
namespace {

using namespace std::chrono_literals;
using scenario::Latency;
__extension__ typedef unsigned __int128 Wide;

constexpr Duration kSegmentTimeOut = 200ms;  // Linux's least RTO
constexpr Duration kFirstTimeOut = 1s;       // of a SYN (RFC 6298)
constexpr Duration kLongestTimeOut = 120s;   // Linux's greatest RTO
constexpr Duration kLongestGap = 50us;       // between the parts of a fragmented segment

Duration sending_time(std::uint64_t bytes, std::uint64_t bit_per_s) {
  const Wide bits = static_cast<Wide>(bytes) * 8 * 1'000'000'000;
  return Duration(static_cast<std::int64_t>((bits + bit_per_s - 1) / bit_per_s));
}

}  // namespace

Wire::Wire(std::uint64_t seed, const std::string& name, const scenario::LinkLaw& law)
    : x_law(law),
      x_loss(stream(seed, "link.loss", name)),
      x_state(stream(seed, "link.loss-state", name)),
      x_latency(stream(seed, "link.latency", name)),
      x_mishap(stream(seed, "link.mishap", name)),
      x_fragment(stream(seed, "link.fragment", name)) {}

bool Wire::lose() {
  const scenario::Loss& loss = x_law.loss;
  if (!loss.bursts) return x_loss.chance(loss.loss_good);
  if (x_state.chance(x_bad ? loss.bad_to_good : loss.good_to_bad)) x_bad = !x_bad;
  return x_loss.chance(x_bad ? loss.loss_bad : loss.loss_good);
}

Duration Wire::latency() {
  const Latency& law = x_law.latency;
  switch (law.law) {
    case Latency::Law::constant:
      return law.mean;
    case Latency::Law::uniform:
      return x_latency.uniform(law.min, law.max);
    case Latency::Law::normal:
      return std::max(law.min, x_latency.normal(law.mean, law.sd));
    case Latency::Law::exponential:
      return law.min + x_latency.exponential(law.mean - law.min);
  }
  CHECK(false);
  return {};
}

Passage Wire::pass(VirtualTime now, std::uint32_t bytes) {
  VirtualTime leaves = now;
  if (x_law.bandwidth_bit_per_s > 0) {
    const VirtualTime begins = std::max(now, x_busy_until);
    const Wide waiting = static_cast<Wide>((begins - now).count()) * x_law.bandwidth_bit_per_s;
    if (waiting / 8'000'000'000 + bytes > x_law.queue_bytes) return {Fate::queue_full, {}};
    leaves = begins + sending_time(bytes, x_law.bandwidth_bit_per_s);
    x_busy_until = leaves;
  }
  // Both are drawn for every packet: a change of the loss moves no latency.
  const bool lost = lose();
  const VirtualTime arrival = leaves + latency();
  return {lost ? Fate::lost : Fate::delivered, arrival};
}

Mishap Wire::mishap(VirtualTime arrival, std::size_t payload_bytes) {
  Mishap out;
  if (x_mishap.chance(x_law.duplicate)) out.duplicate = arrival + x_mishap.uniform(0ns, 1ms);
  if (x_mishap.chance(x_law.reorder)) out.reordered = x_law.reorder_delay;
  if (x_mishap.chance(x_law.corrupt) && payload_bytes > 0)
    out.bad_bit = x_mishap.below(payload_bytes * 8);
  return out;
}

std::vector<std::size_t> Wire::cuts(std::size_t size) {
  std::vector<std::size_t> out;
  if (!x_law.fragment || size < 2) return out;
  const std::uint64_t places = x_fragment.below(4);
  for (std::uint64_t i = 0; i < places; ++i)
    out.push_back(1 + x_fragment.below(size - 1));
  std::ranges::sort(out);
  const auto tail = std::ranges::unique(out);
  out.erase(tail.begin(), tail.end());
  return out;
}

Duration Wire::gap() {
  return x_fragment.uniform(1us, kLongestGap);
}

Duration Wire::time_out(int losses, bool first_of_flow) const {
  CHECK(losses >= 1, losses);
  Duration wait = first_of_flow ? kFirstTimeOut : kSegmentTimeOut + 2 * x_law.latency.mean;
  for (int i = 1; i < losses && wait < kLongestTimeOut; ++i)
    wait *= 2;
  return std::min(wait, kLongestTimeOut);
}

}  // namespace lab::network
