// SPDX-License-Identifier: Apache-2.0
#include "src/traffic/hold_queue.h"

namespace mix::traffic {

void DeadlineHeap::push(Instant due, std::uint32_t slot) {
  const Entry entry{due, x_arrivals++, slot};
  x_heap.push_back(entry);
  sift_up(x_heap.size() - 1, entry);
}

std::uint32_t DeadlineHeap::pop() {
  CHECK(!x_heap.empty());
  const std::uint32_t slot = x_heap.front().slot;
  const Entry last = x_heap.back();
  x_heap.pop_back();
  if (!x_heap.empty()) sift_down(0, last);
  return slot;
}

/// Moves later parents down until `entry` fits at the hole `at`.
void DeadlineHeap::sift_up(std::size_t at, const Entry& entry) {
  while (at > 0) {
    const std::size_t parent = (at - 1) / 2;
    if (!entry.before(x_heap[parent])) break;
    x_heap[at] = x_heap[parent];
    at = parent;
  }
  x_heap[at] = entry;
}

/// Moves earlier children up until `entry` fits at the hole `at`.
void DeadlineHeap::sift_down(std::size_t at, const Entry& entry) {
  for (std::size_t child; (child = 2 * at + 1) < x_heap.size(); at = child) {
    if (child + 1 < x_heap.size() && x_heap[child + 1].before(x_heap[child])) ++child;
    if (!x_heap[child].before(entry)) break;
    x_heap[at] = x_heap[child];
  }
  x_heap[at] = entry;
}

}  // namespace mix::traffic
