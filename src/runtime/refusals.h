// SPDX-License-Identifier: Apache-2.0
// What strangers were refused, other than packets (those have record/drop_reason.h): connections,
// requests, handshakes. One enumerated list for the four programs and one count of each per
// program, told when it ends. Counting only; who refuses says why. Threads: the loop's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mix::runtime {

// X(name, meaning). Names are stable: tests and people look for them.
#define MIX_REFUSALS(X)                                                                          \
  X(connections_full, "at the bound: the longest silent connection was closed, or the new one")  \
  X(no_descriptors, "a connection came and the system had no descriptor left")                   \
  X(timed_out, "a connection was silent, or slow with a packet, request or reply, for too long") \
  X(not_http, "the bytes are no HTTP request")                                                   \
  X(slow_request, "an HTTP request took too long to come")                                       \
  X(header_too_large, "an HTTP header beyond the limit")                                         \
  X(body_too_large, "an HTTP body beyond the limit")                                             \
  X(bodies_full, "as much of large HTTP bodies is being read as may be")                         \
  X(origin, "a websocket handshake from a page that is not ours, or beyond the watchers' bound") \
  X(handshake, "a websocket handshake that is none, or was not finished")                        \
  X(websocket, "a websocket that broke the protocol, or sent a message beyond the limit")        \
  X(slow_reader, "a websocket that does not read what is sent to it")                            \
  X(bad_request, "a request that cannot be understood, or not now")                              \
  X(bad_token, "a pull without the address's token, or of an address that never registered")     \
  X(accounts_full, "a registration beyond the number of accounts")                               \
  X(store_failed, "the provider's database refused a registration or a pull")                    \
  X(stalled_reply,                                                                               \
    "a reply with mail was not acknowledged in time, and a newer pull had the mail")             \
  X(bad_entry, "a presence or metrics report with a field that may not be so")                   \
  X(claimed, "a presence for a living entry that somebody else announced")                       \
  X(directory_full, "a presence or report beyond what the directory keeps")                      \
  X(not_local, "asked for from afar, and told to this machine only")

enum class Refusal : std::uint8_t {
#define X(name, meaning) name,
  MIX_REFUSALS(X)
#undef X
};

inline constexpr auto kRefusalNames = std::to_array<std::string_view>({
#define X(name, meaning) #name,
    MIX_REFUSALS(X)
#undef X
});

class Refusals {
 public:
  void add(Refusal why) { ++x_counts[static_cast<std::size_t>(why)]; }
  std::uint64_t of(Refusal why) const { return x_counts[static_cast<std::size_t>(why)]; }
  /// "connections_full 12, timed_out 3" in the list's order; "none".
  std::string to_text() const;

 private:
  std::array<std::uint64_t, kRefusalNames.size()> x_counts{};
};

}  // namespace mix::runtime
