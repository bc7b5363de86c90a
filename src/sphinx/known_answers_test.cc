// SPDX-License-Identifier: Apache-2.0
// testdata/vectors.json: packets, their keys at every hop and what comes out of it, and the parts.
// Its values come from a model of the original programs' packet library, compared with the library.
#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>

#include "src/crypto/base58.h"
#include "src/crypto/pem.h"
#include "src/sphinx/address.h"
#include "src/sphinx/hop_keys.h"
#include "src/sphinx/packet.h"

using namespace mix;
using namespace mix::sphinx;
namespace json = boost::json;

namespace {

const json::object& vectors() {
  static const json::value all = [] {
    std::ifstream file("testdata/vectors.json");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    return json::parse(text);
  }();
  return all.as_object();
}

std::string text_of(const json::object& from, std::string_view key) {
  return std::string(from.at(key).as_string());
}
Bytes bytes_of(const json::object& from, std::string_view key) {
  return from_hex(text_of(from, key)).value();
}
template <std::size_t N>
ByteArray<N> array_of(const json::object& from, std::string_view key) {
  const Bytes bytes = bytes_of(from, key);
  BOOST_REQUIRE_EQUAL(bytes.size(), N);
  ByteArray<N> out;
  std::ranges::copy(bytes, out.begin());
  return out;
}

std::vector<Hop> route_of(const json::object& packet) {
  std::vector<Hop> route;
  for (const json::value& value : packet.at("nodes").as_array()) {
    const json::object& node = value.as_object();
    route.push_back({array_of<32>(node, "address"), crypto::PublicKey(array_of<32>(node, "public")),
                     Duration(node.at("delay_ns").to_number<std::int64_t>())});
  }
  return route;
}

BuildSecrets secrets_of(const json::object& packet) {
  BuildSecrets secrets;
  std::ranges::copy(bytes_of(packet, "initial_secret"), secrets.initial.mutable_bytes().begin());
  std::ranges::copy(bytes_of(packet, "final_padding"),
                    secrets.final_padding.mutable_bytes().begin());
  return secrets;
}

void check_keys(const json::object& node, const crypto::PrivateKey& key, const Packet& received) {
  crypto::Point alpha;
  std::ranges::copy(std::span(received).first<kAlphaBytes>(), alpha.begin());
  crypto::Point shared;
  BOOST_REQUIRE(crypto::Multiplier(key.scalar()).multiply(alpha, shared));
  BOOST_TEST(to_hex(shared) == text_of(node, "shared_key"));
  const HopKeys keys(shared);
  BOOST_TEST(to_hex(keys.stream()) == text_of(node, "stream_key"));
  BOOST_TEST(to_hex(keys.mac()) == text_of(node, "mac_key"));
  BOOST_TEST(to_hex(keys.payload()) == text_of(node, "payload_key"));
  BOOST_TEST(to_hex(keys.blinding_bytes()) == text_of(node, "blinding"));
}

}  // namespace

BOOST_AUTO_TEST_CASE(packets_are_built_byte_for_byte) {
  Builder builder;
  BOOST_REQUIRE(vectors().at("packets").as_array().size() >= 4);
  for (const json::value& value : vectors().at("packets").as_array()) {
    const json::object& packet = value.as_object();
    BOOST_TEST_CONTEXT(text_of(packet, "name")) {
      const Destination destination{array_of<32>(packet, "destination"),
                                    array_of<16>(packet, "surb_id")};
      const auto built = builder.build(route_of(packet), destination, bytes_of(packet, "message"),
                                       secrets_of(packet));
      BOOST_REQUIRE(built.has_value());
      BOOST_TEST(to_hex(*built) == text_of(packet, "packet"));
    }
  }
}

BOOST_AUTO_TEST_CASE(packets_are_peeled_byte_for_byte_at_every_hop) {
  for (const json::value& value : vectors().at("packets").as_array()) {
    const json::object& packet = value.as_object();
    Packet travelling = array_of<kPacketBytes>(packet, "packet");
    std::size_t hop = 0;
    for (const json::value& node_value : packet.at("nodes").as_array()) {
      const json::object& node = node_value.as_object();
      BOOST_TEST_CONTEXT(text_of(packet, "name") << " at hop " << hop++) {
        const auto key = crypto::PrivateKey::from_bytes(bytes_of(node, "secret"));
        BOOST_REQUIRE(key.has_value());
        BOOST_TEST(to_hex(key->public_key().bytes()) == text_of(node, "public"));
        BOOST_TEST(key->public_key().to_base58() == text_of(node, "public_base58"));
        check_keys(node, *key, travelling);
        const auto peeled = Peeler(*key).peel(travelling);
        BOOST_REQUIRE(peeled.has_value());
        if (text_of(node, "result") == "forward") {
          const Forward& forward = std::get<Forward>(*peeled);
          BOOST_TEST(to_hex(forward.next_address) == text_of(node, "next_address"));
          BOOST_TEST(forward.delay.count() == node.at("delay_ns").to_number<std::int64_t>());
          BOOST_TEST(to_hex(forward.packet) == text_of(node, "out_packet"));
          travelling = forward.packet;
        } else {
          const Final& final = std::get<Final>(*peeled);
          BOOST_TEST(to_hex(final.destination.address) == text_of(packet, "destination"));
          BOOST_TEST(to_hex(final.destination.surb_id) == text_of(packet, "surb_id"));
          BOOST_TEST(to_hex(final.message()) == text_of(packet, "message"));
        }
      }
    }
    BOOST_TEST(hop == static_cast<std::size_t>(packet.at("hops").to_number<int>()));
  }
}

BOOST_AUTO_TEST_CASE(the_parts_give_their_known_answers) {
  const json::object& lioness = vectors().at("lioness").as_object();
  const auto key = array_of<crypto::kLionessKeyBytes>(lioness, "key");
  auto block = array_of<crypto::kLionessBlockBytes>(lioness, "plain");
  crypto::lioness_encrypt(key, block);
  BOOST_TEST(to_hex(block) == text_of(lioness, "cipher"));
  crypto::lioness_decrypt(key, block);
  BOOST_TEST(to_hex(block) == text_of(lioness, "plain"));

  const json::object& kdf = vectors().at("kdf").as_object();
  ByteArray<kHopKeyBytes> derived;
  crypto::hkdf_sha256(bytes_of(kdf, "ikm"), as_bytes(kKeyDerivationInfo), derived);
  BOOST_TEST(to_hex(derived) == text_of(kdf, "out"));

  const json::object& stream = vectors().at("stream").as_object();
  ByteArray<kStreamBytes> out{};
  crypto::AesCtr().xor_stream(array_of<16>(stream, "key"), out);
  BOOST_TEST(to_hex(out) == text_of(stream, "out360"));

  for (const json::value& value : vectors().at("unclamped_mul").as_array()) {
    const json::object& product = value.as_object();
    crypto::Point point;
    const auto scalar = crypto::Scalar::reduce(bytes_of(product, "scalar"));
    BOOST_TEST(crypto::Multiplier(scalar).multiply(array_of<32>(product, "u"), point));
    BOOST_TEST(to_hex(point) == text_of(product, "result"));
  }
}

BOOST_AUTO_TEST_CASE(addresses_tokens_and_key_files_give_their_known_answers) {
  for (const json::value& value : vectors().at("addresses").as_array()) {
    const json::object& address = value.as_object();
    const auto parsed = NodeAddress::from_text(text_of(address, "text"));
    BOOST_REQUIRE(parsed.has_value());
    BOOST_TEST(to_hex(parsed->encode()) == text_of(address, "hex"));
    const auto decoded = NodeAddress::decode(array_of<32>(address, "hex"));
    BOOST_REQUIRE(decoded.has_value());
    BOOST_TEST(decoded->to_text() == text_of(address, "text"));
  }
  const json::object& provider = vectors().at("provider").as_object();
  BOOST_TEST(to_hex(crypto::hmac_sha256(bytes_of(provider, "secret"),
                                        bytes_of(provider, "client_address"))) ==
             text_of(provider, "auth_token"));
  BOOST_TEST(crypto::to_base58(bytes_of(provider, "client_address")) ==
             text_of(provider, "client_address_base58"));

  const json::object& pem = vectors().at("pem").as_object();
  const auto secret = crypto::private_key_from_pem(text_of(pem, "private"));
  BOOST_REQUIRE(secret.has_value());
  BOOST_TEST(crypto::to_pem(*secret) == text_of(pem, "private"));
  const auto open = crypto::public_key_from_pem(text_of(pem, "public"));
  BOOST_REQUIRE(open.has_value());
  BOOST_TEST(crypto::to_pem(*open) == text_of(pem, "public"));
}
