// SPDX-License-Identifier: Apache-2.0
// A mix that keeps every promise but one. Made of the mix's own parts, wired anew, so that nothing
// in src/ has to know that it can be broken. Less careful than nym-mixnode where no check looks.
// Threads: the loop's.
#pragma once

#include <string>

#include "pytests/mutants/mixnode/promises.h"
#include "src/crypto/keys.h"
#include "src/mixnode/neighbours.h"
#include "src/peers/peers.h"
#include "src/ports/entropy.h"
#include "src/presence/announcer.h"
#include "src/presence/watcher.h"
#include "src/record/hop_log.h"
#include "src/runtime/alarm.h"
#include "src/sphinx/packet.h"
#include "src/sphinx/tag_memory.h"
#include "src/traffic/hold_queue.h"

namespace mutants {

class Mutant {
 public:
  struct Options {
    Promise broken = Promise::none;
    std::string host;  // announced, and what it resolved to listened on
    mix::runtime::Address listen;
    std::string directory;
    unsigned layer = 1;
    unsigned layers = 3;
  };
  Mutant(mix::runtime::Loop& loop, mix::ports::Entropy& entropy, mix::record::HopLog& log,
         mix::runtime::Listener listener, const Options& options);

  void start();

 private:
  struct Held {
    mix::sphinx::Packet packet;
    mix::peers::Parcel parcel;
    std::uint64_t number = 0;
  };

  mix::runtime::Task<> serve(mix::runtime::Stream stream);
  void take(const mix::sphinx::Packet& packet);
  bool is_new(const mix::sphinx::Packet& packet, const mix::sphinx::Tag& tag);
  mix::Instant due(mix::Instant now, mix::Duration delay);
  void drop(const mix::peers::Parcel& parcel, mix::record::DropReason reason);
  void pump();
  void send(Held& held);
  void done(const mix::peers::Parcel& parcel, mix::peers::Outcome outcome);
  void heard(const mix::presence::View& view);
  bool breaks(Promise promise) const { return x_options.broken == promise; }

  mix::runtime::Loop& x_loop;
  mix::record::HopLog& x_log;
  Options x_options;
  mix::runtime::Listener x_listener;
  mix::crypto::KeyPair x_keys;
  mix::sphinx::Peeler x_peeler;
  mix::sphinx::TagMemory x_tags;
  mix::mixnode::Neighbours x_neighbours;
  mix::traffic::HoldQueue<Held> x_held;
  mix::peers::Peers x_peers;
  mix::runtime::Alarm x_alarm;
  mix::presence::Announcer x_presence;
  mix::presence::Watcher x_watcher;
  std::uint64_t x_taken = 0;
};

}  // namespace mutants
