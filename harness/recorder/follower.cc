// SPDX-License-Identifier: Apache-2.0
#include "harness/recorder/follower.h"

#include "harness/recorder/tables.h"

namespace lab::recorder {

void Follower::follow(const Batch& batch) {
  for (const AnyRow& row : batch.rows)
    if (const auto* activation = std::get_if<ActivationRow>(&row))
      add(batch, *activation);
    else if (const auto* event = std::get_if<EventRow>(&row))
      add(batch[event->canonical]);
}

void Follower::add(const Batch& batch, const ActivationRow& row) {
  const NodeId who = row.node ? NodeId(static_cast<std::uint32_t>(*row.node)) : kNoNode;
  describe(x_event.begin(row.time, who, "activation"), digest_of(batch[row.inbox]),
           digest_of(batch[row.outbox]), row.deadline, row.entropy, batch[row.calls]);
  x_watch.event(x_chain.add(x_event));
}

void Follower::add(mix::BytesView canonical) {
  x_chain.add(canonical);
  x_watch.event(canonical);
}

}  // namespace lab::recorder
