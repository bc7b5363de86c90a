// SPDX-License-Identifier: Apache-2.0
#include "src/client/tcp_protocol.h"

#include <rapidcheck/boost_test.h>
#include <boost/test/unit_test.hpp>

#include "src/client/test_world.h"
#include "src/prelude/cursor.h"

using namespace mix;
using namespace mix::client;
using test::FakeService;

namespace {

Bytes request(std::uint8_t prefix, BytesView rest = {}) {
  Bytes out;
  Writer(out).u8(prefix).bytes(rest);
  return out;
}
Bytes send_request(const crypto::PublicKey& to, BytesView message) {
  Bytes out;
  Writer(out).u8(1).bytes(to.bytes()).bytes(message);
  return out;
}
std::string text_answer(BytesView request, Service& service) {
  return std::string(as_text(answer_bytes(request, service)));
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_send_over_tcp_is_queued_and_answered_ok) {
  FakeService service;
  BOOST_TEST(text_answer(send_request(service.self, as_bytes("hi")), service) == "ok");
  BOOST_TEST(service.sent.size() == 1u);
  BOOST_TEST(service.sent[0].text == "hi");
  BOOST_TEST((service.sent[0].recipient == service.self));
}

BOOST_AUTO_TEST_CASE(a_send_over_tcp_needs_a_recipient_and_a_byte) {
  FakeService service;
  BOOST_TEST(text_answer({}, service) == "IncompleteDataError");
  BOOST_TEST(text_answer(request(1), service) == "IncompleteDataError");
  BOOST_TEST(text_answer(request(1, Bytes(31)), service) == "IncompleteDataError");
  BOOST_TEST(text_answer(request(1, Bytes(32)), service) == "IncompleteDataError");
  BOOST_TEST(text_answer(request(1, Bytes(33)), service) == "ok");
}

BOOST_AUTO_TEST_CASE(the_longest_message_over_tcp_is_975_bytes) {
  FakeService service;
  BOOST_TEST(text_answer(send_request(service.self, Bytes(975, 'x')), service) == "ok");
  BOOST_TEST(text_answer(send_request(service.self, Bytes(976, 'x')), service) ==
             "too long message. Sent 976 bytes while the maximum is 975");
  service.full = true;
  BOOST_TEST(text_answer(send_request(service.self, Bytes(1)), service) == "the box is full");
  BOOST_TEST(service.sent.size() == 1u);
}

RC_BOOST_PROP(a_fetch_over_tcp_carries_any_bytes, (const std::vector<Bytes>& messages)) {
  FakeService service;
  service.waiting = messages;
  const Bytes reply = answer_bytes(request(2, Bytes(5)), service);  // what follows 02 is ignored
  Reader reader(reply);
  std::vector<std::uint16_t> lengths(reader.u16());
  for (auto& length : lengths)
    length = reader.u16();
  std::vector<Bytes> got;
  for (const auto length : lengths) {
    const BytesView part = reader.take(length);
    got.emplace_back(part.begin(), part.end());
  }
  RC_ASSERT(reader.done());
  RC_ASSERT(got == messages);
}

BOOST_AUTO_TEST_CASE(addresses_over_tcp_are_bare_bytes) {
  FakeService service;
  BOOST_TEST(answer_bytes(request(3), service).empty());
  service.registered = {service.self, crypto::PublicKey()};
  Bytes expected(service.self.bytes().begin(), service.self.bytes().end());
  BOOST_TEST((answer_bytes(request(4), service) == expected));
  expected.resize(64);
  BOOST_TEST((answer_bytes(request(3), service) == expected));
  service.topology = false;
  BOOST_TEST(text_answer(request(3), service) == "Invalid network topology");
}

BOOST_AUTO_TEST_CASE(an_unknown_prefix_is_an_unknown_request) {
  FakeService service;
  for (const int prefix : {0, 5, 6, 127, 255})
    BOOST_TEST(text_answer(request(static_cast<std::uint8_t>(prefix)), service) ==
               "UnknownRequestError");
}

RC_BOOST_PROP(any_bytes_over_tcp_are_answered, (const Bytes& bytes)) {
  FakeService service;
  service.registered = {service.self};
  RC_ASSERT(!answer_bytes(bytes, service).empty());
}
