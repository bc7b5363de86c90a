// SPDX-License-Identifier: Apache-2.0
#include "src/sphinx/tag_memory.h"

#include <rapidcheck/boost_test.h>
#include <boost/test/unit_test.hpp>

#include <deque>
#include <set>

#include "src/crypto/generator.h"

using namespace mix;
using namespace mix::sphinx;

namespace {

/// What tag_memory.h says, said with sets.
class Model {
 public:
  explicit Model(std::size_t capacity) : x_capacity(capacity) {}
  bool contains(const Tag& tag) const { return x_younger.contains(tag) || x_older.contains(tag); }
  bool remember(const Tag& tag) {
    if (contains(tag)) return false;
    if (x_younger.size() == x_capacity) {
      forgotten += !x_older.empty();
      x_older = std::exchange(x_younger, {});
    }
    x_younger.insert(tag);
    return true;
  }
  std::size_t size() const { return x_younger.size() + x_older.size(); }
  std::uint64_t forgotten = 0;

 private:
  std::size_t x_capacity;
  std::set<Tag> x_younger, x_older;
};

/// Tags near each other, at both ends of the table, and anywhere.
Tag any_tag(crypto::Generator& chance) {
  Tag tag = chance.array<16>();
  switch (chance.below(8)) {
    case 0:
      std::fill_n(tag.begin(), 8, std::uint8_t{0xff});
      tag[15] = static_cast<std::uint8_t>(tag[15] & 3);
      std::fill_n(tag.begin() + 8, 7, std::uint8_t{0});
      break;
    case 1:
      std::fill_n(tag.begin(), 15, std::uint8_t{0});
      tag[15] = static_cast<std::uint8_t>(tag[15] & 3);  // one of them is the all-zero tag
      break;
    default:
      break;
  }
  return tag;
}

}  // namespace

// Budgets such that tables begin small, begin at their full size, or double once and a half.
RC_BOOST_PROP(tag_memory_does_what_two_sets_do, (std::uint8_t seed)) {
  const auto budget = *rc::gen::element<std::size_t>(4096, 5000, 40'000, 262'144, 270'001, 300'000);
  crypto::Generator chance(ByteArray<32>{seed}, "tags");
  TagMemory memory(budget);
  Model model(memory.tags_per_generation());
  std::deque<Tag> recent;
  const std::size_t rounds = 4 * memory.tags_per_generation();
  for (std::size_t i = 0; i < rounds; ++i) {
    const bool again = !recent.empty() && chance.below(4) == 0;
    const Tag tag = again ? recent[chance.below(recent.size())] : any_tag(chance);
    RC_ASSERT(memory.contains(tag) == model.contains(tag));
    RC_ASSERT(memory.remember(tag) == model.remember(tag));
    RC_ASSERT(memory.contains(tag));
    recent.push_back(tag);
    if (recent.size() > rounds / 3) recent.pop_front();
    RC_ASSERT(memory.allocated_bytes() <= budget);
  }
  RC_ASSERT(memory.size() == model.size());
  RC_ASSERT(memory.forgotten_generations() == model.forgotten);
  RC_ASSERT(model.forgotten > 0);
}

BOOST_AUTO_TEST_CASE(every_tag_within_the_window_is_known_while_tables_grow) {
  TagMemory memory(4 << 20);
  crypto::Generator chance(ByteArray<32>{7}, "tags");
  std::vector<Tag> tags(memory.tags_per_generation());
  for (std::size_t i = 0; i < tags.size(); ++i) {
    tags[i] = chance.array<16>();
    BOOST_REQUIRE(memory.remember(tags[i]));
    // The first, the middle, and the last before this one, at every step of every move.
    for (std::size_t known : {std::size_t{0}, i / 2, i == 0 ? 0 : i - 1})
      BOOST_REQUIRE(!memory.remember(tags[known]));
  }
  for (const Tag& tag : tags)
    BOOST_REQUIRE(memory.contains(tag));
  BOOST_TEST(memory.size() == tags.size());
  BOOST_TEST(memory.forgotten_generations() == 0u);
}

BOOST_AUTO_TEST_CASE(the_default_budget_holds_a_million_and_a_half_tags_per_generation) {
  const TagMemory memory;
  BOOST_TEST(memory.tags_per_generation() == 1'572'864u);
  BOOST_TEST(memory.allocated_bytes() == 65'536u);  // idle
}

BOOST_AUTO_TEST_CASE(moving_a_memory_takes_its_tags_along) {
  TagMemory memory(1 << 20);
  BOOST_TEST(memory.remember(Tag{1}));
  TagMemory moved(std::move(memory));
  BOOST_TEST(!moved.remember(Tag{1}));
  memory = TagMemory(1 << 20);
  BOOST_TEST(memory.remember(Tag{1}));
}
