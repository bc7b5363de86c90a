// SPDX-License-Identifier: Apache-2.0
// A running provider: two listeners, a desk that decides, a store that keeps.
//
// Wiring only; what is decided is in desk.h. The loop never waits for the disk: a packet is counted
// and recorded as stored when the store says that it is kept, a reply is written when the store has
// handed out the mail. A packet is kept at once, or kCommitWindow after the ones before it were,
// unless a client asks for something. Mail is deleted once its reply was written, ended, and
// acknowledged by the client's system; whatever else happens to the connection, it is offered
// again. So it is when the next pull finds nothing while this one's reply stalls (replies.h).
//
// Bounds: wire/limits.h and Limits. Threads: the loop's (the store has one of its own). The loop
// outlives this object; this object and what it is given outlive the loop's run.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/peers/intake.h"
#include "src/ports/entropy.h"
#include "src/presence/announcer.h"
#include "src/provider/desk.h"
#include "src/provider/replies.h"
#include "src/record/drop_reason.h"
#include "src/record/hop_log.h"
#include "src/runtime/alarm.h"
#include "src/runtime/loop.h"
#include "src/runtime/stream.h"
#include "src/store/store.h"

namespace mix::provider {

struct Options {
  runtime::Address mix_listen;     // port 0: a free one
  runtime::Address client_listen;  // port 0: a free one
  std::string store_folder;
  std::string directory = "http://localhost:8080";
  unsigned layers = wire::kDefaultLayers;
  std::size_t tag_memory_bytes = wire::kTagMemoryBytes;
  std::size_t connections = wire::kMaxConnections;  // of each listener
  std::optional<Duration> mail_age = std::nullopt;  // what waits for longer is deleted
  Limits limits;
};

/// What became of packets (received = stored + dropped + on their way to the disk) and requests.
struct Tally {
  std::uint64_t received = 0;  // also such as were cut off
  std::uint64_t stored = 0;
  record::DropCounts dropped;
  std::uint64_t registrations = 0;
  std::uint64_t replaced = 0;  // accounts that made room for others
  std::uint64_t pulls = 0;
  std::uint64_t handed_out = 0;     // messages whose reply arrived
  std::uint64_t offered_again = 0;  // messages whose reply did not
  std::uint64_t expired = 0;        // messages that waited for too long
  std::uint64_t refused = 0;        // requests answered `bad foomp`
};

class Provider {
 public:
  /// Opens the store and binds. The error names the file or address and why.
  static std::expected<std::unique_ptr<Provider>, std::string> open(runtime::Loop& loop,
                                                                    ports::Entropy& entropy,
                                                                    record::HopLog& log,
                                                                    const Options& options);
  Provider(const Provider&) = delete;
  Provider& operator=(const Provider&) = delete;

  /// Begins to serve and to announce. Once.
  void start();
  /// Takes nothing more, and stops the loop when everything taken is kept.
  void stop();
  /// After the loop's run: closes the store.
  void finish();

  const crypto::PublicKey& public_key() const { return x_public_key; }
  runtime::Address mix_address() const { return x_mix_address; }
  runtime::Address client_address() const { return x_client_address; }
  const Tally& tally() const { return x_tally; }
  const Desk& desk() const { return x_desk; }

 private:
  Provider(runtime::Loop& loop, record::HopLog& log, const Options& options,
           std::unique_ptr<store::Store> store, const store::Store::Opened& opened,
           runtime::Listener mixes, runtime::Listener clients);

  void take(wire::PacketView packet, Instant now);
  void cut_off();
  void flush_soon();
  void flush();
  void keep(Delivery delivery, Instant received, const record::Digest& digest);
  void handled(Instant received, const record::Digest& digest,
               std::optional<record::DropReason> reason);

  runtime::Task<> serve_client(runtime::Stream stream);
  runtime::Task<Answer> read_request(runtime::Stream& stream);
  runtime::Task<> give_token(runtime::Stream& stream, const GiveToken& answer);
  runtime::Task<> give_mail(runtime::Stream& stream, const GiveMail& answer);
  runtime::Task<sqlite::Result<std::vector<store::Mail>>> offer(const GiveMail& answer);
  runtime::Task<sqlite::Result<void>> keep_account(const ClientAddress& address,
                                                   std::optional<ClientAddress> leaves);
  runtime::Task<> refuse(runtime::Stream& stream, runtime::Refusal why);
  runtime::Task<bool> reply(runtime::Stream& stream, BytesView bytes, Instant now);
  runtime::Task<bool> acknowledged(const runtime::Stream& stream);
  void settle(const ClientAddress& address, std::vector<std::int64_t> ids, bool arrived);

  void expire_mail();
  void expire_mail_later();

  std::string presence_body() const;
  void record_node();
  void watch_bounds();

  runtime::Loop& x_loop;
  record::HopLog& x_log;
  Options x_options;
  crypto::PublicKey x_public_key;
  runtime::Address x_mix_address, x_client_address;
  std::unique_ptr<store::Store> x_store;
  Desk x_desk;
  runtime::Alarm x_commit;
  Instant x_next_commit{};  // no packet is kept sooner without reason
  peers::Intake x_intake;
  std::optional<runtime::Listener> x_mixes, x_clients;
  presence::Announcer x_presence;
  Tally x_tally;
  Replies x_replies;
  std::size_t x_registering = 0;  // accounts on their way to the disk
  bool x_stopping = false;
  bool x_forgetting_said = false, x_failing_said = false, x_full_said = false,
       x_filling_said = false;
};

}  // namespace mix::provider
