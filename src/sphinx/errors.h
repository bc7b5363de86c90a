// SPDX-License-Identifier: Apache-2.0
// Why a packet could not be built, and why one was not accepted. What a node counts and records as
// drop reasons is its own list; these are what the cryptography alone can say.
#pragma once

#include <string_view>

namespace mix::sphinx {

enum class BuildError {
  no_hops,
  too_many_hops,     // more than 5
  message_too_long,  // more than 975 bytes
  negative_delay,
  unusable_key,  // a hop's public key is a point of small order
};
std::string_view to_text(BuildError error);

enum class PeelError {
  zero_secret,          // alpha is a point of small order
  bad_mac,              // not for this node, or the header was changed on the way
  unknown_flag,         // the routing record is neither forward nor final
  payload_zeros,        // final hop: the 16 leading bytes are not zero
  payload_padding,      // final hop: no marker, or something other than zeros behind it
  payload_destination,  // final hop: payload and header name different destinations
};
std::string_view to_text(PeelError error);

}  // namespace mix::sphinx
