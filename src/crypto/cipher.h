// SPDX-License-Identifier: Apache-2.0
// The symmetric tools of the packet format, and the digest by which records name a packet.
// None of them allocates per call, none can fail. Threads: functions are free of state; an AesCtr
// belongs to one thread at a time.
#pragma once

#include <memory>

#include "src/crypto/secret.h"
#include "src/prelude/bytes.h"

namespace mix::crypto {

inline constexpr std::size_t kLionessKeyBytes = 192;
inline constexpr std::size_t kLionessBlockBytes = 1024;
using Digest16 = ByteArray<16>;

/// HKDF-SHA256, extract then expand, without salt. At most 255 * 32 bytes come out.
void hkdf_sha256(BytesView key_material, BytesView info, BytesSpan out);
/// A key of any length.
ByteArray<32> hmac_sha256(BytesView key, BytesView message);

/// XORs the original (8-byte nonce, here zero) ChaCha20 stream onto `data`, from block 0.
void xor_chacha20(std::span<const std::uint8_t, 32> key, BytesSpan data);
/// BLAKE2b with a key of 16 to 64 bytes and a digest of 32.
ByteArray<32> keyed_blake2b(BytesView key, BytesView data);
/// The digest of a packet's bytes in every record: BLAKE2b with a digest of 16 bytes, no key.
Digest16 digest16(BytesView data);

/// The wide-block cipher of the payload: every bit of the output hangs on every bit of the input.
void lioness_encrypt(std::span<const std::uint8_t, kLionessKeyBytes> key,
                     std::span<std::uint8_t, kLionessBlockBytes> block);
void lioness_decrypt(std::span<const std::uint8_t, kLionessKeyBytes> key,
                     std::span<std::uint8_t, kLionessBlockBytes> block);

/// AES-128 in counter mode with an all-zero first block. The context is made once and rekeyed for
/// each use, so that a packet costs no allocation; no key outlives the call that used it.
class AesCtr {
 public:
  AesCtr();
  ~AesCtr();
  AesCtr(AesCtr&&) noexcept;
  AesCtr& operator=(AesCtr&&) noexcept;

  /// XORs the stream onto `data`, from its first byte.
  void xor_stream(std::span<const std::uint8_t, 16> key, BytesSpan data);

 private:
  struct Context;
  std::unique_ptr<Context> x_context;
};

}  // namespace mix::crypto
