// SPDX-License-Identifier: Apache-2.0
#include <boost/test/unit_test.hpp>

#include "src/client/inbox.h"
#include "src/client/outbox.h"

using namespace mix;
using namespace mix::client;

namespace {

Message message(std::size_t n) {
  const std::string text = std::to_string(n);
  return {{}, {text.begin(), text.end()}};
}

}  // namespace

BOOST_AUTO_TEST_CASE(messages_leave_the_outbox_in_order) {
  Outbox box;
  BOOST_TEST(box.front() == nullptr);
  for (std::size_t n = 0; n < 3; ++n)
    BOOST_TEST(box.put(message(n)));
  for (std::size_t n = 0; n < 3; ++n) {
    BOOST_TEST((*box.front() == message(n)));
    BOOST_TEST((box.take() == message(n)));
    box.sent();
  }
  BOOST_TEST(box.front() == nullptr);
}

BOOST_AUTO_TEST_CASE(the_thousand_and_first_message_is_refused) {
  Outbox box;
  for (std::size_t n = 0; n < 1000; ++n)
    BOOST_REQUIRE(box.put(message(n)));
  BOOST_TEST(!box.put(message(1000)));
  const Message in_hand = box.take();
  BOOST_TEST(!box.put(message(1000)));  // still ours until the network has it
  box.sent();
  BOOST_TEST(box.put(message(1000)));
}

BOOST_AUTO_TEST_CASE(a_message_that_could_not_be_sent_is_the_next_again) {
  Outbox box;
  BOOST_TEST(box.put(message(0)));
  BOOST_TEST(box.put(message(1)));
  box.failed(box.take());
  BOOST_TEST((*box.front() == message(0)));
  BOOST_TEST(box.size() == 2u);
}

BOOST_AUTO_TEST_CASE(equal_messages_are_all_kept) {
  Inbox box;
  box.put({1});
  box.put({1});
  BOOST_TEST(box.fetch().size() == 2u);
  BOOST_TEST(box.fetch().empty());
}

BOOST_AUTO_TEST_CASE(an_inbox_nobody_reads_forgets_the_oldest) {
  Inbox box;
  for (std::size_t n = 0; n < Inbox::kCapacity + 5; ++n)
    box.put(message(n).text);
  BOOST_TEST(box.size() == Inbox::kCapacity);
  BOOST_TEST(box.overflowed() == 5u);
  BOOST_TEST((box.fetch().front() == message(5).text));
}

BOOST_AUTO_TEST_CASE(a_fetch_takes_what_one_reply_carries_and_the_next_the_rest) {
  Inbox box;
  constexpr std::size_t kMessages = 5000;  // 4.9 MB
  for (std::size_t n = 0; n < kMessages; ++n)
    box.put(Bytes(975, static_cast<std::uint8_t>(n)));
  std::size_t fetched = 0;
  std::size_t fetches = 0;
  while (box.size() > 0) {
    const auto part = box.fetch();
    BOOST_REQUIRE(!part.empty());
    BOOST_REQUIRE(part.size() * 975 <= Inbox::kMaxFetchBytes);
    for (const Bytes& each : part)
      BOOST_REQUIRE_EQUAL(each[0], static_cast<std::uint8_t>(fetched++));
    ++fetches;
  }
  BOOST_TEST(fetched == kMessages);
  BOOST_TEST(fetches == 3u);

  for (std::size_t n = 0; n < Inbox::kMaxFetchMessages + 1; ++n)
    box.put({});
  BOOST_TEST(box.fetch().size() == Inbox::kMaxFetchMessages);
  BOOST_TEST(box.fetch().size() == 1u);
}
