// SPDX-License-Identifier: Apache-2.0
// Makes the chain of a run that is not written down, and shows every event to a watch. On the
// writer's thread.
#pragma once

#include "harness/model/event.h"
#include "harness/recorder/watch.h"

namespace lab::recorder {

class Follower {
 public:
  explicit Follower(ChainWatch& watch) : x_watch(watch) {}
  void follow(const Batch& batch);
  std::string chain() const { return x_chain.hex(); }

 private:
  void add(const Batch& batch, const ActivationRow& row);
  void add(mix::BytesView canonical);

  ChainWatch& x_watch;
  EventBuilder x_event;
  Chain x_chain;
};

}  // namespace lab::recorder
