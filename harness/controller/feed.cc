// SPDX-License-Identifier: Apache-2.0
// One program alone: the same process, shim and kernel as in a run, but its turns come from a
// recording instead of an agenda, and nothing that it sends goes anywhere.
#include <cstring>

#include "harness/controller/host_state.h"
#include "harness/controller/impl.h"

namespace lab::controller {

bool Controller::Impl::feed_start(Node& node) {
  now = ns(node.spec.start);
  return spawn(node);
}

bool Controller::Impl::feed(Node& node, const Feed& feed) {
  if (node.phase == Phase::over) {
    stop_run(StopKind::internal, &node, "it was fed after its end");
    return false;
  }
  now = ns(feed.time);
  lab_control& c = *node.control;
  if (feed.inbox.size() > LAB_INBOX_SIZE ||
      (!feed.host.empty() && !unpack(feed.host, {}, *host_of(node).kernel))) {
    stop_run(StopKind::internal, &node, "its recorded input is none that this lab could have made");
    return false;
  }
  std::memcpy(node.arena.at(LAB_INBOX_OFFSET), feed.inbox.data(), feed.inbox.size());
  c.inbox_size = feed.inbox.size();
  c.clock_offset_ns = feed.clock_offset_ns;
  c.now_ns = now;
  if (!hand_over({index(node.id)})) return false;
  report_activation(node);
  c.inbox_size = 0;
  const std::uint32_t state = c.state;
  take_fed_outbox(node);
  c.outbox_size = 0;
  if (state == LAB_STATE_STOPPED) report_stop(node);
  if (state == LAB_STATE_EXITED) reap(node);
  return !stopped;
}

void Controller::Impl::take_fed_outbox(Node& node) {
  const std::uint8_t* outbox = node.arena.at(LAB_OUTBOX_OFFSET);
  const std::uint64_t size = node.control->outbox_size;
  for (std::uint64_t at = 0; at < size;) {
    lab_entry e;
    std::memcpy(&e, outbox + at, sizeof(e));
    const std::uint8_t* payload = outbox + at + sizeof(e);
    at += LAB_ENTRY_SPACE(e.size);
    const int descriptor = static_cast<int>(e.id);
    if (e.kind == LAB_OUT_WRITE && e.id <= 2)
      observer.log_bytes(at_ns(now), node.id, descriptor, {payload, e.size});
    else if (e.kind == LAB_OUT_WRITE)
      observer.record_bytes(at_ns(now), node.id, descriptor, {payload, e.size});
    else if (e.kind == LAB_OUT_NOTE)
      observer.note(at_ns(now), node.id, {reinterpret_cast<const char*>(payload), e.size});
    else if (e.kind == LAB_OUT_EXIT)
      end_node(node, static_cast<int>(e.value), false);
  }
}

std::expected<void, Stop> Controller::feed_start(NodeId id, mix::BytesView host,
                                                 std::span<const FileNumber> files) {
  Node& node = x->node_of(id);
  if (!unpack(host, files, *x->host_of(node).kernel))
    x->stop_run(StopKind::internal, &node, "its host's recorded state cannot be read");
  if (!x->stopped && x->feed_start(node)) return {};
  return std::unexpected(*x->stopped);
}

std::expected<void, Stop> Controller::feed(NodeId id, const Feed& feed) {
  if (!x->stopped && x->feed(x->node_of(id), feed)) return {};
  return std::unexpected(*x->stopped);
}

int Controller::process_id(NodeId id) const {
  return x->node_of(id).pid;
}

void Controller::stop_in_debugger(NodeId id) {
  if (lab_control* control = x->node_of(id).control) control->flags |= LAB_FLAG_DEBUG_STOP;
}

}  // namespace lab::controller
