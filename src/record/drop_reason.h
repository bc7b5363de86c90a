// SPDX-License-Identifier: Apache-2.0
// Why a packet was refused or lost: one enumerated list for every program and the lab, with names
// that are stable (SQL, scenarios, tests). Counting is here too; deciding is not.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mix::record {

// X(name, meaning). New reasons go before the lab's; names never change.
#define MIX_DROP_REASONS(X)                                                                    \
  X(short_packet, "the connection ended inside a packet, or the packet took too long to come") \
  X(zero_shared_secret, "the shared secret is all zeros")                                      \
  X(mac, "the header's MAC does not hold")                                                     \
  X(replay, "a packet with the same shared secret was taken before")                           \
  X(flag, "the routing flag is neither forward nor final")                                     \
  X(final_at_mix, "a mix is not a last hop")                                                   \
  X(forward_at_provider, "a provider is the last hop and forwards nothing")                    \
  X(bad_next_address, "the next hop's 32 bytes are no address")                                \
  X(delay_too_long, "the header asks for a delay beyond the limit")                            \
  X(pending_full, "as many packets are held or queued as may be")                              \
  X(next_hop_unknown, "nobody in the topology has the next hop's address")                     \
  X(next_hop_not_next_layer, "the next hop is not in the next layer")                          \
  X(peer_unreachable, "the next hop refused, reset or stalled the connection")                 \
  X(payload_integrity, "the payload was changed on its way, or its destination differs")       \
  X(unknown_recipient, "the destination never registered with this provider")                  \
  X(mailbox_full, "the recipient's mailbox holds as much as it may")                           \
  X(store_failed, "the provider's database refused the message")                               \
  X(shutting_down, "held when the program was told to stop")                                   \
  X(node_crashed, "the lab: the node died with it")                                            \
  X(connection_reset, "the lab: the connection was reset under it")                            \
  X(segment_cut, "the lab: a cut link swallowed it")

enum class DropReason : std::uint8_t {
#define X(name, meaning) name,
  MIX_DROP_REASONS(X)
#undef X
};

inline constexpr auto kDropReasonNames = std::to_array<std::string_view>({
#define X(name, meaning) #name,
    MIX_DROP_REASONS(X)
#undef X
});
inline constexpr std::size_t kDropReasons = kDropReasonNames.size();

constexpr std::string_view name_of(DropReason reason) {
  return kDropReasonNames[static_cast<std::size_t>(reason)];
}
/// For people.
std::string_view meaning_of(DropReason reason);
std::optional<DropReason> drop_reason_named(std::string_view name);

/// How many packets were dropped, by reason. One thread.
class DropCounts {
 public:
  void add(DropReason reason, std::uint64_t n = 1) {
    x_counts[static_cast<std::size_t>(reason)] += n;
  }
  std::uint64_t of(DropReason reason) const { return x_counts[static_cast<std::size_t>(reason)]; }
  std::uint64_t total() const;
  /// "mac 3, replay 1" in the list's order; "none".
  std::string to_text() const;

 private:
  std::array<std::uint64_t, kDropReasons> x_counts{};
};

}  // namespace mix::record
