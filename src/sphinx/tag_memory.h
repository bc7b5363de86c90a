// SPDX-License-Identifier: Apache-2.0
// What refuses a packet seen before. Exact: no false refusals, and within the window no misses.
//
// Two generations of tags share a budget of bytes. New tags go into the younger; when that is full
// the older is forgotten and the younger takes its place. So a node refuses every resend among its
// last tags_per_generation() packets at least, and twice that at most: that is the replay window.
// A resend of a tag in the older generation does not refresh it.
//
// A generation is one open-addressed array of 16-byte slots, an all-zero slot being empty. The
// first begins at 4096 slots and doubles, a few slots moved at each insertion so that no packet
// waits for it; pages nobody wrote cost nothing, so an idle node stays small. Tags must be spread
// evenly and beyond a stranger's choice (Peeler's are keyed hashes): the first 8 bytes are the
// slot's number. Bounds: the budget, at least kSmallestBudget (CHECKed). No I/O, not persistent.
// One thread.
#pragma once

#include <cstdint>
#include <span>

#include "src/sphinx/packet.h"

namespace mix::sphinx {

class TagMemory {
 public:
  static constexpr std::size_t kDefaultBudget = std::size_t{64} << 20;
  static constexpr std::size_t kSmallestBudget = std::size_t{4} << 10;

  explicit TagMemory(std::size_t budget_bytes = kDefaultBudget);

  /// True when the tag is new, and from now on it is not; false when it was seen before.
  /// Call it only for a packet whose MAC held, or strangers fill the memory with nothing.
  [[nodiscard]] bool remember(const Tag& tag);
  bool contains(const Tag& tag) const;

  /// How often the older generation was forgotten.
  std::uint64_t forgotten_generations() const { return x_forgotten; }
  /// The replay window's guaranteed part, in packets.
  std::size_t tags_per_generation() const { return x_capacity; }
  /// Tags known now.
  std::size_t size() const;
  /// Bytes of address space held now; never above the budget.
  std::size_t allocated_bytes() const;

 private:
  /// Anonymous zero pages, returned to the system when it goes.
  class Slots {
   public:
    Slots() = default;
    explicit Slots(std::size_t count);
    Slots(Slots&& other) noexcept;
    Slots& operator=(Slots&& other) noexcept;
    ~Slots();

    std::size_t count() const { return x_slots.size(); }
    bool contains(const Tag& tag) const;
    /// The tag is not in here yet, and a slot is free.
    void insert(const Tag& tag);
    const Tag& operator[](std::size_t i) const { return x_slots[i]; }

   private:
    std::span<Tag> x_slots;
  };
  struct Generation {
    Slots slots;
    Slots outgrown;             // what `slots` replaces; emptied step by step
    std::size_t moved = 0;      // slots of `outgrown` already in `slots`
    std::size_t size = 0;       // tags, the all-zero one included
    bool has_zero_tag = false;  // an all-zero slot means empty, so this tag is kept apart
    bool contains(const Tag& tag) const;
    std::size_t allocated() const;
  };

  void make_room();
  void move_some();

  std::size_t x_slots_at_most;  // of one generation
  std::size_t x_capacity;
  Generation x_younger;
  Generation x_older;
  std::uint64_t x_forgotten = 0;
};

}  // namespace mix::sphinx
