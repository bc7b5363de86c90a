// SPDX-License-Identifier: Apache-2.0
// A node's chance: one ChaCha20 stream (RFC 8439 block function, 64-bit counter, nonce zero) under
// the key the run gave it, whatever it is asked through: getrandom, /dev/urandom, AT_RANDOM's
// successors. A request starts at the next block, so that the stream's position is one number.
#include "harness/kernel/internal.h"

namespace lab::kernel {
namespace {

u32 rotate(u32 x, int n) {
  return x << n | x >> (32 - n);
}

void quarter(u32* s, int a, int b, int c, int d) {
  s[a] += s[b];
  s[d] = rotate(s[d] ^ s[a], 16);
  s[c] += s[d];
  s[b] = rotate(s[b] ^ s[c], 12);
  s[a] += s[b];
  s[d] = rotate(s[d] ^ s[a], 8);
  s[c] += s[d];
  s[b] = rotate(s[b] ^ s[c], 7);
}

void block(const u8* key, u64 counter, u8* out) {
  u32 start[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
  copy(start + 4, key, 32);
  start[12] = static_cast<u32>(counter);
  start[13] = static_cast<u32>(counter >> 32);
  u32 s[16];
  copy(s, start, sizeof(s));
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 4; ++i)
      quarter(s, i, 4 + i, 8 + i, 12 + i);
    for (int i = 0; i < 4; ++i)
      quarter(s, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
  }
  for (int i = 0; i < 16; ++i)
    s[i] += start[i];
  copy(out, s, 64);
}

}  // namespace

void fill_random(Kernel& k, u8* out, u64 n) {
  u8 bytes[64];
  k.control->entropy_drawn += n;
  while (n > 0) {
    block(k.control->entropy_key, k.p->random_counter++, bytes);
    const u64 part = least<u64>(n, sizeof(bytes));
    copy(out, bytes, part);
    out += part;
    n -= part;
  }
}

}  // namespace lab::kernel
