// SPDX-License-Identifier: Apache-2.0
#include "src/client/receiver.h"

#include <algorithm>

#include "src/prelude/log.h"
#include "src/runtime/settings.h"

namespace mix::client {

using runtime::Address;
using runtime::Stream;
using runtime::Task;

void Receiver::slot(const crypto::PublicKey& provider, const Address& listener) {
  if (provider != x_provider) {
    x_provider = provider;
    x_token.reset();
    x_enrolling = false;
  }
  const std::size_t share = runtime::share_of_descriptors() / wire::kShareOfUnproven;
  if (x_exchanges >= std::clamp<std::size_t>(share, 1, kMaxExchanges)) {
    ++x_counts.skipped;
    return;
  }
  if (x_token) {
    x_loop.spawn(pull(provider, listener, *x_token));
  } else if (!x_enrolling) {
    x_enrolling = true;
    x_loop.spawn(enrol(provider, listener));
  }
}

Task<> Receiver::enrol(crypto::PublicKey provider, Address listener) {
  const auto reply =
      co_await exchange(listener, wire::encode(wire::RegisterRequest{x_self.bytes()}));
  if (provider != x_provider) co_return;
  x_enrolling = false;
  if (!reply) co_return complain(listener, "registering: " + reply.error());
  x_token = wire::parse_register_reply(*reply);
  if (!x_token) {
    ++x_counts.refused;
    co_return complain(listener, "registering was refused");
  }
  well(listener);
  x_handlers.registered();
}

Task<> Receiver::pull(crypto::PublicKey provider, Address listener, wire::AuthToken token) {
  ++x_counts.pulls;
  const auto reply =
      co_await exchange(listener, wire::encode(wire::PullRequest{x_self.bytes(), token}));
  if (!reply) {
    ++x_counts.failed;
    co_return complain(listener, "pulling: " + reply.error());
  }
  const auto messages = wire::parse_pull_reply(*reply);
  if (!messages) {
    ++x_counts.refused;
    // Others of this token may be under way: only the first to be refused forgets it.
    if (provider == x_provider && x_token == token) {
      x_token.reset();
      log::info("provider ", listener.to_text(), " refused a pull; registering again");
    }
    co_return;
  }
  well(listener);
  for (const BytesView message : *messages)
    if (!equal(message, as_bytes(wire::kDummyMessage))) x_handlers.message(message);
}

Task<Receiver::Reply> Receiver::exchange(Address listener, Bytes request) {
  // Counted down also when the loop ends this task.
  struct Counted {
    std::size_t& n;
    explicit Counted(std::size_t& of) : n(of) { ++n; }
    ~Counted() { --n; }
  } counted(x_exchanges);
  const Instant deadline = x_loop.now() + kExchangeTimeout;
  auto stream = co_await Stream::connect(x_loop, listener, wire::kConnectTimeout);
  if (!stream) co_return std::unexpected(stream.error().text());
  stream->set_deadline(deadline);
  if (const auto wrote = co_await stream->write_all(request); !wrote)
    co_return std::unexpected(wrote.error().text());
  stream->shutdown_send();
  Bytes reply(wire::kMaxPullReplyBytes + 1);  // one more than any provider has to say
  const auto size = co_await stream->read_full(reply);
  if (!size) co_return std::unexpected(size.error().text());
  reply.resize(*size);
  co_return reply;
}

void Receiver::complain(const Address& listener, const std::string& why) {
  if (std::exchange(x_outage, true)) return;
  log::warn("provider ", listener.to_text(), ": ", why, "; trying again at every poll");
}

void Receiver::well(const Address& listener) {
  if (std::exchange(x_outage, false)) log::info("provider ", listener.to_text(), " answers again");
}

}  // namespace mix::client
