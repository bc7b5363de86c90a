// SPDX-License-Identifier: Apache-2.0
#include "src/peers/connector.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "src/prelude/log.h"

namespace mix::peers {

using runtime::Io;
using runtime::IoError;
using runtime::Stream;
using runtime::Task;
using sphinx::NodeAddress;

Task<Connector::Result> Connector::connect(NodeAddress peer, std::vector<NodeAddress> addresses) {
  const Claim claim = x_reputation.of(peer);
  Duration time = x_limits.time;
  PlacePtr place = x_outgoing.take(claim);
  if (!place) {
    const Instant deadline = x_loop.now() + time;
    place = co_await x_outgoing.wait(claim, deadline);
    time = std::max(deadline - x_loop.now(), std::min(time, x_limits.hurry));
  }
  IoError error{IoError::Kind::exhausted};
  if (place) {
    Result connection = co_await connect_to_any(std::move(place), std::move(addresses), time);
    if (connection) {
      ++x_made;
      x_unreachable.reached(peer);
      co_return std::move(connection);
    }
    error = connection.error();
    if (error.kind == IoError::Kind::timed_out) hung(peer);
  }
  if (x_unreachable.say(peer, x_loop.now()))
    log::warn("next hop ", peer.to_text(), " cannot be reached: ", error.text());
  co_return std::unexpected(error);
}

/// The error is that of the first address, but for one that hung.
Task<Connector::Result> Connector::connect_to_any(PlacePtr place,
                                                  std::vector<NodeAddress> addresses,
                                                  Duration time) {
  const std::size_t count = std::min(addresses.size(), wire::kMaxAddressesPerName);
  const Duration share = time / static_cast<std::int64_t>(count);
  std::optional<IoError> error;
  for (std::size_t i = 0; i < count && place->held(); ++i) {
    auto stream = co_await attempt(*place, addresses[i], share);
    if (!stream && stream.error().kind == IoError::Kind::exhausted && x_outgoing.drop_idle())
      stream = co_await attempt(*place, addresses[i], share);
    if (stream) co_return Connection{std::move(*stream), addresses[i], std::move(place)};
    if (!error || stream.error().kind == IoError::Kind::timed_out) error = stream.error();
  }
  co_return std::unexpected(*error);
}

/// Whoever loses his place meanwhile has taken too long.
Task<Io<Stream>> Connector::attempt(Place& place, NodeAddress to, Duration time) {
  Stream::Attempt attempt;
  bool lost = false;
  place.lose = [&] {
    lost = true;
    attempt.cancel();
  };
  auto stream = co_await Stream::connect(x_loop, to, time, &attempt);
  place.lose = {};
  if (lost) co_return std::unexpected(IoError{IoError::Kind::timed_out});
  co_return std::move(stream);
}

}  // namespace mix::peers
