// SPDX-License-Identifier: Apache-2.0
#include "src/crypto/secret.h"

#include <sodium.h>

#include "src/crypto/ready.h"
#include "src/prelude/check.h"

namespace mix::crypto {

void ready() {
  static const int result = sodium_init();
  CHECK(result >= 0, "libsodium could not be initialised");
}

void wipe(BytesSpan bytes) {
  sodium_memzero(bytes.data(), bytes.size());
}

bool equal_in_constant_time(BytesView a, BytesView b) {
  if (a.size() != b.size()) return false;
  return a.empty() || sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace mix::crypto
