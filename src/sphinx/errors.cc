// SPDX-License-Identifier: Apache-2.0
#include "src/sphinx/errors.h"

namespace mix::sphinx {

std::string_view to_text(BuildError error) {
  switch (error) {
    case BuildError::no_hops:
      return "no_hops";
    case BuildError::too_many_hops:
      return "too_many_hops";
    case BuildError::message_too_long:
      return "message_too_long";
    case BuildError::negative_delay:
      return "negative_delay";
    case BuildError::unusable_key:
      return "unusable_key";
  }
  return "";
}

std::string_view to_text(PeelError error) {
  switch (error) {
    case PeelError::zero_secret:
      return "zero_secret";
    case PeelError::bad_mac:
      return "bad_mac";
    case PeelError::unknown_flag:
      return "unknown_flag";
    case PeelError::payload_zeros:
      return "payload_zeros";
    case PeelError::payload_padding:
      return "payload_padding";
    case PeelError::payload_destination:
      return "payload_destination";
  }
  return "";
}

}  // namespace mix::sphinx
