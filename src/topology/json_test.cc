// SPDX-License-Identifier: Apache-2.0
#include "src/topology/json.h"

#include <rapidcheck/boost_test.h>

#include <boost/test/unit_test.hpp>

#include "src/topology/fields.h"
#include "src/topology/metrics.h"
#include "src/topology/sample_infos.h"

using namespace mix;
using namespace mix::topology;

namespace {

const std::string kKey = sample_key(7).to_base58();

std::string mix_body(std::string_view host, std::string_view key, std::string_view version,
                     std::string_view layer, std::string_view rest = "") {
  return "{\"host\":" + std::string(host) + ",\"pubKey\":" + std::string(key) +
         ",\"version\":" + std::string(version) + ",\"layer\":" + std::string(layer) +
         std::string(rest) + "}";
}
std::string in_quotes(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}
/// What a presence is refused with; empty when it is taken.
std::string refusal(const std::string& body) {
  const auto read = mix_from_presence(body);
  return read ? std::string() : read.error();
}
std::string refusal_of_provider(std::string_view client, std::string_view mixnet,
                                std::string_view clients) {
  const auto read = provider_from_presence(
      "{\"clientListener\":" + in_quotes(client) + ",\"mixnetListener\":" + in_quotes(mixnet) +
      ",\"pubKey\":" + in_quotes(kKey) +
      ",\"version\":\"0.4.0\",\"registeredClients\":" + std::string(clients) + "}");
  return read ? std::string() : read.error();
}

rc::Gen<std::string> text_of(const char* alphabet, std::size_t most) {
  return rc::gen::mapcat(rc::gen::inRange<std::size_t>(0, most + 1), [alphabet](std::size_t size) {
    return rc::gen::container<std::string>(size, rc::gen::elementOf(std::string(alphabet)));
  });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(presence_json)

BOOST_AUTO_TEST_CASE(a_presence_of_an_original_mixnode_is_read) {
  const auto mix = mix_from_presence("{\"host\":\"localhost:9980\",\"pubKey\":\"" + kKey +
                                     "\",\"layer\":1,\"lastSeen\":0,\"version\":\"0.4.0-rc.2\"}");
  BOOST_REQUIRE(mix.has_value());
  BOOST_TEST(mix->host == "localhost:9980");
  BOOST_TEST((mix->public_key == sample_key(7)));
  BOOST_TEST(mix->layer == 1u);
  BOOST_TEST(mix->location.empty());
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_named_by_its_field) {
  const std::string host = "\"h:1\"", key = in_quotes(kKey), version = "\"0.4.0\"";
  const auto starts = [](const std::string& text, std::string_view with) {
    BOOST_TEST(text.starts_with(with), text << " does not begin with " << with);
  };
  BOOST_TEST(refusal(mix_body(host, key, version, "1")).empty());
  BOOST_TEST(refusal(mix_body(host, key, version, "4")).empty());
  starts(refusal(mix_body(host, key, version, "0")), "layer: ");
  starts(refusal(mix_body(host, key, version, "5")), "layer: ");
  starts(refusal(mix_body(host, key, version, "-1")), "layer: ");
  starts(refusal(mix_body(host, key, version, "1.5")), "layer: ");
  starts(refusal(mix_body(host, key, version, "\"1\"")), "layer: ");
  starts(refusal(mix_body(host, key, version, "99999999999999999999")), "layer: ");
  starts(refusal(mix_body(host, "\"\"", version, "1")), "pubKey: ");
  starts(refusal(mix_body(host, "\"0OIl\"", version, "1")), "pubKey: ");
  starts(refusal(mix_body(host, in_quotes(kKey + "1"), version, "1")), "pubKey: ");
  starts(refusal(mix_body(host, "7", version, "1")), "pubKey: ");
  starts(refusal(mix_body(host, key, "\"0.4\"", "1")), "version: ");
  starts(refusal(mix_body(host, key, "null", "1")), "version: ");
  starts(refusal(mix_body(host, key, in_quotes("0.4.0-" + std::string(27, 'a')), "1")),
         "version: ");
  starts(refusal(mix_body("\"\"", key, version, "1")), "host: ");
  starts(refusal(mix_body("\"h\"", key, version, "1")), "host: ");
  starts(refusal(mix_body("\"<b>:1\"", key, version, "1")), "host: ");
  starts(refusal(mix_body("\"h:0\"", key, version, "1")), "host: ");
  starts(refusal(mix_body("\"h:65536\"", key, version, "1")), "host: ");
  starts(refusal(mix_body(in_quotes(std::string(300, 'h') + ":1"), key, version, "1")), "host: ");
  starts(refusal(mix_body(host, key, version, "1", ",\"location\":\"<script>\"")), "location: ");
  starts(refusal(mix_body(host, key, version, "1", ",\"location\":7")), "location: ");
  starts(refusal("[]"), "must be a JSON object");
  starts(refusal("{"), "not JSON");
  starts(refusal(""), "not JSON");
}

BOOST_AUTO_TEST_CASE(so_many_keys_and_no_more) {
  // Keys that meet in one bucket of the parser's table cost the square of their number.
  const auto extra = [](std::string_view name, std::size_t keys) {
    std::string out = ",\"" + std::string(name) + "\":{";
    for (std::size_t i = 0; i < keys; ++i)
      out += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":0";
    return out + "}";
  };
  const auto with = [](const std::string& rest) {
    return refusal(
        mix_body(in_quotes("127.0.0.1:1"), in_quotes(kKey), in_quotes("0.4.0"), "1", rest));
  };
  BOOST_TEST(with(extra("a", kMaxMetricsPeers) + extra("b", 64) + extra("c", 64)) == "");
  BOOST_TEST(with(extra("a", kMaxMetricsPeers + 1)).find("too many keys") != std::string::npos);
  BOOST_TEST(with(extra("a", 65) + extra("b", 65)).find("too many keys") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(listeners_are_numeric) {
  BOOST_TEST(refusal_of_provider("1.2.3.4:9000", "[::1]:8085", "[]").empty());
  for (const char* wrong : {"localhost:9000", "1.2.3.4", "::1:9000", "1.2.3.4:0", "1.2.3:1", "",
                            "1.2.3.4:09", "01.2.3.4:1", "[::1]", "[1.2.3.4]:1", "1.2.3.4:1 "}) {
    BOOST_TEST(refusal_of_provider(wrong, "1.2.3.4:1", "[]").starts_with("clientListener: "),
               wrong);
    BOOST_TEST(refusal_of_provider("1.2.3.4:1", wrong, "[]").starts_with("mixnetListener: "),
               wrong);
  }
}

BOOST_AUTO_TEST_CASE(registered_clients_are_required_and_checked) {
  const std::string one = "{\"pubKey\":" + in_quotes(kKey) + "}";
  BOOST_TEST(refusal_of_provider("1.2.3.4:1", "1.2.3.4:2", "[" + one + "," + one + "]").empty());
  BOOST_TEST(
      refusal_of_provider("1.2.3.4:1", "1.2.3.4:2", "null").starts_with("registeredClients"));
  BOOST_TEST(refusal_of_provider("1.2.3.4:1", "1.2.3.4:2", "[" + one + ",{}]")
                 .starts_with("registeredClients[1].pubKey: "));
}

BOOST_AUTO_TEST_CASE(a_full_provider_fits_into_a_body_of_one_mebibyte) {
  ProviderInfo provider = sample_provider(1);
  ByteArray<32> bytes;
  bytes.fill(0xff);  // the longest in base58
  provider.registered_clients.assign(kMaxRegisteredClients, crypto::PublicKey(bytes));
  const std::string body = to_presence_json(provider);
  BOOST_TEST(body.size() < 1'048'576u);
  BOOST_TEST(provider_from_presence(body).value().registered_clients.size() ==
             kMaxRegisteredClients);
  provider.registered_clients.emplace_back();
  BOOST_TEST(provider_from_presence(to_presence_json(provider))
                 .error()
                 .starts_with("registeredClients: at most"));
}

RC_BOOST_PROP(a_mix_presence_comes_back, ()) {
  MixInfo mix = sample_mix(*rc::gen::inRange(0u, 60'000u), *rc::gen::inRange(1u, 5u));
  mix.host = *text_of("abcXYZ019.-_", 40) + "x:" + std::to_string(*rc::gen::inRange(1, 65536));
  mix.location = *text_of("aZ0 .,-_()/'", 64);
  const auto back = mix_from_presence(to_presence_json(mix));
  RC_ASSERT(back.has_value());
  RC_ASSERT(*back == mix);
}

RC_BOOST_PROP(no_text_breaks_the_reader, (const std::string& text)) {
  mix_from_presence(text);
  provider_from_presence(text);
  coco_from_presence(text);
  topology_from_json(text);
  mix_metrics_from_json(text);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(topology_json)

RC_BOOST_PROP(a_topology_comes_back, (std::vector<std::uint8_t> numbers)) {
  std::vector<MixInfo> mixes;
  std::vector<ProviderInfo> providers;
  std::vector<CocoInfo> cocos;
  for (const std::uint8_t number : numbers) {
    mixes.push_back(sample_mix(number, 1 + number % 4));
    mixes.back().last_seen_ns = 1'580'000'000'000'000'000 + number;
    providers.push_back(sample_provider(number));
    providers.back().registered_clients = {sample_key(number), sample_key(number + 1u)};
    cocos.push_back(sample_coco(number));
  }
  const Topology topology(mixes, providers, cocos);
  const auto back = topology_from_json(to_json(topology));
  RC_ASSERT(back.has_value());
  RC_ASSERT(back->topology == topology);
  RC_ASSERT(back->skipped == 0u);
}

BOOST_AUTO_TEST_CASE(arrays_are_never_null_and_the_text_has_no_newline) {
  BOOST_TEST(to_json(Topology()) == R"({"cocoNodes":[],"mixNodes":[],"mixProviderNodes":[]})");
}

BOOST_AUTO_TEST_CASE(times_are_left_out_of_what_an_etag_is_made_of) {
  MixInfo mix = sample_mix(1, 1);
  mix.last_seen_ns = 5;
  const Topology early({mix}, {});
  mix.last_seen_ns = 6;
  const Topology late({mix}, {});
  BOOST_TEST(to_json(early) != to_json(late));
  BOOST_TEST(to_json(early, LastSeen::left_out) == to_json(late, LastSeen::left_out));
}

BOOST_AUTO_TEST_CASE(an_entry_nobody_can_use_is_skipped_and_counted) {
  const std::string good = to_json(Topology({sample_mix(1, 1)}, {}));
  const std::size_t at = good.find("\"mixNodes\":[") + 12;
  std::string text = good;
  text.insert(at, R"({"host":"h:1","pubKey":"bad","version":"0.4.0","layer":1},7,)");
  const auto read = topology_from_json(text);
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST(read->topology.mixes().size() == 1u);
  BOOST_TEST(read->skipped == 2u);
  BOOST_TEST(read->first_problem == "mixNodes[0]: pubKey: must be 32 bytes in base58");
}

BOOST_AUTO_TEST_CASE(a_bad_registered_client_is_skipped_and_its_provider_stays) {
  std::string text = to_json(Topology({}, {sample_provider(1)}));
  const std::size_t at = text.find("\"registeredClients\":[") + 21;
  text.insert(at, "{\"pubKey\":\"no\"},{\"pubKey\":" + in_quotes(kKey) + "}");
  const auto read = topology_from_json(text);
  BOOST_REQUIRE(read.has_value());
  BOOST_REQUIRE(read->topology.providers().size() == 1u);
  BOOST_TEST(read->topology.providers()[0].registered_clients.size() == 1u);
  BOOST_TEST(read->skipped == 1u);
}

BOOST_AUTO_TEST_CASE(accounts_are_left_out_when_asked_and_their_list_must_be_one_even_so) {
  ProviderInfo provider = sample_provider(1);
  provider.registered_clients.assign(3, sample_key(9));
  const std::string good = to_json(Topology({}, {provider}));
  BOOST_TEST(topology_from_json(good)->topology.providers()[0].registered_clients.size() == 3u);
  const auto read = topology_from_json(good, Accounts::left_out);
  BOOST_REQUIRE((read && read->topology.providers().size() == 1));
  BOOST_TEST(read->topology.providers()[0].registered_clients.empty());
  BOOST_TEST((read->topology.providers()[0].public_key == sample_key(1)));
  const std::size_t from = good.find('[', good.find("registeredClients"));
  std::string too_many = "[0";
  for (std::size_t n = 0; n < kMaxRegisteredClients; ++n)
    too_many += ",0";
  for (const std::string& list : {std::string("null"), std::string("7"), too_many + "]"}) {
    std::string text = good;
    text.replace(from, text.find(']', from) + 1 - from, list);
    BOOST_TEST(topology_from_json(text, Accounts::left_out)->skipped == 1u);
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_topology_is_an_error) {
  for (const char* wrong : {"", "null", "[]", "{}", R"({"cocoNodes":[],"mixNodes":[]})",
                            R"({"cocoNodes":[],"mixNodes":null,"mixProviderNodes":[]})", "<html>"})
    BOOST_TEST(!topology_from_json(wrong).has_value(), wrong);
  BOOST_TEST(topology_from_json(
                 R"({"cocoNodes":[],"mixNodes":[],"mixProviderNodes":[],"gatewayNodes":[{}]})")
                 .has_value());
}

BOOST_AUTO_TEST_CASE(an_error_is_escaped) {
  BOOST_TEST(error_json("a \"b\"\n") == R"({"error":"a \"b\"\n"})");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(metrics_json)

BOOST_AUTO_TEST_CASE(a_report_of_an_original_is_read_and_told_on) {
  const auto metrics = mix_metrics_from_json("{\"pubKey\":" + in_quotes(kKey) +
                                             ",\"received\":10,\"sent\":{\"127.0.0.1:9981\":4}}");
  BOOST_REQUIRE(metrics.has_value());
  BOOST_TEST(metrics->received == 10u);
  BOOST_TEST(metrics->sent.at("127.0.0.1:9981") == 4u);
  BOOST_TEST(to_json(*metrics) == "{\"pubKey\":" + in_quotes(kKey) +
                                      ",\"sent\":{\"127.0.0.1:9981\":4},\"received\":10,"
                                      "\"timestamp\":0}");
  BOOST_TEST((mix_metrics_from_json(to_report_json(*metrics)).value() == *metrics));
}

BOOST_AUTO_TEST_CASE(a_report_that_is_wrong_is_named_by_its_field) {
  const auto error = [](const std::string& rest) {
    const auto read = mix_metrics_from_json("{\"pubKey\":" + in_quotes(kKey) + rest + "}");
    return read ? std::string("taken") : read.error();
  };
  BOOST_TEST(error(R"(,"received":0,"sent":{})") == "taken");
  BOOST_TEST(error(R"(,"received":0)").starts_with("sent: "));
  BOOST_TEST(error(R"(,"sent":{})").starts_with("received: "));
  BOOST_TEST(error(R"(,"received":-1,"sent":{})").starts_with("received: "));
  BOOST_TEST(error(R"(,"received":0,"sent":{"a:1":-1})").starts_with("sent: "));
  BOOST_TEST(error(R"(,"received":0,"sent":{"<b>":1})").starts_with("sent: "));
}

BOOST_AUTO_TEST_CASE(client_reports_come_back) {
  const ClientMetrics metrics{sample_key(1), 5, 4, 1, 0};
  BOOST_TEST((client_metrics_from_json(to_report_json(metrics)).value() == metrics));
  BOOST_TEST(client_metrics_from_json("{}").error().starts_with("pubKey: "));
}

BOOST_AUTO_TEST_CASE(a_client_may_say_how_many_loops_are_out_and_how_long_the_others_took) {
  ClientMetrics metrics{sample_key(1), 5, 4, 1, 0};
  const std::string brief = to_report_json(metrics);
  BOOST_TEST(brief == "{\"pubKey\":" + in_quotes(sample_key(1).to_base58()) +
                          ",\"loopsSent\":5,\"loopsHome\":4,\"loopsLost\":1}");
  metrics.loops_out = 3;
  metrics.round_trips_ns = {812'000'000, 1};
  const std::string full = to_report_json(metrics);
  BOOST_TEST(full ==
             brief.substr(0, brief.size() - 1) + ",\"loopsOut\":3,\"roundTripsNs\":[812000000,1]}");
  BOOST_TEST((client_metrics_from_json(full).value() == metrics));
  const auto error = [&](const std::string& rest) {
    const auto read = client_metrics_from_json(brief.substr(0, brief.size() - 1) + rest + "}");
    return read ? std::string("taken") : read.error();
  };
  BOOST_TEST(error(R"(,"loopsOut":-1)").starts_with("loopsOut: "));
  BOOST_TEST(error(R"(,"roundTripsNs":7)").starts_with("roundTripsNs: "));
  BOOST_TEST(error(R"(,"roundTripsNs":[1,-1])").starts_with("roundTripsNs: "));
  std::string many = "1";
  for (std::size_t i = 1; i < kMaxRoundTrips; ++i)
    many += ",1";
  BOOST_TEST(error(",\"roundTripsNs\":[" + many + "]") == "taken");
  BOOST_TEST(error(",\"roundTripsNs\":[" + many + ",1]").starts_with("roundTripsNs: "));
}

BOOST_AUTO_TEST_SUITE_END()
