// SPDX-License-Identifier: Apache-2.0
#include "src/client/settings.h"

#include <iomanip>
#include <sstream>

namespace mix::client {
namespace {

double per_second(Duration gap) {
  return gap > 0ns ? 1e9 / static_cast<double>(gap.count()) : 0;
}

}  // namespace

std::string drain_warning(const Settings& settings) {
  const double drained = wire::kMessagesPerPull * per_second(settings.poll_interval);
  const double own = per_second(settings.loop_gap) + per_second(settings.send_gap);
  const double busy = own + per_second(settings.send_gap);
  if (busy <= drained) return {};
  std::ostringstream out;
  out << std::setprecision(3) << "--poll-interval " << to_text(settings.poll_interval)
      << " brings home at most " << drained << " messages/s, but ";
  if (own > drained)
    out << own << "/s arrive of --loop-rate and --send-rate alone";
  else
    out << busy << "/s arrive when another client sends as fast as this one";
  out << ": the mailbox will fill up";
  return out.str();
}

}  // namespace mix::client
