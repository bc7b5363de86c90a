// SPDX-License-Identifier: Apache-2.0
#include "harness/model/digest.h"

#include <rapidcheck/boost_test.h>
#include <boost/test/unit_test.hpp>

using namespace lab;

namespace {
mix::Bytes counting(std::size_t n) {
  mix::Bytes out(n);
  for (std::size_t i = 0; i < n; ++i)
    out[i] = static_cast<std::uint8_t>(i % 251);
  return out;
}
std::string hex16(std::size_t n) {
  return mix::to_hex(digest_of(counting(n)));
}
}  // namespace

// Answers computed with Python's hashlib.blake2b; 127, 128 and 129 straddle a block.
BOOST_AUTO_TEST_CASE(digests_equal_those_of_another_implementation) {
  BOOST_TEST(mix::to_hex(digest_of(mix::as_bytes("abc"))) == "cf4ab791c62b8d2b2109c90275287816");
  BOOST_TEST(mix::to_hex(digest32_of({})) ==
             "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
  BOOST_TEST(hex16(127) == "28b1296c7d4807883de6ee4ec04dcc0a");
  BOOST_TEST(hex16(128) == "a74787004ef589e31149183900d0294a");
  BOOST_TEST(hex16(129) == "aaf1b0371f6d4ee49ee4fb5ddd9c49ef");
  BOOST_TEST(hex16(1372) == "edbb95da3c6a56efe13daba4841fddd2");
}

RC_BOOST_PROP(a_digest_does_not_depend_on_how_the_bytes_were_cut, ()) {
  const mix::Bytes bytes = counting(*rc::gen::inRange<std::size_t>(0, 700));
  Hasher hasher;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t n = std::min(*rc::gen::inRange<std::size_t>(1, 300), bytes.size() - at);
    hasher.add(mix::BytesView(bytes).subspan(at, n));
    at += n;
  }
  Digest out;
  hasher.digest(out);
  RC_ASSERT(out == digest_of(bytes));
}

BOOST_AUTO_TEST_CASE(a_hasher_goes_on_after_a_checkpoint) {
  const mix::Bytes bytes = counting(300);
  Hasher hasher;
  hasher.add(mix::BytesView(bytes).first(128));
  Digest checkpoint, end;
  hasher.digest(checkpoint);
  hasher.add(mix::BytesView(bytes).subspan(128));
  hasher.digest(end);
  BOOST_TEST(checkpoint == digest_of(mix::BytesView(bytes).first(128)));
  BOOST_TEST(end == digest_of(bytes));
}
