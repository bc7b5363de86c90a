// SPDX-License-Identifier: Apache-2.0
#include "src/peers/peel_reason.h"

#include "src/prelude/check.h"

namespace mix::peers {

record::DropReason reason_of(sphinx::PeelError error) {
  using record::DropReason;
  switch (error) {
    case sphinx::PeelError::zero_secret:
      return DropReason::zero_shared_secret;
    case sphinx::PeelError::bad_mac:
      return DropReason::mac;
    case sphinx::PeelError::unknown_flag:
      return DropReason::flag;
    case sphinx::PeelError::payload_zeros:
    case sphinx::PeelError::payload_padding:
    case sphinx::PeelError::payload_destination:
      return DropReason::payload_integrity;  // a last hop's findings; a mix has none
  }
  CHECK(false, "a peel error without a reason:", static_cast<int>(error));
  return DropReason::mac;
}

}  // namespace mix::peers
