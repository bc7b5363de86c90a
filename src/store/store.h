// SPDX-License-Identifier: Apache-2.0
// All that a provider must not lose, in one SQLite database under its folder, written on a thread
// of its own so that the loop never waits for a disk.
//
// Requests are carried out in the order in which they were made. Packets to be kept wait until
// somebody asks for something else, or the caller flushes. Whatever was made while the disk was
// busy with the last transaction is one transaction (so load makes commits larger, not more
// frequent), and is answered when that is durable, on the loop and in order. A packet's tag and
// its message are in one transaction. If a transaction fails (a full disk), its requests are tried
// one by one, and those that fail are answered so; the store goes on. Only mail that arrived has to
// be deleted all the same, or it would be handed out again after a restart: such deletions are
// owed, tried again whenever something else could be written, and answered when they are made.
// One program at a time: a second one is refused when it opens. Bounds: the caller counts what it
// keeps waiting (queued()). Threads: everything here is called from the loop's; `post` must bring
// a function back there.
#pragma once

#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "src/ports/entropy.h"
#include "src/sphinx/packet.h"
#include "src/store/accounts.h"
#include "src/store/mailbox.h"

namespace mix::store {

class Store {
 public:
  /// Runs a function on the loop, from any thread: `loop.post`.
  using Post = std::function<void(std::move_only_function<void()>)>;
  template <class T>
  using Done = std::move_only_function<void(sqlite::Result<T>)>;

  struct Opened {
    Keys keys;
    std::vector<Account> accounts;  ///< in order of registration
    std::vector<sphinx::Tag> tags;  ///< older first
  };

  /// Makes the folder (0700) and the database (0600) where there are none. The error names the
  /// file. `tags_per_generation` is TagMemory's. With `dated`, which is the time now, messages are
  /// dated so that they can expire; those that were not count as kept now.
  static std::expected<std::unique_ptr<Store>, std::string> open(
      const std::string& folder, std::size_t tags_per_generation, ports::Entropy& entropy,
      Post post, std::optional<WallTime> dated = std::nullopt);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// What the database held. Once: it is given away.
  Opened take_opened();

  void add_account(const wire::ClientAddress& address, Done<void> done);
  /// The same, in the place of one without mail: both or none.
  void replace_account(const wire::ClientAddress& old, const wire::ClientAddress& address,
                       Done<void> done);
  /// A packet that was taken: its tag alone, or with its message for an account.
  struct Letter {
    wire::ClientAddress to;
    Bytes body;
    WallTime kept{};  ///< where messages are dated
  };
  /// Waits for flush(), or for any other request.
  void keep(const sphinx::Tag& tag, std::optional<Letter> letter, Done<void> done);
  /// Begins with what waits.
  void flush();
  /// Packets that wait for it.
  std::size_t unflushed() const;
  /// The oldest messages of an account that are not out on another reply.
  void offer(const wire::ClientAddress& to, std::size_t limit, Done<std::vector<Mail>> done);
  /// What became of offered messages: deleted when they arrived, offered again otherwise. While the
  /// disk is full, the answer for those that arrived waits until it is not.
  void settle(std::vector<std::int64_t> ids, bool arrived, Done<void> done);
  /// Deletes what was kept before, of so many of the oldest messages; whose each was. Only where
  /// messages are dated.
  void expire(WallTime before, std::size_t limit, Done<std::vector<wire::ClientAddress>> done);

  /// Requests not yet answered.
  std::size_t queued() const;
  /// Carries out everything requested, and closes the file. Answers are still posted.
  void close();

  struct Impl;  // for store.cc only

 private:
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> x;
};

}  // namespace mix::store
