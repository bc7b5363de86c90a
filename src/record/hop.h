// SPDX-License-Identifier: Apache-2.0
// What a program writes down about packets: the rows of the raw tables `node`, `made`, `handled`
// and `fetched` (schema.sql), as values. A program records only what it knows itself: nobody
// writes down a layer that it infers from its own.
//
// The column `node` is missing on purpose: a log belongs to one program, and fills it in. Times
// are CLOCK_MONOTONIC nanoseconds (`ns(clock.now())`); the sink subtracts the run's origin.
// Digests are 16-byte BLAKE2b of the 1372 bytes of a packet. Addresses are numeric "IP:port",
// "[IP]:port" for IPv6; keys and recipients are base58.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "src/prelude/bytes.h"
#include "src/prelude/instant.h"
#include "src/record/drop_reason.h"

namespace mix::record {

using Digest = ByteArray<16>;

inline std::int64_t ns(Instant t) {
  return t.time_since_epoch().count();
}

enum class Role : std::uint8_t { directory, mix, provider, client, other };
enum class PacketClass : std::uint8_t {
  loop,      ///< of the loop stream
  cover,     ///< filler of the real stream
  real,      ///< carries what a user wrote
  probe,     ///< looks for a working path
  injected,  ///< nobody honest made it; in the lab's own rows only
};
enum class Verdict : std::uint8_t { forward, store, drop };

std::string_view name_of(Role role);
std::string_view name_of(PacketClass c);
std::string_view name_of(Verdict verdict);

/// One program. Written once, before any other row.
struct NodeRow {
  std::string name;  ///< "mix-9980", "provider", a client's id: what its log lines say
  Role role = Role::other;
  /// Client 0, mix 1..L, provider L+1; nothing for others.
  std::optional<std::uint8_t> layer;
  /// Where packets reach it (a mix's or provider's mix listener), in the form in which headers
  /// name it, so that a hop nobody received still knows where it went; else where users reach it.
  std::string address;
  std::string public_key;

  bool operator==(const NodeRow&) const = default;
};

/// A packet that a client built. `sent_ns` and `digest` are what it handed to the first mix; a
/// packet it could not send has no `sent_ns` and a reason.
struct MadeRow {
  std::int64_t created_ns = 0;
  std::optional<std::int64_t> sent_ns;
  Digest digest{};
  PacketClass packet_class = PacketClass::loop;
  std::string recipient;
  std::string first_address;
  std::optional<DropReason> reason;

  bool operator==(const MadeRow&) const = default;
};

/// A packet that came to a mix or provider, written when its fate is known. `received_ns` is when
/// its last byte was read, `sent_ns` when its bytes were handed to the next hop's connection.
struct HandledRow {
  std::int64_t received_ns = 0;
  Digest digest_in{};
  std::optional<std::int64_t> sent_ns;
  std::optional<Digest> digest_out;
  std::string next_address;              ///< empty: it had none, or it could not be read
  std::optional<std::int64_t> delay_ns;  ///< as the header asks; nothing when it could not be read
  Verdict verdict = Verdict::drop;
  std::optional<DropReason> reason;  ///< exactly when the verdict is drop

  bool operator==(const HandledRow&) const = default;
};

/// What a client's pull brought home. A client that recognises its own packet gives the digest
/// under which it made it; of other people's it knows only a number of its own, from 1.
struct FetchedRow {
  std::int64_t time_ns = 0;
  std::optional<Digest> digest;
  std::optional<std::int64_t> local_id;
  PacketClass packet_class = PacketClass::real;

  bool operator==(const FetchedRow&) const = default;
};

using Row = std::variant<NodeRow, MadeRow, HandledRow, FetchedRow>;

}  // namespace mix::record
