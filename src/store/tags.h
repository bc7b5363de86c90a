// SPDX-License-Identifier: Apache-2.0
// The tags of packets taken under the node's key, on disk: what a TagMemory (sphinx/tag_memory.h)
// forgets when the program ends, this gives back when it starts.
//
// Two tables, as the memory has two generations, each of at most as many tags as one of the
// memory's: when the younger is full the older is emptied and takes its place. So disk is bounded
// as memory is, and a restart makes the window no shorter.
// Synchronous; one connection, the storage thread's. Errors are SQLite's.
#pragma once

#include <cstdint>
#include <functional>

#include "src/sphinx/packet.h"
#include "src/sqlite/database.h"

namespace mix::store {

class Tags {
 public:
  static sqlite::Result<Tags> open(sqlite::Database& db, std::size_t per_generation);

  /// Calls `use` with every tag, those of the older generation first.
  sqlite::Result<void> each(const std::function<void(const sphinx::Tag&)>& use);
  /// The caller knows that it is new.
  sqlite::Result<void> remember(const sphinx::Tag& tag);
  /// How often the older generation was emptied since opening.
  std::uint64_t forgotten() const { return x_now.forgotten; }

  /// Around a transaction: the counts follow the database when that rolls back.
  void begin() { x_before = x_now; }
  void roll_back() { x_now = x_before; }

 private:
  struct State {
    int young = 0;           // which of the two tables
    std::uint64_t size = 0;  // tags in it
    std::uint64_t forgotten = 0;
  };
  Tags(sqlite::Database& db, sqlite::Statement insert_0, sqlite::Statement insert_1,
       std::size_t per_generation, State now)
      : x_db(&db),
        x_insert{std::move(insert_0), std::move(insert_1)},
        x_per_generation(per_generation),
        x_now(now),
        x_before(now) {}
  sqlite::Result<void> change_generation();

  sqlite::Database* x_db;
  sqlite::Statement x_insert[2];
  std::size_t x_per_generation;
  State x_now, x_before;
};

}  // namespace mix::store
