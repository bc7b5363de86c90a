// SPDX-License-Identifier: Apache-2.0
#include "src/provider/provider.h"

#include <algorithm>
#include <utility>

#include "src/crypto/cipher.h"
#include "src/prelude/log.h"
#include "src/runtime/event.h"
#include "src/topology/json.h"
#include "src/topology/version.h"

namespace mix::provider {
namespace {

using record::DropReason;
using runtime::Stream;
using runtime::Task;

/// Asking again whether a reply arrived: after 4 ms, 32 ms more, then every 256 ms. Nobody waits
/// for the answer (meanwhile the mail is out), so few wake-ups count for more than an early one.
constexpr Duration kFirstAcknowledgeWait = 4ms;
constexpr int kAcknowledgeBackOff = 8;
constexpr Duration kLongestAcknowledgeWait = 256ms;

/// Waits for an answer of the store. The answer may come when whoever waited is gone.
template <class T>
class Promise {
 public:
  explicit Promise(runtime::Loop& loop) : x_state(std::make_shared<State>(loop)) {}

  store::Store::Done<T> done() {
    return [state = x_state](sqlite::Result<T> result) {
      state->result = std::move(result);
      state->came.notify();
    };
  }
  Task<sqlite::Result<T>> wait() {
    const auto state = x_state;
    while (!state->result)
      co_await state->came.wait();
    co_return std::move(*state->result);
  }

 private:
  struct State {
    explicit State(runtime::Loop& loop) : came(loop) {}
    runtime::Event came;
    std::optional<sqlite::Result<T>> result;
  };
  std::shared_ptr<State> x_state;
};

std::expected<runtime::Listener, std::string> listen(runtime::Loop& loop, runtime::Address at,
                                                     std::size_t connections) {
  return runtime::Listener::open(loop, at, {connections, wire::kListenBacklog, true});
}

}  // namespace

std::expected<std::unique_ptr<Provider>, std::string> Provider::open(runtime::Loop& loop,
                                                                     ports::Entropy& entropy,
                                                                     record::HopLog& log,
                                                                     const Options& options) {
  auto mixes = listen(loop, options.mix_listen, options.connections);
  if (!mixes) return std::unexpected(mixes.error());
  auto clients = listen(loop, options.client_listen, options.connections);
  if (!clients) return std::unexpected(clients.error());
  const std::size_t tags = sphinx::TagMemory(options.tag_memory_bytes).tags_per_generation();
  auto opened = store::Store::open(
      options.store_folder, tags, entropy,
      [&loop](std::move_only_function<void()> answer) { loop.post(std::move(answer)); },
      options.mail_age ? std::optional(loop.wall_now()) : std::nullopt);
  if (!opened) return std::unexpected(opened.error());
  const store::Store::Opened found = (*opened)->take_opened();
  return std::unique_ptr<Provider>(new Provider(loop, log, options, std::move(*opened), found,
                                                std::move(*mixes), std::move(*clients)));
}

Provider::Provider(runtime::Loop& loop, record::HopLog& log, const Options& options,
                   std::unique_ptr<store::Store> store, const store::Store::Opened& opened,
                   runtime::Listener mixes, runtime::Listener clients)
    : x_loop(loop),
      x_log(log),
      x_options(options),
      x_public_key(opened.keys.node.public_key()),
      x_mix_address(mixes.local()),
      x_client_address(clients.local()),
      x_store(std::move(store)),
      x_desk(opened.keys, opened.accounts, opened.tags, options.tag_memory_bytes, options.limits),
      x_commit(loop, [this] { flush(); }),
      x_intake(loop, {.take = [this](wire::PacketView packet, Instant now) { take(packet, now); },
                      .cut_off = [this] { cut_off(); }}),
      x_mixes(std::move(mixes)),
      x_clients(std::move(clients)),
      x_presence(loop,
                 {.directory = options.directory,
                  .path = presence::kProviderPresencePath,
                  .what = "presence",
                  .interval = wire::kPresenceInterval},
                 [this] { return presence_body(); }) {}

void Provider::start() {
  record_node();
  x_mixes->serve([this](Stream stream) { return x_intake.serve(std::move(stream)); });
  x_clients->serve([this](Stream stream) { return serve_client(std::move(stream)); });
  x_presence.start();
  if (x_options.mail_age) expire_mail();
}

void Provider::stop() {
  if (std::exchange(x_stopping, true)) return;
  x_mixes.reset();
  x_clients.reset();
  // Requests are answered in order, so when this one is, everything before it is.
  x_store->settle({}, true, [this](const sqlite::Result<void>&) { x_loop.stop(); });
}

void Provider::finish() {
  x_store->close();
}

// ---- Packets --------------------------------------------------------------------------------

void Provider::take(wire::PacketView packet, Instant now) {
  ++x_tally.received;
  record::Digest digest{};
  if (x_log.on()) digest = crypto::digest16(packet);
  if (x_stopping) return handled(now, digest, DropReason::shutting_down);
  auto taken = x_desk.take(packet, x_store->queued());
  watch_bounds();
  if (taken) return keep(std::move(*taken), now, digest);
  if (taken.error().tag) {
    x_store->keep(*taken.error().tag, std::nullopt, [](const auto&) {});
    flush_soon();
  }
  handled(now, digest, taken.error().reason);
}

/// Without a row: there is no packet to name.
void Provider::cut_off() {
  ++x_tally.received;
  x_tally.dropped.add(DropReason::short_packet);
}

void Provider::keep(Delivery delivery, Instant received, const record::Digest& digest) {
  const ClientAddress to = delivery.to;
  const WallTime came = x_options.mail_age ? x_loop.wall_now() : WallTime{};
  x_store->keep(delivery.tag, store::Store::Letter{to, std::move(delivery.message), came},
                [this, to, received, digest](const sqlite::Result<void>& kept) {
                  if (kept) return handled(received, digest, std::nullopt);
                  x_desk.removed(to, 1);
                  if (!std::exchange(x_failing_said, true))
                    log::error("cannot keep a message: ", kept.error().text, " (said once)");
                  handled(received, digest, DropReason::store_failed);
                });
  flush_soon();
}

/// At once, unless the last time was less than a window ago.
void Provider::flush_soon() {
  if (x_store->unflushed() >= wire::kCommitPackets || x_loop.now() >= x_next_commit) return flush();
  if (!x_commit.deadline()) x_commit.arm(x_next_commit);
}

void Provider::flush() {
  if (x_store->unflushed() == 0) return;  // a client's request has come between
  x_store->flush();
  x_next_commit = x_loop.now() + wire::kCommitWindow;
}

void Provider::handled(Instant received, const record::Digest& digest,
                       std::optional<DropReason> reason) {
  if (reason)
    x_tally.dropped.add(*reason);
  else
    ++x_tally.stored;
  if (!x_log.on()) return;
  record::HandledRow row;
  row.received_ns = record::ns(received);
  row.digest_in = digest;
  row.verdict = reason ? record::Verdict::drop : record::Verdict::store;
  row.reason = reason;
  x_log.handled(std::move(row));
}

// ---- Clients --------------------------------------------------------------------------------

Task<> Provider::serve_client(Stream stream) {
  const Answer answer = co_await read_request(stream);
  if (const auto* token = std::get_if<GiveToken>(&answer))
    co_await give_token(stream, *token);
  else if (const auto* mail = std::get_if<GiveMail>(&answer))
    co_await give_mail(stream, *mail);
  else
    co_await refuse(stream, std::get<Refuse>(answer).why);
}

/// Reads until the request is whole, or cannot become one.
Task<Answer> Provider::read_request(Stream& stream) {
  const Instant now = x_loop.now();
  stream.set_deadline(now + wire::kReadTimeout);
  ByteArray<wire::kPullBytes + 1> bytes;  // one more, to see what is too long
  std::size_t size = 0;
  while (size < bytes.size()) {
    const auto got = co_await stream.read_some(BytesSpan(bytes).subspan(size));
    if (!got || *got == 0) break;
    size += *got;
    const auto whole = wire::request_size(BytesView(bytes).first(size));
    if (size >= 2 && (!whole || size >= *whole)) break;
  }
  if (x_stopping) co_return Refuse{};
  co_return x_desk.answer(BytesView(bytes).first(size), now);
}

Task<> Provider::give_token(Stream& stream, const GiveToken& answer) {
  if (answer.is_new) {
    std::optional<ClientAddress> leaves;
    if (x_desk.full(x_registering)) {
      leaves = x_desk.make_room();
      if (!leaves) co_return co_await refuse(stream, runtime::Refusal::accounts_full);
    }
    if (const auto kept = co_await keep_account(answer.address, leaves); !kept)
      co_return co_await refuse(stream, runtime::Refusal::store_failed);
  }
  ++x_tally.registrations;
  co_await reply(stream, answer.token, x_loop.now());
}

/// In the place of the one that leaves, which stays when that fails.
Task<sqlite::Result<void>> Provider::keep_account(const ClientAddress& address,
                                                  std::optional<ClientAddress> leaves) {
  ++x_registering;
  Promise<void> kept(x_loop);
  if (leaves)
    x_store->replace_account(*leaves, address, kept.done());
  else
    x_store->add_account(address, kept.done());
  auto added = co_await kept.wait();
  --x_registering;
  if (added)
    x_desk.registered(address);
  else if (leaves)
    x_desk.registered(*leaves);
  if (added && leaves) ++x_tally.replaced;
  co_return added;
}

Task<> Provider::give_mail(Stream& stream, const GiveMail& answer) {
  ++x_tally.pulls;
  const auto mail = co_await offer(answer);
  if (!mail) co_return co_await refuse(stream, runtime::Refusal::store_failed);
  std::vector<BytesView> messages;
  std::vector<std::int64_t> ids;
  for (const store::Mail& one : *mail) {
    messages.push_back(one.body);
    ids.push_back(one.id);
  }
  const Instant now = x_loop.now();
  const Bytes bytes = wire::encode_pull_reply(messages);
  if (ids.empty()) {
    co_await reply(stream, bytes, now);
    co_return;
  }
  const auto out =
      x_replies.begin(answer.address, std::move(ids), now, [&stream] { stream.reset(); });
  const bool arrived = co_await reply(stream, bytes, now) && co_await acknowledged(stream);
  if (auto settled = x_replies.end(out)) settle(answer.address, std::move(*settled), arrived);
}

/// What waits; when nothing does, what is out on replies that stall.
Task<sqlite::Result<std::vector<store::Mail>>> Provider::offer(const GiveMail& answer) {
  Promise<std::vector<store::Mail>> first(x_loop);
  x_store->offer(answer.address, wire::kMessagesPerPull, first.done());
  auto mail = co_await first.wait();
  if (!mail || !mail->empty()) co_return mail;
  Replies::TakenBack back = x_replies.take_back(answer.address, answer.asked);
  if (back.replies == 0) co_return mail;
  for (std::size_t n = 0; n < back.replies; ++n)
    x_loop.refusals().add(runtime::Refusal::stalled_reply);
  // The store does one after the other: nobody else's pull comes between.
  settle(answer.address, std::move(back.mail), false);
  Promise<std::vector<store::Mail>> second(x_loop);
  x_store->offer(answer.address, wire::kMessagesPerPull, second.done());
  co_return co_await second.wait();
}

Task<> Provider::refuse(Stream& stream, runtime::Refusal why) {
  ++x_tally.refused;
  x_loop.refusals().add(why);
  if (why == runtime::Refusal::accounts_full && !std::exchange(x_full_said, true))
    log::warn(
        "there are ", x_desk.clients().size(),
        " clients, which is all there may be, and none was unused for long enough to make room "
        "(see --max-accounts, --account-age)");
  co_await reply(stream, as_bytes(wire::kBadRequest), x_loop.now());
}

Task<bool> Provider::reply(Stream& stream, BytesView bytes, Instant now) {
  stream.set_deadline(now + wire::kWriteTimeout);
  const auto written = co_await stream.write_all(bytes);
  stream.shutdown_send();
  co_return written.has_value();
}

/// Until the client's system has acknowledged everything, the end included. The client has closed
/// its side already, so nothing can be read that would say so: the socket is asked.
Task<bool> Provider::acknowledged(const Stream& stream) {
  const Instant deadline = x_loop.now() + wire::kAcknowledgeTimeout;
  for (Duration wait = kFirstAcknowledgeWait;;
       wait = std::min(kAcknowledgeBackOff * wait, kLongestAcknowledgeWait)) {
    const auto left = stream.unacknowledged();
    if (!left) co_return false;
    if (*left == 0) co_return true;
    if (x_loop.now() >= deadline) co_return false;
    co_await x_loop.sleep_for(wait);
  }
}

void Provider::settle(const ClientAddress& address, std::vector<std::int64_t> ids, bool arrived) {
  const std::size_t count = ids.size();
  (arrived ? x_tally.handed_out : x_tally.offered_again) += count;
  x_store->settle(std::move(ids), arrived, [=, this](const sqlite::Result<void>& done) {
    if (arrived && done) x_desk.removed(address, count);
  });
}

// ---- Mail that nobody fetches ---------------------------------------------------------------

/// Once in a while, and again at once when there may be more.
void Provider::expire_mail() {
  const WallTime before = x_loop.wall_now() - *x_options.mail_age;
  x_store->expire(before, wire::kMailExpiryBatch,
                  [this](const sqlite::Result<std::vector<ClientAddress>>& whose) {
                    if (!whose || x_stopping) return expire_mail_later();
                    for (const ClientAddress& address : *whose)
                      x_desk.removed(address, 1);
                    x_tally.expired += whose->size();
                    if (whose->size() < wire::kMailExpiryBatch) return expire_mail_later();
                    expire_mail();
                  });
}

void Provider::expire_mail_later() {
  const Duration wait =
      std::clamp<Duration>(*x_options.mail_age / 4, 1s, wire::kMailExpiryInterval);
  x_loop.call_at(x_loop.now() + wait, [this] {
    if (!x_stopping) expire_mail();
  });
}

// ---- The world ------------------------------------------------------------------------------

std::string Provider::presence_body() const {
  topology::ProviderInfo provider;
  provider.client_listener = x_client_address.to_text();
  provider.mixnet_listener = x_mix_address.to_text();
  provider.public_key = x_public_key;
  provider.version = topology::kOurVersion;
  for (const ClientAddress& client : x_desk.clients())
    provider.registered_clients.emplace_back(client);
  return topology::to_presence_json(provider);
}

void Provider::record_node() {
  if (!x_log.on()) return;
  record::NodeRow row;
  row.name = "provider-" + std::to_string(x_mix_address.port);
  row.role = record::Role::provider;
  row.layer = static_cast<std::uint8_t>(x_options.layers + 1);
  row.address = x_mix_address.to_text();
  row.public_key = x_public_key.to_base58();
  x_log.node(std::move(row));
}

/// Said once: from now on one mailbox holds less than it might; from now on the node no longer
/// knows every packet it ever took.
void Provider::watch_bounds() {
  if (x_desk.mailbox_limit() < x_options.limits.mailbox && !std::exchange(x_filling_said, true))
    log::warn(
        "more than half of the mail there may be is waiting: what one client may have waiting "
        "falls with the room that is left (see --max-messages)");
  if (x_forgetting_said || x_desk.tags().forgotten_generations() == 0) return;
  x_forgetting_said = true;
  log::warn("the tag memory is full: a packet sent again after more than ",
            x_desk.tags().tags_per_generation(), " others is no longer refused (see --tag-memory)");
}

}  // namespace mix::provider
