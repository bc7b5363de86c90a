// SPDX-License-Identifier: Apache-2.0
#include "src/provider/replies.h"

#include <boost/test/unit_test.hpp>

#include "src/provider/test_mail.h"
#include "src/wire/limits.h"

namespace mix::provider {
namespace {

using Mail = std::vector<std::int64_t>;
constexpr Instant kStart{1h};

BOOST_AUTO_TEST_CASE(a_reply_that_ends_in_time_has_its_mail) {
  Replies replies;
  const auto out = replies.begin(client(1), {1, 2}, kStart, [] { BOOST_ERROR("broken off"); });
  const auto back = replies.take_back(client(1), kStart + wire::kStalledReply - 1ns);
  BOOST_TEST(back.replies == 0u);
  BOOST_TEST((replies.end(out) == Mail{1, 2}));
  BOOST_TEST(!replies.end(out));
  BOOST_TEST(replies.take_back(client(1), kStart + 1h).replies == 0u);
}

BOOST_AUTO_TEST_CASE(what_stalls_is_broken_off_once_and_its_mail_taken_back) {
  Replies replies;
  std::string broken;
  const auto first = replies.begin(client(1), {1, 2}, kStart, [&] { broken += "1"; });
  const auto second = replies.begin(client(1), {3}, kStart + 1s, [&] { broken += "2"; });
  const auto third = replies.begin(client(1), {4}, kStart + 2s, [&] { broken += "3"; });
  const auto other = replies.begin(client(2), {5}, kStart, [&] { broken += "other"; });
  const auto back = replies.take_back(client(1), kStart + 1s + wire::kStalledReply);
  BOOST_TEST(back.replies == 2u);
  BOOST_TEST((back.mail == Mail{1, 2, 3}));
  BOOST_TEST(broken == "12");
  BOOST_TEST(!replies.end(first));
  BOOST_TEST(!replies.end(second));
  BOOST_TEST((replies.end(third) == Mail{4}));
  BOOST_TEST((replies.end(other) == Mail{5}));
}

}  // namespace
}  // namespace mix::provider
