// SPDX-License-Identifier: Apache-2.0
// A running mix: listens, lets the relay decide, sends through the peers, tells the directory.
//
// Wiring only; what is decided is in relay.h, how packets are sent in peers/peers.h. A packet costs
// two wake-ups of the process: its last byte arrives, its delay is over. One alarm serves all held
// packets; a connection never waits for a packet's delay.
//
// Bounds: wire/limits.h. Threads: the loop's. The loop outlives this object; this object and what
// it is given outlive the loop's run.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <string>

#include "src/crypto/keys.h"
#include "src/mixnode/relay.h"
#include "src/peers/intake.h"
#include "src/peers/peers.h"
#include "src/ports/entropy.h"
#include "src/presence/announcer.h"
#include "src/presence/watcher.h"
#include "src/record/drop_reason.h"
#include "src/record/hop_log.h"
#include "src/runtime/alarm.h"
#include "src/runtime/loop.h"
#include "src/runtime/stream.h"

namespace mix::mixnode {

using peers::Outcome;
using peers::Parcel;
using peers::Peers;

struct Options {
  runtime::Address listen;    // port 0: a free one
  std::string announce_host;  // a name or a numeric address, told to the directory as it stands
  std::uint16_t announce_port = 0;  // 0: the port listened on
  /// What the announced name resolved to, as headers will name this node.
  runtime::Address announce_address;
  std::string directory = "http://localhost:8080";
  unsigned layer = 1;
  unsigned layers = wire::kDefaultLayers;
  std::size_t tag_memory_bytes = wire::kTagMemoryBytes;
  bool metrics = true;
};

/// What became of the packets: received = sent + dropped + waiting.
struct Tally {
  std::uint64_t received = 0;  // also such as were cut off
  std::uint64_t sent = 0;
  record::DropCounts dropped;
};

class Mixnode {
 public:
  /// Binds. The error names the address and why. The key is drawn here: a new one every start.
  static std::expected<std::unique_ptr<Mixnode>, std::string> open(runtime::Loop& loop,
                                                                   ports::Entropy& entropy,
                                                                   record::HopLog& log,
                                                                   const Options& options);
  Mixnode(const Mixnode&) = delete;
  Mixnode& operator=(const Mixnode&) = delete;

  /// Begins to serve and to announce. Once.
  void start();
  /// After the loop's run: everything still waiting is dropped as shutting_down, and recorded.
  void finish();

  const crypto::PublicKey& public_key() const { return x_keys.public_key; }
  runtime::Address listening() const { return x_listener.local(); }
  /// As the directory hears it.
  std::string announced() const;
  const Tally& tally() const { return x_tally; }
  std::size_t waiting() const { return x_relay.held() + x_peers.waiting(); }
  const Relay& relay() const { return x_relay; }

 private:
  Mixnode(runtime::Loop& loop, const crypto::KeyPair& keys, record::HopLog& log,
          const Options& options, runtime::Listener listener);

  void take(wire::PacketView packet, Instant now);
  void cut_off();
  void pump();
  void arm();
  void heard(const presence::View& view);
  void done(const Parcel& parcel, Outcome outcome);
  void refused(wire::PacketView packet, Instant now, const Refusal& refusal);
  void dropped(const Held& held, record::DropReason reason);
  void watch_tag_memory();
  std::string presence_body() const;
  std::string metrics_body();
  void record_node();

  runtime::Loop& x_loop;
  Options x_options;
  crypto::KeyPair x_keys;
  record::HopLog& x_log;
  Relay x_relay;
  Peers x_peers;
  runtime::Alarm x_alarm;
  peers::Intake x_intake;
  runtime::Listener x_listener;
  presence::Announcer x_presence;
  presence::Announcer x_metrics;
  presence::Watcher x_watcher;
  Tally x_tally;
  bool x_forgetting_said = false;
  std::uint64_t x_received_since_report = 0;
  std::map<sphinx::NodeAddress, std::uint64_t> x_sent_since_report;
};

}  // namespace mix::mixnode
