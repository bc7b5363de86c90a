// SPDX-License-Identifier: Apache-2.0
#include "src/crypto/pem.h"

#include <sodium.h>

#include "src/crypto/ready.h"

namespace mix::crypto {
namespace {

constexpr std::string_view kPrivateTag = "DUMMY KEY BASED ON X25519 PRIVATE KEY";
constexpr std::string_view kPublicTag = "DUMMY KEY BASED ON X25519 PUBLIC KEY";
constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kBlank = " \t\r\n";
constexpr std::size_t kKeyBytes = 32;

std::string write(std::string_view tag, std::span<const std::uint8_t, kKeyBytes> key) {
  char base64[sodium_base64_ENCODED_LEN(kKeyBytes, sodium_base64_VARIANT_ORIGINAL)];
  sodium_bin2base64(base64, sizeof base64, key.data(), key.size(), sodium_base64_VARIANT_ORIGINAL);
  std::string text;
  text.reserve(160);  // no second buffer to wipe
  text.append("-----BEGIN ").append(tag).append("-----").append(kLineEnd);
  text.append(base64).append(kLineEnd);
  text.append("-----END ").append(tag).append("-----").append(kLineEnd);
  sodium_memzero(base64, sizeof base64);
  return text;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::expected<Secret<kKeyBytes>, std::string> read(std::string_view tag, std::string_view text) {
  const std::string begin = "-----BEGIN " + std::string(tag) + "-----";
  const std::string end = "-----END " + std::string(tag) + "-----";
  if (text.size() > kPemMaxText)
    return std::unexpected("the key file has more than " + std::to_string(kPemMaxText) +
                           " characters");
  text = trimmed(text);
  if (!text.starts_with(begin))
    return std::unexpected("the key file does not begin with \"" + begin + "\"");
  if (!text.ends_with(end) || text.size() < begin.size() + end.size())
    return std::unexpected("the key file does not end with \"" + end + "\"");
  text = trimmed(text.substr(begin.size(), text.size() - begin.size() - end.size()));

  ready();
  Secret<kKeyBytes> key;
  std::size_t bytes = 0;
  const char* rest = nullptr;
  const bool decoded =
      sodium_base642bin(key.mutable_bytes().data(), kKeyBytes, text.data(), text.size(),
                        kBlank.data(), &bytes, &rest, sodium_base64_VARIANT_ORIGINAL) == 0 &&
      rest == text.data() + text.size();
  if (!decoded || bytes != kKeyBytes)
    return std::unexpected("the key file does not hold 32 bytes in base64");
  return key;
}

}  // namespace

std::string to_pem(const PrivateKey& key) {
  return write(kPrivateTag, key.bytes());
}
std::string to_pem(const PublicKey& key) {
  return write(kPublicTag, key.bytes());
}

std::expected<PrivateKey, std::string> private_key_from_pem(std::string_view text) {
  const auto key = read(kPrivateTag, text);
  if (!key) return std::unexpected(key.error());
  return PrivateKey::from_bytes(key->bytes());
}

std::expected<PublicKey, std::string> public_key_from_pem(std::string_view text) {
  const auto key = read(kPublicTag, text);
  if (!key) return std::unexpected(key.error());
  return *PublicKey::from_bytes(key->bytes());
}

}  // namespace mix::crypto
