// SPDX-License-Identifier: Apache-2.0
// A stranger's text where a key is expected: in base58, and as a key file. What is accepted is what
// a second writing and reading gives again.
#include "src/crypto/base58.h"
#include "src/crypto/pem.h"
#include "src/prelude/check.h"

using namespace mix;
using namespace mix::crypto;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text({data, size});
  if (const auto bytes = from_base58(text); bytes && bytes->size() <= kBase58MaxBytes)
    CHECK(to_base58(*bytes) == text);
  if (const auto key = PublicKey::from_base58(text)) CHECK(key->to_base58() == text);
  if (const auto key = public_key_from_pem(text)) {
    const auto again = public_key_from_pem(to_pem(*key));
    CHECK(again && *again == *key);
  }
  if (const auto key = private_key_from_pem(text)) {
    CHECK(key->public_key() != PublicKey());
    const auto again = private_key_from_pem(to_pem(*key));
    CHECK(again && equal(again->bytes(), key->bytes()));
  }
  return 0;
}
