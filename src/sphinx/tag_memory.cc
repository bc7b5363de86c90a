// SPDX-License-Identifier: Apache-2.0
#include "src/sphinx/tag_memory.h"

#include <sys/mman.h>

#include <cstring>
#include <utility>

#include "src/prelude/check.h"

namespace mix::sphinx {
namespace {

__extension__ typedef unsigned __int128 Wide;

constexpr Tag kEmpty{};
constexpr std::size_t kFirstSlots = 4096;  // 64 KiB
// A chain of a linear probe grows with the square of 1 / (1 - load): at 3/4 a miss looks at 8
// slots, which is 2 or 3 cache lines.
constexpr std::size_t kLoadNumerator = 3, kLoadDenominator = 4;
// A generation that doubles has moved by the time it has to double again if every insertion moves
// at least 4/3 of its slots.
constexpr std::size_t kSlotsPerMove = 4;

constexpr std::size_t capacity_of(std::size_t slots) {
  return slots / kLoadDenominator * kLoadNumerator;
}

/// Tags sorted by their first 8 bytes are sorted by their home slot too, in a table of any size: so
/// moving a table in order writes the next one in order, page after page.
std::size_t home_slot(const Tag& tag, std::size_t slots) {
  std::uint64_t head = 0;
  for (std::size_t i = 0; i < sizeof head; ++i)
    head = head << 8 | tag[i];
  return static_cast<std::size_t>(Wide{head} * slots >> 64);
}

}  // namespace

TagMemory::Slots::Slots(std::size_t count) {
  // Without a reservation of swap: most of the pages are never written.
  void* pages = ::mmap(nullptr, count * sizeof(Tag), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK(pages != MAP_FAILED, "no memory for tags:", count * sizeof(Tag), "bytes");
  x_slots = {static_cast<Tag*>(pages), count};
}

TagMemory::Slots::Slots(Slots&& other) noexcept : x_slots(std::exchange(other.x_slots, {})) {}

TagMemory::Slots& TagMemory::Slots::operator=(Slots&& other) noexcept {
  std::swap(x_slots, other.x_slots);
  Slots(std::move(other));  // what was here goes now, not when `other` does
  return *this;
}

TagMemory::Slots::~Slots() {
  if (!x_slots.empty()) ::munmap(x_slots.data(), x_slots.size_bytes());
}

bool TagMemory::Slots::contains(const Tag& tag) const {
  if (x_slots.empty()) return false;
  for (std::size_t i = home_slot(tag, count()); x_slots[i] != kEmpty;
       i = i + 1 == count() ? 0 : i + 1)
    if (x_slots[i] == tag) return true;
  return false;
}

void TagMemory::Slots::insert(const Tag& tag) {
  std::size_t i = home_slot(tag, count());
  while (x_slots[i] != kEmpty)
    i = i + 1 == count() ? 0 : i + 1;
  x_slots[i] = tag;
}

bool TagMemory::Generation::contains(const Tag& tag) const {
  if (tag == kEmpty) return has_zero_tag;
  return slots.contains(tag) || outgrown.contains(tag);
}

std::size_t TagMemory::Generation::allocated() const {
  return (slots.count() + outgrown.count()) * sizeof(Tag);
}

TagMemory::TagMemory(std::size_t budget_bytes)
    : x_slots_at_most(budget_bytes / 2 / sizeof(Tag)), x_capacity(capacity_of(x_slots_at_most)) {
  CHECK(budget_bytes >= kSmallestBudget, budget_bytes, "bytes are too few for tags");
  std::size_t first = x_slots_at_most;
  while (first / 2 >= kFirstSlots)
    first /= 2;
  x_younger.slots = Slots(first);
}

bool TagMemory::contains(const Tag& tag) const {
  return x_younger.contains(tag) || x_older.contains(tag);
}

bool TagMemory::remember(const Tag& tag) {
  if (contains(tag)) return false;
  make_room();
  if (tag == kEmpty)
    x_younger.has_zero_tag = true;
  else
    x_younger.slots.insert(tag);
  ++x_younger.size;
  move_some();
  return true;
}

void TagMemory::make_room() {
  if (x_younger.size == x_capacity) {
    if (x_older.size > 0) ++x_forgotten;
    x_older = std::move(x_younger);
    x_younger = Generation{};
    // One generation filled up: the node is busy, and this one will too.
    x_younger.slots = Slots(x_slots_at_most);
  } else if (x_younger.size >= capacity_of(x_younger.slots.count())) {
    CHECK(x_younger.outgrown.count() == 0, x_younger.moved, x_younger.size);
    const std::size_t grown = std::min(2 * x_younger.slots.count() + 1, x_slots_at_most);
    x_younger.outgrown = std::exchange(x_younger.slots, Slots(grown));
    x_younger.moved = 0;
  }
}

void TagMemory::move_some() {
  Slots& from = x_younger.outgrown;
  for (std::size_t n = 0; n < kSlotsPerMove && x_younger.moved < from.count(); ++n) {
    const Tag& tag = from[x_younger.moved++];
    if (tag != kEmpty) x_younger.slots.insert(tag);
  }
  if (x_younger.moved == from.count()) from = Slots();
}

std::size_t TagMemory::size() const {
  return x_younger.size + x_older.size;
}

std::size_t TagMemory::allocated_bytes() const {
  return x_younger.allocated() + x_older.allocated();
}

}  // namespace mix::sphinx
