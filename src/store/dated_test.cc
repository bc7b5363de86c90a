// SPDX-License-Identifier: Apache-2.0
// Mail that expires, and files of providers whose mail did not.
#include <boost/test/unit_test.hpp>

#include "src/store/test_store.h"

namespace mix::store {
namespace {

constexpr WallTime kThen{1'000'000s};

BOOST_AUTO_TEST_CASE(what_was_kept_before_expires_oldest_first_and_the_rest_stays) {
  Folder folder;
  Waiting one(folder.path, 1000, kThen);
  one.add(address(1));
  one.add(address(2));
  one.keep(tag(1), address(1), "a", kThen);
  one.keep(tag(2), address(2), "b", kThen + 10s);
  one.keep(tag(3), address(1), "c", kThen + 20s);
  one.keep(tag(4), address(1), "d", kThen + 30s);
  BOOST_TEST(one.expire(kThen, 100).empty());
  BOOST_TEST((one.expire(kThen + 30s, 2) == std::vector{address(1), address(2)}));
  BOOST_TEST((one.expire(kThen + 30s, 100) == std::vector{address(1)}));
  BOOST_TEST(texts(one.offer(address(1))) == "d");
  BOOST_TEST(texts(one.offer(address(2))) == "");
}

BOOST_AUTO_TEST_CASE(what_is_out_on_a_reply_does_not_expire_under_it) {
  Folder folder;
  Waiting one(folder.path, 1000, kThen);
  one.add(address(1));
  one.keep(tag(1), address(1), "a", kThen);
  one.keep(tag(2), address(1), "b", kThen);
  const auto out = one.offer(address(1), 1);
  BOOST_TEST((one.expire(kThen + 1s, 100) == std::vector{address(1)}));
  BOOST_TEST(one.settle(ids(out), false));
  BOOST_TEST(texts(one.offer(address(1))) == "a");
}

BOOST_AUTO_TEST_CASE(a_file_from_before_opens_with_an_age_and_without_and_with_again) {
  Folder folder;
  std::string node;
  {
    Waiting before(folder.path);
    node = to_hex(before.opened->keys.node.bytes());
    before.add(address(1));
    before.keep(tag(1), address(1), "from before");
  }
  {
    Waiting dated(folder.path, 1000, kThen);  // what was there counts from now on
    BOOST_TEST(to_hex(dated.opened->keys.node.bytes()) == node);
    BOOST_TEST(dated.opened->accounts.at(0).waiting == 1u);
    BOOST_TEST(dated.expire(kThen, 100).empty());
    dated.keep(tag(2), address(1), "dated", kThen + 1s);
  }
  {
    Waiting undated(folder.path);
    undated.keep(tag(3), address(1), "undated");
  }
  Waiting again(folder.path, 1000, kThen + 10s);
  BOOST_TEST(again.opened->tags.size() == 3u);
  BOOST_TEST(again.expire(kThen + 10s, 100).size() == 2u);
  BOOST_TEST(texts(again.offer(address(1))) == "undated");
}

/// So that an older program can still open it.
BOOST_AUTO_TEST_CASE(a_file_whose_mail_never_expired_is_as_it_was) {
  Folder folder;
  const auto version = [&] {
    auto db = sqlite::Database::open(folder.path + "/provider.sqlite",
                                     sqlite::Database::Mode::read_write);
    return db->integer("PRAGMA user_version").value();
  };
  Waiting(folder.path).add(address(1));
  BOOST_TEST(version() == 1);
  Waiting(folder.path, 1000, kThen).add(address(2));
  BOOST_TEST(version() == 2);
  Waiting(folder.path).add(address(3));
  BOOST_TEST(version() == 2);
}

}  // namespace
}  // namespace mix::store
