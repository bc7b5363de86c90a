// SPDX-License-Identifier: Apache-2.0
// A running client: the pure halves (emission, composer, ledger, boxes, map) joined to the network.
//
// It starts when the directory first shows a provider: registers there, polls it on a timetable,
// and, once registered, emits loops and real packets (or fillers) for the rest of its life. One
// alarm serves emissions, polls and reports: a packet costs one wake-up.
// While a layer is empty nothing is sent, and that is said; messages wait. What a user does changes
// which packets are real, and nothing else that leaves this machine.
//
// Bounds: those of its parts. Threads: the loop's. Must outlive its run.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "src/client/chance.h"
#include "src/client/composer.h"
#include "src/client/inbox.h"
#include "src/client/loop_ledger.h"
#include "src/client/network_map.h"
#include "src/client/outbox.h"
#include "src/client/receiver.h"
#include "src/client/service.h"
#include "src/client/settings.h"
#include "src/client/timetable.h"
#include "src/peers/peers.h"
#include "src/presence/announcer.h"
#include "src/presence/watcher.h"
#include "src/record/hop_log.h"
#include "src/runtime/alarm.h"
#include "src/runtime/loop.h"
#include "src/traffic/emission.h"

namespace mix::client {

class Client final : public Service {
 public:
  /// `root` keys every generator, now.
  Client(runtime::Loop& loop, const Settings& settings, const crypto::KeyPair& self,
         record::HopLog& log, ports::Entropy& root);
  ~Client() override;

  /// Once.
  void start();
  /// After the loop's run: accounts for what was not sent, and says how it went.
  void finish();

  std::expected<void, std::string> send(const crypto::PublicKey& recipient,
                                        BytesView message) override;
  std::vector<Bytes> fetch() override { return x_inbox.fetch(); }
  std::expected<std::vector<crypto::PublicKey>, std::string> clients() override;
  crypto::PublicKey own_address() const override { return x_self.public_key; }

 private:
  static constexpr Duration kReportInterval = 1min;
  /// A packet in the hands of the network.
  struct InHand {
    record::MadeRow row;
    std::optional<Message> message;  // of a real packet
  };

  void take_view(const presence::View& view);
  void registered();
  void ring();
  void arm();
  void poll(Instant now);
  void emit(const traffic::Tick& tick, Instant now);
  void hand_over(Composed composed, Instant now);
  void handed_over(const peers::Parcel& parcel, const peers::Outcome& outcome);
  void received(BytesView message);
  void report(Instant now);
  void say_obstacle();
  std::string metrics();

  runtime::Loop& x_loop;
  Settings x_settings;
  crypto::KeyPair x_self;
  record::HopLog& x_log;
  Chance x_chance;
  Composer x_composer;
  OwnMark x_mark;
  NetworkMap x_map;
  LoopLedger x_ledger;
  Outbox x_outbox;
  Inbox x_inbox;
  Receiver x_receiver;
  peers::Peers x_peers;
  presence::Watcher x_watcher;
  std::unique_ptr<presence::Announcer> x_announcer;  // to a directory on this machine only
  runtime::Alarm x_alarm;
  std::optional<traffic::Emission> x_emission;  // once registered
  std::optional<Timetable> x_polls;             // once there is a provider
  Timetable x_reports;
  std::map<std::uint64_t, InHand> x_in_hand;  // by ticket
  std::uint64_t x_tickets = 0;
  std::uint64_t x_strangers = 0;  // messages of others received; their local ids
  std::string x_obstacle;         // as last said
  bool x_overflow_said = false;
  record::DropCounts x_drops;
  LoopCounts x_told;     // to the directory, and taken by it
  LoopCounts x_telling;  // in the post under way
  std::uint64_t x_taken = 0;
};

/// Whether a directory is on this machine, by its numeric address or as `localhost`.
bool is_local(std::string_view url);

}  // namespace mix::client
