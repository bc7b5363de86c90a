// SPDX-License-Identifier: Apache-2.0
#include "src/crypto/cipher.h"

#include <openssl/evp.h>
#include <sodium.h>

#include "src/crypto/ready.h"
#include "src/prelude/check.h"

namespace mix::crypto {
namespace {

constexpr std::size_t kHash = crypto_auth_hmacsha256_BYTES;

/// An HMAC whose key schedule can be used again: copy it. Wipes itself.
struct Hmac {
  explicit Hmac(BytesView key) { crypto_auth_hmacsha256_init(&state, key.data(), key.size()); }
  Hmac(const Hmac&) = default;
  Hmac& operator=(const Hmac&) = delete;
  ~Hmac() { sodium_memzero(&state, sizeof state); }
  void add(BytesView bytes) { crypto_auth_hmacsha256_update(&state, bytes.data(), bytes.size()); }
  void finish(std::span<std::uint8_t, kHash> out) {
    crypto_auth_hmacsha256_final(&state, out.data());
  }

  crypto_auth_hmacsha256_state state;
};

// LIONESS splits its block into a short left and a long right part.
constexpr std::size_t kLeft = 32;
using Left = std::span<std::uint8_t, kLeft>;
using LionessKey = std::span<const std::uint8_t, kLionessKeyBytes>;
constexpr std::size_t kStream1 = 0, kHash1 = 32, kStream2 = 96, kHash2 = 128;

/// right ^= ChaCha20(left ^ key)
template <std::size_t KeyAt>
void stream_round(LionessKey key, Left left, BytesSpan right) {
  Secret<kLeft> mixed;
  for (std::size_t i = 0; i < kLeft; ++i)
    mixed.mutable_bytes()[i] = left[i] ^ key[KeyAt + i];
  xor_chacha20(mixed.bytes(), right);
}

/// left ^= BLAKE2b(key, right)
template <std::size_t KeyAt>
void hash_round(LionessKey key, Left left, BytesSpan right) {
  const ByteArray<kLeft> hash = keyed_blake2b(key.subspan<KeyAt, 64>(), right);
  for (std::size_t i = 0; i < kLeft; ++i)
    left[i] ^= hash[i];
}

}  // namespace

void hkdf_sha256(BytesView key_material, BytesView info, BytesSpan out) {
  CHECK(out.size() <= 255 * kHash, out.size());
  ready();
  static constexpr ByteArray<kHash> kNoSalt{};
  Secret<kHash> block;
  Hmac extract(kNoSalt);
  extract.add(key_material);
  extract.finish(block.mutable_bytes());

  const Hmac keyed(block.bytes());
  std::size_t block_bytes = 0;  // nothing precedes the first block
  for (std::uint8_t counter = 1; !out.empty(); ++counter) {
    Hmac expand = keyed;
    expand.add(BytesView(block.bytes()).first(block_bytes));
    expand.add(info);
    expand.add({&counter, 1});
    expand.finish(block.mutable_bytes());
    block_bytes = kHash;
    const std::size_t n = std::min(out.size(), kHash);
    std::ranges::copy(block.bytes().first(n), out.begin());
    out = out.subspan(n);
  }
}

ByteArray<32> hmac_sha256(BytesView key, BytesView message) {
  ready();
  ByteArray<32> mac;
  Hmac hmac(key);
  hmac.add(message);
  hmac.finish(mac);
  return mac;
}

void xor_chacha20(std::span<const std::uint8_t, 32> key, BytesSpan data) {
  ready();
  static constexpr ByteArray<crypto_stream_chacha20_NONCEBYTES> kNonce{};
  crypto_stream_chacha20_xor(data.data(), data.data(), data.size(), kNonce.data(), key.data());
}

ByteArray<32> keyed_blake2b(BytesView key, BytesView data) {
  CHECK(key.size() >= crypto_generichash_KEYBYTES_MIN &&
            key.size() <= crypto_generichash_KEYBYTES_MAX,
        key.size());
  ready();
  ByteArray<32> digest;
  crypto_generichash(digest.data(), digest.size(), data.data(), data.size(), key.data(),
                     key.size());
  return digest;
}

Digest16 digest16(BytesView data) {
  ready();
  Digest16 digest;
  crypto_generichash(digest.data(), digest.size(), data.data(), data.size(), nullptr, 0);
  return digest;
}

void lioness_encrypt(LionessKey key, std::span<std::uint8_t, kLionessBlockBytes> block) {
  const Left left = block.first<kLeft>();
  const BytesSpan right = block.subspan<kLeft>();
  stream_round<kStream1>(key, left, right);
  hash_round<kHash1>(key, left, right);
  stream_round<kStream2>(key, left, right);
  hash_round<kHash2>(key, left, right);
}

void lioness_decrypt(LionessKey key, std::span<std::uint8_t, kLionessBlockBytes> block) {
  const Left left = block.first<kLeft>();
  const BytesSpan right = block.subspan<kLeft>();
  hash_round<kHash2>(key, left, right);
  stream_round<kStream2>(key, left, right);
  hash_round<kHash1>(key, left, right);
  stream_round<kStream1>(key, left, right);
}

struct AesCtr::Context {
  EVP_CIPHER_CTX* evp = nullptr;

  Context() : evp(EVP_CIPHER_CTX_new()) {
    CHECK(evp != nullptr, "no memory for an AES context");
    CHECK(EVP_EncryptInit_ex(evp, EVP_aes_128_ctr(), nullptr, nullptr, nullptr) == 1,
          "libcrypto has no AES-128-CTR");
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { EVP_CIPHER_CTX_free(evp); }

  void rekey(const std::uint8_t* key) {
    static constexpr ByteArray<16> kFirstBlock{};
    CHECK(EVP_EncryptInit_ex(evp, nullptr, nullptr, key, kFirstBlock.data()) == 1);
  }
};

AesCtr::AesCtr() : x_context(std::make_unique<Context>()) {}
AesCtr::~AesCtr() = default;
AesCtr::AesCtr(AesCtr&&) noexcept = default;
AesCtr& AesCtr::operator=(AesCtr&&) noexcept = default;

void AesCtr::xor_stream(std::span<const std::uint8_t, 16> key, BytesSpan data) {
  static constexpr ByteArray<16> kNoKey{};
  x_context->rekey(key.data());
  int done = 0;
  CHECK(EVP_EncryptUpdate(x_context->evp, data.data(), &done, data.data(),
                          static_cast<int>(data.size())) == 1);
  CHECK(done == static_cast<int>(data.size()), done, data.size());
  x_context->rekey(kNoKey.data());  // overwrites the key schedule
}

}  // namespace mix::crypto
