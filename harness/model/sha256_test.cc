// SPDX-License-Identifier: Apache-2.0
#include "harness/model/sha256.h"

#include <rapidcheck/boost_test.h>
#include <boost/test/unit_test.hpp>

// FIPS 180-4's examples, and a length that straddles the padding.
BOOST_AUTO_TEST_CASE(sums_equal_those_of_the_standard) {
  const auto of = [](std::string text) {
    lab::Sha256 sum;
    sum.add(mix::as_bytes(text));
    return mix::to_hex(sum.digest());
  };
  BOOST_TEST(of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  BOOST_TEST(of("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  BOOST_TEST(of(std::string(1'000'000, 'a')) ==
             "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

RC_BOOST_PROP(the_processors_instructions_give_the_same_sums, (const mix::Bytes& bytes)) {
  const auto cut = *rc::gen::inRange<std::size_t>(0, bytes.size() + 1);
  lab::Sha256 fast, plain = lab::Sha256::portable();
  mix::Bytes many;
  for (int i = 0; i < 20; ++i)
    many.insert(many.end(), bytes.begin(), bytes.end());
  fast.add(mix::BytesView(many).first(cut));
  fast.add(mix::BytesView(many).subspan(cut));
  plain.add(many);
  RC_ASSERT(fast.digest() == plain.digest());
}
