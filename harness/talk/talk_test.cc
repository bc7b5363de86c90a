// SPDX-License-Identifier: Apache-2.0
#include <rapidcheck/boost_test.h>
#include <boost/test/unit_test.hpp>

#include "harness/talk/schedule.h"
#include "harness/talk/websocket.h"
#include "harness/talk/words.h"

using namespace lab::talk;

RC_BOOST_PROP(base64_comes_back_as_the_same_bytes, (const mix::Bytes& bytes)) {
  RC_ASSERT(from_base64(to_base64(bytes)).value() == bytes);
}

BOOST_AUTO_TEST_CASE(base58_is_that_of_the_addresses) {
  BOOST_TEST(to_base58(mix::as_bytes("Hello World!")) == "2NEpo7TZRRrLZSi2U");
  BOOST_TEST(to_base58(mix::Bytes{0, 0, 1}) == "112");
  BOOST_TEST(to_base58(mix::Bytes(32, 0)) == std::string(32, '1'));
}

BOOST_AUTO_TEST_CASE(a_pem_file_gives_its_owners_address) {
  const std::string key = to_base64(mix::Bytes(32, 7));
  const std::string pem = "-----BEGIN DUMMY KEY-----\r\n" + key + "\r\n-----END DUMMY KEY-----\r\n";
  BOOST_TEST(address_in_pem(pem).value() == to_base58(mix::Bytes(32, 7)));
  BOOST_TEST(!address_in_pem("-----BEGIN X-----\nAAAA\n-----END X-----\n").has_value());
  BOOST_TEST(!address_in_pem("nothing").has_value());
}

BOOST_AUTO_TEST_CASE(a_schedule_is_read_line_by_line) {
  const auto schedule =
      read_schedule("peer b peers/b.pem\nfetch 5\nsend 7 b a>b#0 hello you\nend 9\n");
  BOOST_REQUIRE(schedule.has_value());
  BOOST_TEST(schedule->peers.at("b") == "peers/b.pem");
  BOOST_REQUIRE(schedule->items.size() == 3);
  BOOST_TEST(schedule->items[1].text == "a>b#0 hello you");
  BOOST_TEST(tag_of(schedule->items[1].text) == "a>b#0");
  BOOST_TEST(tag_of("hello > you #1") == "");
}

BOOST_AUTO_TEST_CASE(a_wrong_schedule_names_its_line) {
  BOOST_TEST(read_schedule("fetch 5\nfetch 4\n").error() == "line 2: goes back in time");
  BOOST_TEST(read_schedule("send 5 b hi\n").error() == "line 1: no peer is called 'b'");
  BOOST_TEST(read_schedule("fetch soon\n").error() == "line 1: a time in ns is needed");
  BOOST_TEST(read_schedule("shout 5\n").error() ==
             "line 1: 'shout' is not peer, send, fetch or end");
}

namespace {
/// What a server sends: the same frame without its mask.
std::string unmasked(Opcode opcode, std::string_view payload, bool last = true) {
  std::string out = frame(opcode, payload, {0, 0, 0, 0});
  const std::size_t head = payload.size() < 126 ? 2 : payload.size() < 65536 ? 4 : 10;
  out[1] = static_cast<char>(out[1] & 0x7f);
  if (!last) out[0] = static_cast<char>(out[0] & 0x7f);
  out.erase(head, 4);
  return out;
}
}  // namespace

RC_BOOST_PROP(messages_are_heard_whole_however_the_stream_is_cut, ()) {
  const auto sizes = *rc::gen::nonEmpty(
      rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, 400)));
  std::string stream;
  for (std::size_t size : sizes) {
    const std::string text(size, 'x');
    stream += unmasked(Opcode::text, text.substr(0, size / 2), false) +
              unmasked(Opcode::ping, "p") + unmasked(Opcode::continuation, text.substr(size / 2));
  }
  Inbound in;
  std::vector<std::size_t> got;
  std::size_t pings = 0;
  while (!stream.empty()) {
    const std::size_t n = std::min(*rc::gen::inRange<std::size_t>(1, 100), stream.size());
    in.feed(stream.substr(0, n));
    stream.erase(0, n);
    while (const auto message = in.next())
      message->opcode == Opcode::ping ? void(++pings) : got.push_back(message->payload.size());
  }
  RC_ASSERT(got == sizes);
  RC_ASSERT(pings == sizes.size());
  RC_ASSERT(!in.broken());
}

BOOST_AUTO_TEST_CASE(a_long_message_has_a_long_length_and_a_mask_can_be_taken_off) {
  const std::string out = frame(Opcode::text, std::string(70'000, 'a'), {1, 2, 3, 4});
  BOOST_TEST(out.size() == 70'000u + 14);
  BOOST_TEST(static_cast<char>(out[14] ^ 1) == 'a');
  BOOST_TEST(static_cast<char>(out[17] ^ 4) == 'a');
}

BOOST_AUTO_TEST_CASE(a_masked_or_endless_frame_breaks_the_connection) {
  Inbound in;
  in.feed(frame(Opcode::text, "hi", {1, 2, 3, 4}));
  BOOST_TEST(!in.next().has_value());
  BOOST_TEST(in.broken());
  Inbound endless;
  endless.feed(std::string("\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 10));
  BOOST_TEST(!endless.next().has_value());
  BOOST_TEST(endless.broken());
}

BOOST_AUTO_TEST_CASE(only_101_opens_a_websocket) {
  BOOST_TEST(handshake_answer("HTTP/1.1 101 Switching Protocols\r\nA: b\r\n\r\nxy").value() == 42u);
  BOOST_TEST(handshake_answer("HTTP/1.1 403 Forbidden\r\n\r\n").value() == 0u);
  BOOST_TEST(!handshake_answer("HTTP/1.1 101 Sw").has_value());
}
