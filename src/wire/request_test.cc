// SPDX-License-Identifier: Apache-2.0
#include "src/wire/request.h"

#include <rapidcheck/boost_test.h>

#include <boost/test/unit_test.hpp>
#include <string>

namespace mix::wire {
namespace {

BOOST_AUTO_TEST_CASE(requests_are_the_bytes_originals_send) {
  ClientAddress address;
  AuthToken token;
  address.fill(0xaa);
  token.fill(0xbb);
  const Bytes ask = encode(RegisterRequest{address});
  BOOST_TEST(to_hex(ask) == "0001" + to_hex(address));
  const Bytes pull = encode(PullRequest{address, token});
  BOOST_TEST(to_hex(pull) == "0100" + to_hex(address) + to_hex(token));
  BOOST_TEST((parse_request(ask) == Request(RegisterRequest{address})));
  BOOST_TEST((parse_request(pull) == Request(PullRequest{address, token})));
}

BOOST_AUTO_TEST_CASE(a_request_of_any_other_length_or_prefix_is_none) {
  Bytes pull = encode(PullRequest{});
  for (std::size_t n = 0; n < pull.size(); ++n)
    BOOST_TEST(!parse_request(BytesView(pull).first(n)), n);
  pull.push_back(0);
  BOOST_TEST(!parse_request(pull));
  Bytes ask = encode(RegisterRequest{});
  ask.push_back(0);
  BOOST_TEST(!parse_request(ask));
  BOOST_TEST((request_size(Bytes{0, 1}) == std::optional<std::size_t>(34)));
  BOOST_TEST((request_size(Bytes{1, 0, 9}) == std::optional<std::size_t>(66)));
  for (const Bytes& other : {Bytes{}, Bytes{0}, Bytes{0, 0}, Bytes{1, 1}, Bytes{'G', 'E'}})
    BOOST_TEST(!request_size(other));
}

BOOST_AUTO_TEST_CASE(a_pull_reply_always_has_five_entries) {
  const std::vector<BytesView> two{as_bytes("hello"), {}};
  const Bytes reply = encode_pull_reply(two);
  BOOST_TEST(to_hex(BytesView(reply).first(12)) == "000500050000004900490049");
  const auto messages = parse_pull_reply(reply);
  BOOST_REQUIRE(messages);
  BOOST_TEST(messages->size() == 5u);
  BOOST_TEST(as_text((*messages)[0]) == "hello");
  BOOST_TEST((*messages)[1].empty());
  for (int i = 2; i < 5; ++i)
    BOOST_TEST(as_text((*messages)[i]) == kDummyMessage);
  BOOST_TEST(encode_pull_reply({}).size() == 2 + 5 * (2 + 73u));
}

BOOST_AUTO_TEST_CASE(a_pull_reply_is_the_bytes_of_the_known_answer) {
  const std::vector<BytesView> one{as_bytes("hi")};
  const std::string dummy = to_hex(as_bytes(kDummyMessage));
  BOOST_TEST(dummy.starts_with("5b44554d4d59204d4553534147455d2057616e74696e6720736f6d65"));
  BOOST_TEST(to_hex(encode_pull_reply(one)) ==
             "000500020049004900490049"
             "6869" +
                 dummy + dummy + dummy + dummy);
  BOOST_TEST(to_hex(as_bytes(kBadRequest)) == "62616420666f6f6d70");
}

BOOST_AUTO_TEST_CASE(the_refusal_is_neither_a_token_nor_a_pull_reply) {
  BOOST_TEST(!parse_pull_reply(as_bytes(kBadRequest)));
  BOOST_TEST(!parse_register_reply(as_bytes(kBadRequest)));
  BOOST_TEST(parse_register_reply(Bytes(32)).has_value());
}

BOOST_AUTO_TEST_CASE(a_count_that_overflows_sixteen_bits_when_doubled_is_refused) {
  Bytes reply(2 + 4, 0);
  reply[0] = 0x80;
  reply[1] = 0x02;  // 2 * 0x8002 wraps to 4 in sixteen bits
  BOOST_TEST(!parse_pull_reply(reply));
}

RC_BOOST_PROP(any_messages_come_back, ()) {
  const auto count = *rc::gen::inRange<std::size_t>(0, kMessagesPerPull + 1);
  std::vector<Bytes> bodies(count);
  for (Bytes& body : bodies)
    body = *rc::gen::resize(1000, rc::gen::arbitrary<Bytes>());
  for (Bytes& body : bodies)
    if (body.size() > kMaxMailBytes) body.resize(kMaxMailBytes);
  const Bytes reply = encode_pull_reply({std::vector<BytesView>(bodies.begin(), bodies.end())});
  RC_ASSERT(reply.size() <= kMaxPullReplyBytes);
  const auto messages = parse_pull_reply(reply);
  RC_ASSERT(messages.has_value());
  RC_ASSERT(messages->size() == kMessagesPerPull);
  for (std::size_t i = 0; i < kMessagesPerPull; ++i)
    RC_ASSERT(equal((*messages)[i], i < count ? bodies[i] : as_bytes(kDummyMessage)));
  // A byte more or less is another reply.
  Bytes longer = reply;
  longer.push_back(0);
  RC_ASSERT(!parse_pull_reply(longer));
  RC_ASSERT(!parse_pull_reply(BytesView(reply).first(reply.size() - 1)));
}

}  // namespace
}  // namespace mix::wire
