// SPDX-License-Identifier: Apache-2.0
#include "src/client/ws_protocol.h"

#include <rapidcheck/boost_test.h>
#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include "src/client/test_world.h"

using namespace mix;
using namespace mix::client;
using test::FakeService;

namespace {

const std::string kAddress = "Hem9swPoeReFsBVgRoihtauqaGRm5Vz7fMannhL7wpoL";

std::string send_request(std::string_view message, std::string_view recipient = kAddress) {
  return boost::json::serialize(boost::json::object{
      {"type", "send"}, {"message", message}, {"recipient_address", recipient}});
}
Bytes bytes(std::string_view text) {
  return {text.begin(), text.end()};
}
bool is_invalid(const std::string& reply) {
  return reply.starts_with(R"({"type":"error","message":"received invalid request. err: )");
}

}  // namespace

BOOST_AUTO_TEST_CASE(send_queues_the_message_and_says_so) {
  FakeService service;
  BOOST_TEST(answer_json(send_request("hello \u2603"), service) == R"({"type":"send"})");
  BOOST_TEST(service.sent.size() == 1u);
  BOOST_TEST(service.sent[0].text == "hello \u2603");
  BOOST_TEST(service.sent[0].recipient.to_base58() == kAddress);
}

BOOST_AUTO_TEST_CASE(a_request_has_sixty_four_keys_at_most) {
  FakeService service;
  const auto with = [](int more) {
    std::string keys = R"({"type":"fetch")";
    for (int i = 0; i < more; ++i)
      keys += ",\"" + std::to_string(i) + "\":0";
    return keys + "}";
  };
  BOOST_TEST(answer_json(with(63), service) == R"({"type":"fetch","messages":[]})");
  const std::string refused = answer_json(with(64), service);
  BOOST_TEST(is_invalid(refused));
  BOOST_TEST(refused.find("too many keys") != std::string::npos);
  BOOST_TEST(is_invalid(answer_json(R"({"type":"fetch","more":)" + with(64) + "}", service)));
}

BOOST_AUTO_TEST_CASE(the_longest_message_is_975_bytes_of_utf8) {
  FakeService service;
  BOOST_TEST(answer_json(send_request(std::string(975, 'x')), service) == R"({"type":"send"})");
  BOOST_TEST(
      answer_json(send_request(std::string(976, 'x')), service) ==
      R"({"type":"error","message":"message too long. Sent 976 bytes, but the maximum is 975"})");
  std::string snow;
  for (int i = 0; i < 326; ++i)
    snow += "\u2603";  // 3 bytes each
  BOOST_TEST(
      answer_json(send_request(snow), service) ==
      R"({"type":"error","message":"message too long. Sent 978 bytes, but the maximum is 975"})");
  BOOST_TEST(service.sent.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_message_too_long_is_said_before_a_bad_address) {
  FakeService service;
  BOOST_TEST(answer_json(send_request(std::string(976, 'x'), "0"), service).find("too long") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_recipient_must_be_base58_of_32_bytes) {
  FakeService service;
  BOOST_TEST(answer_json(send_request("m", "0OIl"), service) ==
             R"({"type":"error","message":"recipient_address is not base58"})");
  BOOST_TEST(answer_json(send_request("m", "2g"), service) ==
             R"({"type":"error","message":"InvalidDestinationLength"})");
  BOOST_TEST(answer_json(send_request("m", ""), service) ==
             R"({"type":"error","message":"InvalidDestinationLength"})");
  BOOST_TEST(answer_json(send_request("m", std::string(8000, 'z')), service)
                 .starts_with(R"({"type":"error",)"));
  BOOST_TEST(service.sent.empty());
}

BOOST_AUTO_TEST_CASE(a_full_queue_is_told_to_the_caller) {
  FakeService service;
  service.full = true;
  BOOST_TEST(answer_json(send_request("m"), service) ==
             R"({"type":"error","message":"the box is full"})");
}

BOOST_AUTO_TEST_CASE(fetch_takes_everything_and_loses_what_is_not_utf8) {
  FakeService service;
  service.waiting = {bytes("one"), Bytes{0xff, 0xfe}, bytes("t\"w\no")};
  BOOST_TEST(answer_json(R"({"type":"fetch"})", service) ==
             R"({"type":"fetch","messages":["one","","t\"w\no"]})");
  BOOST_TEST(answer_json(R"({"type":"fetch"})", service) == R"({"type":"fetch","messages":[]})");
}

BOOST_AUTO_TEST_CASE(get_clients_and_own_details_answer_in_base58) {
  FakeService service;
  service.registered = {service.self};
  BOOST_TEST(answer_json(R"({"type":"getClients"})", service) ==
             R"({"type":"getClients","clients":[")" + kAddress + R"("]})");
  BOOST_TEST(answer_json(R"({"type":"ownDetails"})", service) ==
             R"({"type":"ownDetails","address":")" + kAddress + R"("})");
  service.topology = false;
  BOOST_TEST(answer_json(R"({"type":"getClients"})", service) ==
             R"({"type":"error","message":"Invalid network topology"})");
}

BOOST_AUTO_TEST_CASE(anything_else_is_an_invalid_request) {
  FakeService service;
  for (const std::string_view wrong :
       {"", "hello", "[]", "null", "{}", R"({"type":1})", R"({"type":"Send"})",
        R"({"type":"get_clients"})", R"({"type":"send"})", R"({"type":"send","message":"x"})",
        R"({"type":"send","message":5,"recipient_address":"x"})", R"({"type":"fetch"} x)",
        "{\"type\":\"fetch\xff\"}", R"([[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]])"})
    BOOST_TEST(is_invalid(answer_json(wrong, service)), wrong);
  BOOST_TEST(service.sent.empty());
}

BOOST_AUTO_TEST_CASE(unknown_fields_are_ignored) {
  FakeService service;
  BOOST_TEST(answer_json(R"({"x":[1],"type":"fetch","id":7})", service) ==
             R"({"type":"fetch","messages":[]})");
}

RC_BOOST_PROP(any_text_gets_one_reply_with_a_type, (const std::string& text)) {
  FakeService service;
  const auto reply = boost::json::parse(answer_json(text, service));
  RC_ASSERT(reply.as_object().at("type").is_string());
}

BOOST_AUTO_TEST_CASE(utf8_is_checked_strictly) {
  for (const std::string_view good :
       {"", "a", "\u00e9", "\u2603", "\U0001F512", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xf4\x8f\xbf\xbf", "\xc2\x80", "\xe0\xa0\x80"})
    BOOST_TEST(is_utf8(as_bytes(good)), good);
  for (const std::string_view bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
                                     "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
                                     "\xe2\x98", "\xc3", "\xe2\x28\xa1", "\xf0\x9f\x94x"})
    BOOST_TEST(!is_utf8(as_bytes(bad)));
  for (const std::string_view whole : {"\u00e9", "\u2603", "\U0001F512"})
    for (std::size_t cut = 1; cut < whole.size(); ++cut)  // what follows must not be looked at
      BOOST_TEST(!is_utf8(as_bytes(whole).first(cut)));
}
