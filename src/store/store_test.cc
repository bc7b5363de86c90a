// SPDX-License-Identifier: Apache-2.0
#include "src/store/store.h"

#include <rapidcheck/boost_test.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <map>

#include "src/sphinx/tag_memory.h"
#include "src/store/test_store.h"

namespace mix::store {
namespace {

BOOST_AUTO_TEST_CASE(keys_accounts_tags_and_messages_survive_a_restart) {
  Folder folder;
  std::string node, token;
  {
    Waiting one(folder.path);
    node = to_hex(one.opened->keys.node.bytes());
    token = to_hex(one.opened->keys.token.bytes());
    BOOST_TEST(one.opened->accounts.empty());
    BOOST_TEST(one.add(address(2)));
    BOOST_TEST(one.add(address(1)));
    BOOST_TEST(one.add(address(2)));
    BOOST_TEST(one.keep(tag(7), address(1), "a"));
    BOOST_TEST(one.keep(tag(8), address(1), "b"));
    BOOST_TEST(one.keep_tag(tag(9)));
  }
  Waiting two(folder.path);
  BOOST_TEST(to_hex(two.opened->keys.node.bytes()) == node);
  BOOST_TEST(to_hex(two.opened->keys.token.bytes()) == token);
  BOOST_TEST(node != token);
  BOOST_REQUIRE(two.opened->accounts.size() == 2u);
  BOOST_TEST((two.opened->accounts[0].address == address(2)));
  BOOST_TEST(two.opened->accounts[0].waiting == 0u);
  BOOST_TEST(two.opened->accounts[1].waiting == 2u);
  BOOST_TEST((two.opened->tags == std::vector{tag(7), tag(8), tag(9)}));
  BOOST_TEST(texts(two.offer(address(1))) == "a b");
  BOOST_TEST(texts(two.offer(address(2))) == "");
}

BOOST_AUTO_TEST_CASE(files_are_private) {
  Folder folder;
  Waiting one(folder.path);
  struct stat status{};
  BOOST_REQUIRE(::stat(folder.path.c_str(), &status) == 0);
  BOOST_TEST((status.st_mode & 07777) == 0700);
  BOOST_REQUIRE(::stat((folder.path + "/provider.sqlite").c_str(), &status) == 0);
  BOOST_TEST((status.st_mode & 07777) == 0600);
}

BOOST_AUTO_TEST_CASE(what_is_out_is_not_offered_twice_and_comes_back_in_its_place) {
  Folder folder;
  Waiting one(folder.path);
  one.add(address(1));
  for (int i = 0; i < 5; ++i)
    one.keep(tag(i), address(1), std::to_string(i));
  const auto first = one.offer(address(1), 2);
  BOOST_TEST(texts(first) == "0 1");
  const auto second = one.offer(address(1), 2);
  BOOST_TEST(texts(second) == "2 3");
  BOOST_TEST(one.settle(ids(first), false));
  BOOST_TEST(texts(one.offer(address(1), 9)) == "0 1 4");
  BOOST_TEST(one.settle(ids(second), true));
  BOOST_TEST(texts(one.offer(address(1), 9)) == "");
}

BOOST_AUTO_TEST_CASE(so_many_offers_are_out_and_no_more) {
  Folder folder;
  Waiting one(folder.path);
  one.add(address(1));
  for (int i = 0; i < 30; ++i)
    one.keep(tag(i), address(1), std::to_string(i));
  const auto first = one.offer(address(1), 3);
  for (std::size_t n = 1; n < Mailboxes::kOffersOut; ++n)
    BOOST_TEST(!texts(one.offer(address(1), 3)).empty());
  BOOST_TEST(texts(one.offer(address(1), 3)) == "");
  BOOST_TEST(one.settle(ids(first), true));
  BOOST_TEST(texts(one.offer(address(1), 3)) == "24 25 26");
}

BOOST_AUTO_TEST_CASE(what_was_out_when_the_program_ended_is_offered_again) {
  Folder folder;
  {
    Waiting one(folder.path);
    one.add(address(1));
    one.keep(tag(1), address(1), "a");
    one.keep(tag(2), address(1), "b");
    one.settle({one.offer(address(1), 1)[0].id}, true);
    BOOST_TEST(texts(one.offer(address(1))) == "b");
  }
  Waiting two(folder.path);
  BOOST_TEST(texts(two.offer(address(1))) == "b");
}

BOOST_AUTO_TEST_CASE(a_message_for_nobody_is_refused_and_its_tag_with_it) {
  Folder folder;
  {
    Waiting one(folder.path);
    BOOST_TEST(!one.keep(tag(1), address(1), "a"));
    BOOST_TEST(one.keep_tag(tag(2)));
  }
  BOOST_TEST((Waiting(folder.path).opened->tags == std::vector{tag(2)}));
}

BOOST_AUTO_TEST_CASE(a_request_that_fails_does_not_take_its_neighbours_with_it) {
  Folder folder;
  Waiting one(folder.path);
  one.add(address(1));
  // Handed over together, so they are one transaction as soon as the first is under way.
  std::string answers;
  bool last = false;
  for (int i = 0; i < 20; ++i)
    one.store->keep(tag(i), Store::Letter{address(i % 2 == 0 ? 1 : 9), Bytes{'x'}},
                    [&, i](sqlite::Result<void> result) {
                      answers += result ? "+" : "-";
                      last = i == 19;
                    });
  one.store->flush();
  one.answers.wait(last);
  BOOST_TEST(answers == "+-+-+-+-+-+-+-+-+-+-");
  BOOST_TEST(one.store->queued() == 0u);
  BOOST_TEST(one.offer(address(1), 100).size() == 10u);
}

BOOST_AUTO_TEST_CASE(packets_wait_for_each_other_until_something_else_is_asked_for) {
  Folder folder;
  Waiting one(folder.path);
  one.add(address(1));
  std::string answers;
  const auto keep = [&](std::uint64_t n) {
    const std::string text = std::to_string(n);
    one.store->keep(tag(n), Store::Letter{address(1), Bytes(text.begin(), text.end())},
                    [&, text](sqlite::Result<void> result) { answers += result ? text : "-"; });
  };
  keep(1);
  keep(2);
  BOOST_TEST(one.store->unflushed() == 2u);
  BOOST_TEST(one.store->queued() == 2u);
  BOOST_TEST(texts(one.offer(address(1))) == "1 2");
  BOOST_TEST(answers == "12");
  keep(3);
  BOOST_TEST(one.store->unflushed() == 1u);
  one.store->flush();
  BOOST_TEST(one.store->unflushed() == 0u);
  BOOST_TEST(texts(one.offer(address(1))) == "3");
  BOOST_TEST(answers == "123");
}

BOOST_AUTO_TEST_CASE(what_was_not_flushed_is_kept_when_the_store_closes) {
  Folder folder;
  {
    Waiting one(folder.path);
    one.add(address(1));
    one.store->keep(tag(1), Store::Letter{address(1), Bytes{'a'}}, [](const auto&) {});
  }
  Waiting two(folder.path);
  BOOST_TEST((two.opened->tags == std::vector{tag(1)}));
  BOOST_TEST(texts(two.offer(address(1))) == "a");
}

BOOST_AUTO_TEST_CASE(an_account_takes_the_place_of_one_without_mail_or_nothing_changes) {
  Folder folder;
  {
    Waiting one(folder.path);
    one.add(address(1));
    one.add(address(2));
    one.keep(tag(1), address(1), "a");
    BOOST_TEST(!one.replace(address(1), address(3)));
    BOOST_TEST(one.replace(address(2), address(4)));
    BOOST_TEST(!one.keep(tag(2), address(2), "b"));
    BOOST_TEST(!one.keep(tag(3), address(3), "c"));
    BOOST_TEST(one.keep(tag(4), address(4), "d"));
  }
  Waiting two(folder.path);
  BOOST_REQUIRE(two.opened->accounts.size() == 2u);
  BOOST_TEST((two.opened->accounts[0].address == address(1)));
  BOOST_TEST((two.opened->accounts[1].address == address(4)));
  BOOST_TEST(texts(two.offer(address(1))) == "a");
}

BOOST_AUTO_TEST_CASE(a_second_provider_in_the_same_folder_is_refused) {
  Folder folder;
  Waiting one(folder.path);
  const pid_t child = ::fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0) {
    ports::SystemEntropy entropy;
    const auto two = Store::open(folder.path, 10, entropy, [](auto) {});
    ::_exit(!two && two.error().ends_with("in use by another provider") ? 0 : 1);
  }
  int status = 0;
  BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
  BOOST_TEST(WEXITSTATUS(status) == 0);
}

BOOST_AUTO_TEST_CASE(what_is_no_store_is_refused_by_name) {
  Folder folder;
  std::filesystem::create_directories(folder.path + "/provider.sqlite");
  ports::SystemEntropy entropy;
  const auto none = Store::open(folder.path, 10, entropy, [](auto) {});
  BOOST_REQUIRE(!none);
  BOOST_TEST(none.error().starts_with(folder.path));
  BOOST_TEST(!Store::open("/proc/no/such", 10, entropy, [](auto) {}));
}

BOOST_AUTO_TEST_CASE(tags_on_disk_are_bounded_and_the_oldest_go_first) {
  Folder folder;
  {
    Waiting one(folder.path, 10);
    for (std::uint64_t i = 0; i < 35; ++i)
      BOOST_TEST(one.keep_tag(tag(i)));
  }
  std::vector<sphinx::Tag> expected;  // the last whole generation of ten, and the five after it
  for (std::uint64_t i = 20; i < 35; ++i)
    expected.push_back(tag(i));
  Waiting two(folder.path, 10);
  BOOST_TEST((two.opened->tags == expected));
  for (std::uint64_t i = 0; i < 6; ++i)
    two.keep_tag(tag(100 + i));
  two.store.reset();
  BOOST_TEST((Waiting(folder.path, 10).opened->tags.size()) == 11u);
}

BOOST_AUTO_TEST_CASE(tags_read_back_make_the_same_memory) {
  Folder folder;
  sphinx::TagMemory before(sphinx::TagMemory::kSmallestBudget);
  const std::size_t n = before.tags_per_generation() * 2 + before.tags_per_generation() / 2;
  {
    Waiting one(folder.path, before.tags_per_generation());
    for (std::uint64_t i = 0; i < n; ++i) {
      BOOST_REQUIRE(before.remember(tag(i + 1)));
      one.keep_tag(tag(i + 1));
    }
  }
  Waiting two(folder.path, before.tags_per_generation());
  sphinx::TagMemory after(sphinx::TagMemory::kSmallestBudget);
  for (const sphinx::Tag& t : two.opened->tags)
    BOOST_REQUIRE(after.remember(t));
  BOOST_TEST(after.size() == before.size());
  for (std::uint64_t i = 0; i < n; ++i)
    BOOST_TEST(after.contains(tag(i + 1)) == before.contains(tag(i + 1)), i);
}

/// A child takes packets, hands some out and settles them, and reports each answer on a pipe; it is
/// killed at a random moment. What was answered is there; every message has its tag, and none is
/// there twice.
BOOST_AUTO_TEST_CASE(a_kill_at_any_moment_loses_nothing_that_was_answered) {
  Folder folder(true);                    // slower writes are killed in their middle more often
  std::set<std::string> stored, deleted;  // as answered, over all rounds
  unsigned chance = 12345;
  std::uint64_t next = 1;
  for (int round = 0; round < 24; ++round) {
    int answers[2];
    BOOST_REQUIRE(::pipe(answers) == 0);
    chance = chance * 1103515245 + 12345;
    const pid_t child = ::fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0) {
      ::close(answers[0]);
      Waiting one(folder.path, 100'000);
      one.add(address(1));
      if (round % 2 == 1) {  // dies of SIGALRM, in the middle of whatever it does
        const itimerval soon{{}, {0, static_cast<suseconds_t>(100 + chance % 20'000)}};
        ::setitimer(ITIMER_REAL, &soon, nullptr);
      }
      const auto say = [&](char what, const std::string& text) {
        const std::string line = what + text + "\n";
        if (::write(answers[1], line.data(), line.size()) < 0) ::_exit(1);
      };
      for (std::uint64_t i = next;; i += 40) {
        bool last = false;
        for (std::uint64_t j = i; j < i + 40; ++j) {
          one.store->keep(tag(j),
                          Store::Letter{address(1),
                                        [&] {
                                          const std::string text = std::to_string(j);
                                          return Bytes(text.begin(), text.end());
                                        }()},
                          [&, j](sqlite::Result<void> result) {
                            if (result) say('+', std::to_string(j));
                            last = j == i + 39;
                          });
          if (j % 7 == 0 || j == i + 39) one.store->flush();
        }
        one.answers.wait(last);
        const auto mail = one.offer(address(1), 3);
        const bool arrived = i / 40 % 2 == 1;
        if (arrived)  // its reply is on its way: from now on it may be gone
          for (const Mail& m : mail)
            say('?', std::string(as_text(m.body)));
        one.settle(ids(mail), arrived);
        if (arrived)
          for (const Mail& m : mail)
            say('-', std::string(as_text(m.body)));
      }
    }
    ::close(answers[1]);
    // Killed after a number of bytes, which is just after an answer, or by its own timer.
    const std::size_t bytes = round % 2 == 1 ? std::string::npos : (chance >> 8) % 3000;
    std::string heard;
    char buffer[256];
    bool killed = false;
    std::uint64_t last_number = next;
    for (ssize_t n; (n = ::read(answers[0], buffer, sizeof buffer)) > 0;) {
      heard.append(buffer, static_cast<std::size_t>(n));
      if (heard.size() >= bytes && !std::exchange(killed, true)) ::kill(child, SIGKILL);
    }
    ::close(answers[0]);
    int status = 0;
    BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
    BOOST_REQUIRE(WIFSIGNALED(status));
    std::set<std::string> perhaps;
    for (std::size_t at = 0, end; (end = heard.find('\n', at)) != std::string::npos; at = end + 1) {
      const std::string text = heard.substr(at + 1, end - at - 1);
      if (heard[at] == '+') stored.insert(text);
      if (heard[at] == '?') perhaps.insert(text);
      if (heard[at] == '-') deleted.insert(text);
      last_number = std::max<std::uint64_t>(last_number, std::stoull(text));
    }
    next = last_number + 1000;  // beyond whatever was stored and not heard of

    Waiting after(folder.path, 100'000);
    std::set<std::string> there;
    for (const Mail& m : after.offer(address(1), 1'000'000))
      BOOST_TEST(there.insert(std::string(as_text(m.body))).second, "twice");
    std::set<sphinx::Tag> tags(after.opened->tags.begin(), after.opened->tags.end());
    BOOST_TEST(tags.size() == after.opened->tags.size());
    for (const std::string& text : stored) {
      BOOST_TEST(tags.contains(tag(std::stoull(text))), "no tag of " << text);
      if (!deleted.contains(text) && !perhaps.contains(text))
        BOOST_TEST(there.contains(text), "lost " << text);
    }
    for (const std::string& text : there) {
      BOOST_TEST(tags.contains(tag(std::stoull(text))), "stored without its tag: " << text);
      BOOST_TEST(!deleted.contains(text), "came back: " << text);
    }
    for (const std::string& text : perhaps)
      if (!there.contains(text)) deleted.insert(text);
    for (const sphinx::Tag& t : tags) {
      std::uint64_t number = 0;
      for (std::size_t i = 0; i < 8; ++i)
        number |= static_cast<std::uint64_t>(t[i]) << (8 * i);
      const std::string text = std::to_string(number);
      BOOST_TEST((there.contains(text) || deleted.contains(text)), "a tag alone: " << text);
    }
  }
  BOOST_TEST(stored.size() > 100u);
  BOOST_TEST(deleted.size() > 10u);
}

const std::vector<std::string> kNone;

RC_BOOST_PROP(any_history_is_that_of_a_queue_per_account, ()) {
  Folder folder;
  auto one = std::make_unique<Waiting>(folder.path);
  std::map<int, std::vector<std::string>> waiting;  // all of an account, oldest first
  std::vector<std::pair<int, std::vector<Mail>>> out;
  const auto is_out = [&](const std::string& text) {
    for (const auto& [who, mail] : out)
      for (const Mail& m : mail)
        if (as_text(m.body) == text) return true;
    return false;
  };
  for (int n = 0; n < 40; ++n) {
    const int who = *rc::gen::inRange(1, 4);
    switch (*rc::gen::weightedElement<int>({{2, 0}, {8, 1}, {4, 2}, {3, 3}, {1, 4}})) {
      case 0:
        RC_ASSERT(one->add(address(who)));
        waiting[who];
        break;
      case 1: {
        const std::string text = std::to_string(n);
        RC_ASSERT(one->keep(tag(n), address(who), text) == waiting.contains(who));
        if (waiting.contains(who)) waiting[who].push_back(text);
        break;
      }
      case 2: {
        std::string expected;
        std::size_t count = 0;
        for (const std::string& text : waiting.contains(who) ? waiting[who] : kNone)
          if (!is_out(text) && count++ < 3) expected += (expected.empty() ? "" : " ") + text;
        auto mail = one->offer(address(who), 3);
        RC_ASSERT(texts(mail) == expected);
        if (!mail.empty()) out.emplace_back(who, std::move(mail));
        break;
      }
      case 3:
        if (out.empty()) break;
        {
          const bool arrived = *rc::gen::arbitrary<bool>();
          auto [whose, mail] = std::move(out.back());
          out.pop_back();
          RC_ASSERT(one->settle(ids(mail), arrived));
          if (arrived)
            for (const Mail& m : mail)
              std::erase(waiting[whose], as_text(m.body));
        }
        break;
      default:
        one.reset();
        one = std::make_unique<Waiting>(folder.path);
        out.clear();
    }
  }
}

}  // namespace
}  // namespace mix::store
