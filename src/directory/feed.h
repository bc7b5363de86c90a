// SPDX-License-Identifier: Apache-2.0
// The texts of /ws/live, which feed the dashboard: what each says, and nothing about sockets.
// (/ws itself stays what it is in 0.4: one mix report a frame, as in wire document 4.7.)
//
// Every text is one JSON object in one frame, without white space, its keys always in the order
// below, so that equal facts are equal bytes. A watcher first gets hello, nodes and reports, then
// the others as they happen. A reader must skip a `kind` and a key that it does not know.
//
//   {"kind":"hello","feed":1,"version":"0.4.0-..","now":NS,"since":NS,"loops":true}
//       `since`: the directory's start; `loops`: whether this watcher is told of client reports
//   {"kind":"nodes","mixes":[MIX,..],"providers":[PROVIDER,..],"coconodes":[COCO,..]}
//       everybody who is in; takes the place of all that was known
//   {"kind":"reports","mixes":[REPORT,..],"clients":[LOOPS,..],"cut":false}
//       of the last three to six seconds, in the order they came; `cut`: there were too many
//   {"kind":"node","role":"mix","node":MIX,"new":true,"taken":[KEY,..]}
//       a presence that is new or says something else; `taken`: keys whose place it took
//   {"kind":"seen","role":"mix","pubKey":KEY,"lastSeen":NS}        a presence that changes nothing
//   {"kind":"gone","role":"mix","pubKey":KEY,"now":NS}             ten seconds of silence
//   {"kind":"report","report":REPORT}                              a mix's counts
//   {"kind":"loops","report":LOOPS}                                a client's, to this machine only
//   {"kind":"refused","path":"/api/..","status":409,"why":TEXT,"now":NS}
//       a POST that was not taken
//   {"kind":"more","of":"refused","count":COUNT,"now":NS}
//       so many more of a kind within a second than were told one by one
//   {"kind":"missed","count":COUNT,"now":NS}
//       so many texts came while this watcher had too much to read; hello, nodes and reports follow
//
// MIX       {"pubKey","host","layer","version","location","lastSeen"}
// PROVIDER  {"pubKey","mixnetListener","clientListener","accounts":COUNT,"version",
//            "location","lastSeen"}
// COCO      {"pubKey","host","type","version","location","lastSeen"}
// REPORT, LOOPS as in topology/metrics.h with "timestamp". role: mix, provider or coconode.
// COUNT is a number. NS is nanoseconds since 1970 by the directory's clock, KEY base58.
//
// Bounds: an entry at most wire::kEntryJsonBytes, so `nodes` at most kMaxNodesBytes (accounts are
// counted, not listed); `reports` wire::kMaxToldAtOnceBytes; TEXT 200 characters of printable
// ASCII, whatever a stranger sent. Pure; no state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/crypto/keys.h"
#include "src/prelude/instant.h"
#include "src/topology/metrics.h"
#include "src/topology/topology.h"
#include "src/wire/limits.h"

namespace mix::directory::feed {

inline constexpr unsigned kVersion = 1;
inline constexpr std::size_t kMaxNodesBytes =
    (wire::kMaxMixnodes + wire::kMaxProviders + wire::kMaxCoconodes) * wire::kEntryJsonBytes;
inline constexpr std::size_t kMaxWhy = 200;

std::string hello(WallTime now, WallTime since, bool loops);
std::string nodes(const topology::Topology& all);
/// The latest of both that fit into `most` bytes.
std::string reports(const std::vector<topology::MixMetrics>& mixes,
                    const std::vector<topology::ClientMetrics>& clients,
                    std::size_t most = wire::kMaxToldAtOnceBytes);

/// `Info` is MixInfo, ProviderInfo or CocoInfo.
template <class Info>
std::string node(const Info& info, bool is_new, const std::vector<crypto::PublicKey>& taken);
template <class Info>
std::string seen(const Info& info);
/// "mix", "provider", "coconode".
template <class Info>
std::string_view role_of();
std::string gone(std::string_view role, const crypto::PublicKey& key, WallTime now);

std::string report(const topology::MixMetrics& metrics);
std::string loops(const topology::ClientMetrics& metrics);
std::string refused(std::string_view path, unsigned status, std::string_view why, WallTime now);
std::string more(std::string_view of, std::uint64_t count, WallTime now);
std::string missed(std::uint64_t count, WallTime now);

}  // namespace mix::directory::feed
