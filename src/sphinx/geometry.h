// SPDX-License-Identifier: Apache-2.0
// Every length of the packet format in one table. Bytes, unless the name says otherwise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mix::sphinx {

inline constexpr std::size_t kSecurityBytes = 16;  // the format's k
inline constexpr std::size_t kMaxHops = 5;         // the provider included

inline constexpr std::size_t kAddressBytes = 32;  // of a node, and of a destination
inline constexpr std::size_t kSurbIdBytes = 16;
inline constexpr std::size_t kFlagBytes = 1;
inline constexpr std::size_t kVersionBytes = 3;
inline constexpr std::size_t kDelayBytes = 8;  // unsigned, big-endian, nanoseconds
inline constexpr std::uint8_t kForwardFlag = 1;
inline constexpr std::uint8_t kFinalFlag = 2;
inline constexpr std::uint8_t kVersion[kVersionBytes] = {0, 1, 0};  // written, never read

inline constexpr std::size_t kAlphaBytes = 32;              // group element
inline constexpr std::size_t kGammaBytes = kSecurityBytes;  // header MAC
inline constexpr std::size_t kForwardRecordBytes =
    kFlagBytes + kVersionBytes + kAddressBytes + kDelayBytes;
inline constexpr std::size_t kFinalRecordBytes =
    kFlagBytes + kVersionBytes + kAddressBytes + kSurbIdBytes;
inline constexpr std::size_t kStepBytes = kForwardRecordBytes + kGammaBytes;  // per hop
inline constexpr std::size_t kBetaBytes = kStepBytes * kMaxHops;  // encrypted routing information
inline constexpr std::size_t kStreamBytes = kBetaBytes + kStepBytes;
inline constexpr std::size_t kHeaderBytes = kAlphaBytes + kGammaBytes + kBetaBytes;
inline constexpr std::size_t kPayloadBytes = 1024;
inline constexpr std::size_t kPacketBytes = kHeaderBytes + kPayloadBytes;

inline constexpr std::size_t kAlphaAt = 0;
inline constexpr std::size_t kGammaAt = kAlphaAt + kAlphaBytes;
inline constexpr std::size_t kBetaAt = kGammaAt + kGammaBytes;
inline constexpr std::size_t kPayloadAt = kBetaAt + kBetaBytes;

inline constexpr std::size_t kStreamKeyBytes = 16;
inline constexpr std::size_t kMacKeyBytes = 16;
inline constexpr std::size_t kPayloadKeyBytes = 192;
inline constexpr std::size_t kBlindingBytes = 32;
inline constexpr std::size_t kHopKeyBytes =
    kStreamKeyBytes + kMacKeyBytes + kPayloadKeyBytes + kBlindingBytes;

inline constexpr std::size_t kLeadingZeroBytes = kSecurityBytes;
inline constexpr std::uint8_t kMarker = 1;  // ends the message; only zeros follow
inline constexpr std::size_t kMaxMessageBytes =
    kPayloadBytes - kLeadingZeroBytes - kAddressBytes - 1;

/// Random bytes behind the final record of a route of `hops` hops.
constexpr std::size_t final_padding_bytes(std::size_t hops) {
  return kBetaBytes - kStepBytes * (hops - 1) - kFinalRecordBytes;
}
/// What the sender draws, whatever the route: the padding of the shortest one.
inline constexpr std::size_t kMaxFinalPaddingBytes = final_padding_bytes(1);
inline constexpr std::size_t kInitialSecretBytes = 64;  // reduced modulo l

/// HKDF's info, exactly as the format has it.
inline constexpr std::string_view kKeyDerivationInfo =
    "Dwste mou enan moxlo arketa makru kai ena upomoxlio gia na ton topothetisw kai tha kinisw thn "
    "gh.";

static_assert(kForwardRecordBytes == 44 && kFinalRecordBytes == 52 && kStepBytes == 60);
static_assert(kBetaBytes == 300 && kStreamBytes == 360 && kHeaderBytes == 348);
static_assert(kPacketBytes == 1372 && kHopKeyBytes == 256 && kMaxMessageBytes == 975);
static_assert(final_padding_bytes(1) == 248 && final_padding_bytes(kMaxHops) == 8);
static_assert(kKeyDerivationInfo.size() == 97);

}  // namespace mix::sphinx
