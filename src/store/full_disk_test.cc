// SPDX-License-Identifier: Apache-2.0
// A store none of whose files may grow for a while. In a child: the limit is the process's.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>

#include "src/store/test_store.h"

namespace mix::store {
namespace {

void files_may_grow_to(rlim_t bytes) {
  const rlimit limit{bytes, RLIM_INFINITY};
  ::setrlimit(RLIMIT_FSIZE, &limit);
}

/// Not even the first page of a journal.
constexpr rlim_t kNothing = 4096;

/// Ends the child with this status, unless what has to hold does.
void demand(bool holds, int otherwise) {
  if (!holds) ::_exit(otherwise);
}

template <class Life>
int status_of_a_child(Life life) {
  const pid_t child = ::fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    life();
    ::_exit(0);
  }
  int status = 0;
  BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
  BOOST_REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

BOOST_AUTO_TEST_CASE(a_full_disk_refuses_messages_and_still_hands_out_what_it_has) {
  Folder folder;
  BOOST_TEST(status_of_a_child([&] {
               Waiting one(folder.path);
               one.add(address(1));
               one.keep(tag(1), address(1), "first");
               files_may_grow_to(200'000);
               std::uint64_t kept = 1;
               while (kept < 10'000 && one.keep(tag(kept + 1), address(1), std::string(900, 'x')))
                 ++kept;
               demand(kept < 10'000, 1);  // it was never full
               demand(texts(one.offer(address(1), 1)) == "first", 2);
               files_may_grow_to(RLIM_INFINITY);
               demand(one.keep(tag(99'999), address(1), "room again"), 3);
               one.store->close();
             }) == 0);
}

BOOST_AUTO_TEST_CASE(mail_that_arrived_while_the_disk_was_full_is_deleted_when_there_is_room) {
  Folder folder;
  BOOST_TEST(status_of_a_child([&] {
               Waiting one(folder.path);
               one.add(address(1));
               one.add(address(2));
               one.keep(tag(1), address(2), "first");
               one.keep(tag(2), address(2), "second");
               files_may_grow_to(kNothing);
               const auto mail = one.offer(address(2));
               demand(texts(mail) == "first second", 2);
               bool deleted = false;
               one.store->settle(ids(mail), true, [&](const sqlite::Result<void>& done) {
                 demand(done.has_value(), 3);
                 deleted = true;
               });
               demand(!one.keep(tag(3), address(1), "no room"), 4);
               demand(!deleted && one.offer(address(2)).empty(), 5);  // it is not mail any more
               demand(one.store->queued() == 0, 6);
               files_may_grow_to(RLIM_INFINITY);
               demand(one.keep(tag(4), address(1), "room again"), 7);
               one.answers.wait(deleted);
               ::_exit(0);  // a crash: nothing is closed
             }) == 0);
  Waiting after(folder.path);
  BOOST_TEST(texts(after.offer(address(2))) == "");
}

BOOST_AUTO_TEST_CASE(what_is_owed_is_deleted_when_the_store_closes_if_not_before) {
  Folder folder;
  BOOST_TEST(status_of_a_child([&] {
               Waiting one(folder.path);
               one.add(address(1));
               one.add(address(2));
               one.keep(tag(1), address(2), "first");
               files_may_grow_to(kNothing);
               one.store->settle(ids(one.offer(address(2))), true, [](const auto&) {});
               demand(!one.keep(tag(3), address(1), "no room"), 2);
               files_may_grow_to(RLIM_INFINITY);
               one.store->close();
             }) == 0);
  Waiting after(folder.path);
  BOOST_TEST(texts(after.offer(address(2))) == "");
}

}  // namespace
}  // namespace mix::store
