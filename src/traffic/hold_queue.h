// SPDX-License-Identifier: Apache-2.0
// What a node holds until its time has come: a binary heap over (deadline, order of arrival).
//
// Says when, and gives back what was put in; knows neither what it holds nor a clock. Items with
// the same deadline come out in the order they came in, so what a node sends is a function of what
// it received.
//
// Bounds: at most `capacity` items. Their slots are allocated in blocks when first needed and
// used again ever after: an idle node stays small, a busy one does not allocate per item.
// Cost: O(log n) moves of 24 bytes; items themselves never move. Threads: none of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "src/prelude/check.h"
#include "src/prelude/instant.h"

namespace mix::traffic {

/// The order in which slots fall due. Slots are numbered 0, 1, .. and mean nothing here.
class DeadlineHeap {
 public:
  void push(Instant due, std::uint32_t slot);
  /// Takes out the earliest; not on an empty heap.
  std::uint32_t pop();

  bool empty() const { return x_heap.empty(); }
  std::size_t size() const { return x_heap.size(); }
  /// The earliest deadline and its slot; not on an empty heap.
  Instant due() const { return x_heap.front().due; }
  std::uint32_t slot() const { return x_heap.front().slot; }

 private:
  struct Entry {
    Instant due;
    std::uint64_t arrival;
    std::uint32_t slot;
    bool before(const Entry& other) const {
      return due != other.due ? due < other.due : arrival < other.arrival;
    }
  };
  void sift_up(std::size_t at, const Entry& entry);
  void sift_down(std::size_t at, const Entry& entry);

  std::vector<Entry> x_heap;
  std::uint64_t x_arrivals = 0;
};

template <class Item>
class HoldQueue {
 public:
  explicit HoldQueue(std::size_t capacity) : x_capacity(capacity) {}

  /// A slot for one item due then, to be filled by the caller (it holds what its last user left);
  /// nullptr when the queue is full.
  Item* hold(Instant due) {
    if (size() == x_capacity) return nullptr;
    if (x_free.empty()) add_block();
    const std::uint32_t slot = x_free.back();
    x_free.pop_back();
    x_heap.push(due, slot);
    return &at(slot);
  }

  /// When the earliest item is due; nullopt when nothing is held.
  std::optional<Instant> next_due() const {
    return x_heap.empty() ? std::nullopt : std::optional(x_heap.due());
  }

  /// Hands each item that is due, the earliest first, to `use`, which must not call this queue;
  /// its slot is free afterwards. At most `limit` of them. Returns how many.
  template <class Use>
  std::size_t release(Instant now, std::size_t limit, Use use) {
    std::size_t released = 0;
    for (; released < limit && !x_heap.empty() && x_heap.due() <= now; ++released) {
      const std::uint32_t slot = x_heap.slot();
      use(at(slot));
      CHECK(x_heap.pop() == slot);
      x_free.push_back(slot);
    }
    return released;
  }

  std::size_t size() const { return x_heap.size(); }
  bool full() const { return size() == x_capacity; }

 private:
  static constexpr std::size_t kBlock = 64;

  Item& at(std::uint32_t slot) { return x_blocks[slot / kBlock][slot % kBlock]; }
  void add_block() {
    const std::size_t first = x_blocks.size() * kBlock;
    x_blocks.push_back(std::make_unique<Item[]>(kBlock));
    for (std::size_t i = kBlock; i > 0; --i)
      x_free.push_back(static_cast<std::uint32_t>(first + i - 1));
  }

  std::size_t x_capacity;
  DeadlineHeap x_heap;
  std::vector<std::unique_ptr<Item[]>> x_blocks;
  std::vector<std::uint32_t> x_free;
};

}  // namespace mix::traffic
