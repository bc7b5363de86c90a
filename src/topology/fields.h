// SPDX-License-Identifier: Apache-2.0
// What each field of a presence may hold. A directory that accepts less than the original serves no
// entry that makes an original client panic, and no text that a page or a console must fear.
//
// Every check returns nullopt, or what is wrong, beginning with the field's name on the wire.
// Bounds: see the constants; the directory asserts that they are those of wire/limits.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "src/topology/node_info.h"

namespace mix::topology {

inline constexpr unsigned kMaxLayer = 4;
inline constexpr std::size_t kMaxHostLength = 259;
inline constexpr std::size_t kMaxLocationLength = 64;
inline constexpr std::size_t kMaxTypeLength = 32;
inline constexpr std::size_t kMaxRegisteredClients = 10'000;

using Problem = std::optional<std::string>;

/// `name:port`, `1.2.3.4:port`, `[::1]:port`, or (as originals announce IPv6) `::1:port`; letters,
/// digits and . - _ : [ ] only, port 1..65535.
Problem check_host(std::string_view field, std::string_view text);
/// Numeric `IP:port`; a name here makes original clients panic.
Problem check_listener(std::string_view field, std::string_view text);
/// Semantic version of at most 32 characters.
Problem check_version(std::string_view text);
Problem check_layer(unsigned layer);
/// At most 64 characters: letters (any byte of UTF-8 above 127 is refused), digits, space and
/// . , - _ ( ) / '. May be empty.
Problem check_location(std::string_view text);
/// 1 to 32 letters, digits, - and _.
Problem check_type(std::string_view text);

/// All of the above for one claim, in the order of the fields.
Problem check(const MixInfo& mix);
Problem check(const ProviderInfo& provider);
Problem check(const CocoInfo& coco);

}  // namespace mix::topology
